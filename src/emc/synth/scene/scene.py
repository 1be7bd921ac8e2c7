"""Scenes: people in motion as pictures, each with its exact labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emc.errors import UsageError
from emc.synth.body import BodyShape, Look, build_figure, sample_body, sample_look
from emc.synth.motion import COMMON_MOTIONS, Motion, generate_motion
from emc.synth.scene.camera import Camera
from emc.synth.scene.labels import PersonLabels, label_person
from emc.synth.scene.render import Actor, background, cast_shadows, draw_people, overlaid
from emc.synth.scene.shading import developed
from emc.synth.scene.staging import Scene, sample_scene

__all__ = [
    "Camera", "PersonLabels", "RenderedClip", "RenderedFrame", "Scene", "make_clip", "render_clip",
    "render_people", "sample_frame", "sample_scene",
]  # fmt: skip

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RenderedFrame:
    """One picture with the labels of everyone in it.

    Parameters
    ----------
    image : ndarray (H, W, 3)
        RGB, uint8.
    camera : Camera
        The frame's camera.
    people : tuple of PersonLabels
        Everyone with at least one joint to be seen, in the order of the actors. The properties
        below speak of the first, and need one.
    motion_names : tuple of str
        What each of `people` does.
    tags : dict
        Free tags of the first person and of the scene.
    """

    image: NDArray[np.uint8]
    camera: Camera
    people: tuple[PersonLabels, ...]
    motion_names: tuple[str, ...]
    tags: dict[str, str]

    @property
    def xy(self) -> NDArray[np.float32]:
        """COCO joints (17, 2), pixels."""
        return self.people[0].xy

    @property
    def visibility(self) -> NDArray[np.uint8]:
        """COCO visibility (17,)."""
        return self.people[0].visibility

    @property
    def box(self) -> NDArray[np.float32]:
        """Box x, y, width, height, pixels."""
        return self.people[0].box

    @property
    def area(self) -> float:
        """Area of the mask, pixels."""
        return self.people[0].area

    @property
    def neck_xy(self) -> NDArray[np.float32]:
        """Lower end of the head segment (2,), pixels."""
        return self.people[0].neck_xy

    @property
    def head_top_xy(self) -> NDArray[np.float32]:
        """Upper end of the head segment (2,), pixels."""
        return self.people[0].head_top_xy

    @property
    def coco3d(self) -> Array:
        """COCO joints (17, 3), world metres."""
        return self.people[0].coco3d

    @property
    def h36m3d(self) -> Array:
        """Human3.6M joints (17, 3), world metres."""
        return self.people[0].h36m3d

    @property
    def coco_camera(self) -> Array:
        """COCO joints (17, 3) in the camera frame, metres."""
        return self.camera.to_camera(self.coco3d)

    @property
    def h36m_camera(self) -> Array:
        """Human3.6M joints (17, 3) in the camera frame, metres."""
        return self.camera.to_camera(self.h36m3d)


@dataclass(frozen=True, eq=False)
class RenderedClip:
    """A clip that is drawn while it is read; it can be read again and is then the same.

    Parameters
    ----------
    name, group : str
        The clip's own name, and the name of the person in it.
    fps : float
        Frames per second.
    size : (int, int)
        Width and height, pixels.
    tags : dict
        Free tags: motion, clothing, gender, hair, background.
    actors : tuple of Actor
        Who is in it.
    scene : Scene
        Where it plays.
    """

    name: str
    group: str
    fps: float
    size: tuple[int, int]
    tags: dict[str, str]
    actors: tuple[Actor, ...]
    scene: Scene

    def __len__(self) -> int:
        return len(self.actors[0].motion)

    def __getitem__(self, frame: int) -> RenderedFrame:
        if not 0 <= frame < len(self):
            raise IndexError(f"frame {frame} of a clip of {len(self)} frames")
        return render_people(self.actors, self.scene, frame)

    def __iter__(self) -> Iterator[RenderedFrame]:
        return (self[frame] for frame in range(len(self)))


def cast(motion: Motion, body: BodyShape, look: Look) -> Actor:
    """A dressed person who does a motion."""
    rig, mesh = build_figure(body, look)
    return Actor(body=body, look=look, motion=motion, rig=rig, mesh=mesh)


def render_people(actors: Sequence[Actor], scene: Scene, frame: int = 0) -> RenderedFrame:
    """Render one frame with one to three people.

    Parameters
    ----------
    actors : sequence of Actor
        As many as the scene has offsets.
    scene : Scene
        From `sample_scene`, for the same motions.
    frame : int
        Which frame of the motions.

    Returns
    -------
    RenderedFrame
        With labels of everyone who shows.
    """
    image = background(scene, frame)
    image = cast_shadows(image, actors, scene, frame)
    layer = draw_people(actors, scene, frame)
    people: list[PersonLabels] = []
    names: list[str] = []
    if layer is not None:
        image = overlaid(image, layer)
        for person, actor in enumerate(actors):
            labels = label_person(actor, scene, frame, layer, person)
            if labels is not None:
                people.append(labels)
                names.append(actor.motion.name)
    return RenderedFrame(
        image=developed(image, scene.develop, frame),
        camera=scene.camera(frame),
        people=tuple(people),
        motion_names=tuple(names),
        tags={**actors[0].look.tags, **scene.tags},
    )


def render_clip(
    motion: Motion,
    body: BodyShape,
    look: Look,
    scene: Scene,
    size: tuple[int, int] | None = None,
) -> Iterator[RenderedFrame]:
    """Render a motion frame by frame; `size`, if given, must be the scene's.

    Raises
    ------
    UsageError
        If `size` is not the size that the scene was made for.
    """
    if size is not None and tuple(size) != scene.size:
        raise UsageError(
            f"size {tuple(size)} asked of a scene of size {scene.size}: make the scene in the size you want"
        )
    actor = cast(motion, body, look)
    return (render_people([actor], scene, frame) for frame in range(len(motion)))


def make_clip(
    motion_name: str,
    seed: int,
    seconds: float = 2.0,
    fps: float = 30.0,
    size: tuple[int, int] = (256, 256),
    person: int | None = None,
) -> RenderedClip:
    """A whole clip from a name and a seed.

    Parameters
    ----------
    motion_name : str
        One of `COMMON_MOTIONS` or `UNCOMMON_MOTIONS`.
    seed : int
        Decides everything else.
    seconds, fps : float
        Length and frame rate.
    size : (int, int)
        Width and height, pixels.
    person : int, optional
        Decides body and look, and with them the group; `seed` by default. Clips of one person
        share a group, so that they can be kept on one side of a split.

    Returns
    -------
    RenderedClip
        Drawn while it is read.
    """
    who = np.random.default_rng([2, seed if person is None else person])
    body = sample_body(who)
    look = sample_look(who, gender=body.gender)
    rng = np.random.default_rng([1, seed])
    motion = generate_motion(motion_name, seconds, fps, body, rng)
    scene = sample_scene(rng, size, [motion])
    return RenderedClip(
        name=f"{motion_name}-{seed:05d}",
        group=f"person-{seed if person is None else person:05d}",
        fps=fps,
        size=size,
        tags={"motion": motion_name, **look.tags, **scene.tags},
        actors=(cast(motion, body, look),),
        scene=scene,
    )


def sample_frame(
    rng: np.random.Generator,
    motions: Sequence[str] = COMMON_MOTIONS,
    size: tuple[int, int] = (192, 192),
    people: int = 1,
    cut: float = 0.12,
) -> RenderedFrame:
    """One picture of random people at a random moment of random motions.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    motions : sequence of str
        Names to draw from.
    size : (int, int)
        Width and height, pixels.
    people : int
        How many people are put in front of the camera, 1 to 3.
    cut : float
        Chance that the picture's edge cuts them.

    Returns
    -------
    RenderedFrame
        Its `people` may be fewer than asked where one hides another or is cut off.

    Raises
    ------
    UsageError
        If `people` is not 1, 2 or 3.
    """
    if people not in (1, 2, 3):
        raise UsageError(f"{people} people in one frame: choose 1, 2 or 3")
    actors = []
    for _ in range(people):
        body = sample_body(rng)
        look = sample_look(rng, gender=body.gender)
        name = motions[int(rng.integers(len(motions)))]
        whole = generate_motion(name, 1.8, 20.0, body, rng)
        start = int(rng.integers(len(whole) - 1))
        actors.append(cast(whole.window(start, start + 2), body, look))
    first = [actor.motion.window(0, 1) for actor in actors]
    scene = sample_scene(rng, size, first, cut=cut, coarse=True)
    return render_people(actors, scene)
