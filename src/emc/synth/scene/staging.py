"""Staging: where the camera stands and looks, what lies behind, how the light falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emc.synth.motion import Motion, smoothed
from emc.synth.scene.backdrop import BACKDROPS, paint_backdrop
from emc.synth.scene.camera import Camera, look_at
from emc.synth.scene.shading import Develop, Light, sample_develop, sample_light

Array = NDArray[np.float64]
_SHARES = (0.19, 0.13, 0.16, 0.12, 0.08, 0.08, 0.08, 0.16)


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything in front of which, and by which, people are pictured.

    Parameters
    ----------
    size : (int, int)
        Width and height, pixels.
    cameras : tuple of Camera
        One per frame, or a single one that stands still.
    backdrop : ndarray (H', W', 3)
        The background as `canvas` sees it; as large as the picture where the camera stands still.
    canvas : Camera
        Stands where `cameras` stand.
    light : Light
        The light.
    develop : Develop
        What lens, sensor and file do.
    shutter : float
        How much of the time between two frames the shutter is open, 0 to 1.
    offsets : ndarray (P, 3)
        Where each person's motion is moved to, world metres.
    kind : str
        Name of the background.
    """

    size: tuple[int, int]
    cameras: tuple[Camera, ...]
    backdrop: NDArray[np.uint8]
    canvas: Camera
    light: Light
    develop: Develop
    shutter: float
    offsets: Array
    kind: str

    def camera(self, frame: int) -> Camera:
        """The camera of a frame."""
        return self.cameras[min(frame, len(self.cameras) - 1)]

    @property
    def tags(self) -> dict[str, str]:
        """Free tags of a clip: the background."""
        return {"background": self.kind}


def sample_scene(
    rng: np.random.Generator,
    size: tuple[int, int],
    motions: Sequence[Motion],
    cut: float = 0.0,
    backdrop: str | None = None,
    coarse: bool = False,
) -> Scene:
    """Draw a scene that shows the whole of some motions.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    size : (int, int)
        Width and height, pixels.
    motions : sequence of Motion
        One per person, 1 to 3; people are put side by side at random depths.
    cut : float
        Chance that the picture's edge cuts people.
    backdrop : str, optional
        Name of the background; drawn by default.
    coarse : bool
        Paint a quicker and more cluttered background.

    Returns
    -------
    Scene
        With one camera where a still camera is enough, else one per frame that follows.
    """
    azimuth = _azimuth(rng, motions)
    offsets = _offsets(rng, len(motions), azimuth)
    points = np.concatenate(
        [
            np.concatenate([m.coco, m.head_top[:, None], m.posed.markers], axis=1) + offset
            for m, offset in zip(motions, offsets, strict=True)
        ],
        axis=1,
    )
    aim = _sample_aim(rng, size, azimuth, len(motions))
    shift = rng.normal(0, 0.22, 2) if rng.random() < cut else np.zeros(2)
    cameras = _cameras(aim, points, shift, round(0.3 * motions[0].fps))
    kind = backdrop or BACKDROPS[int(rng.choice(len(BACKDROPS), p=_SHARES))]
    if kind == "noise" and backdrop is None and not coarse:
        kind = "room"
    far = float(np.linalg.norm(cameras[0].position))
    wall = far + float({"field": rng.uniform(25, 90), "street": rng.uniform(6, 25)}.get(
        kind, rng.uniform(2.5, 9)))  # fmt: skip
    canvas, canvas_size = _canvas(cameras, size)
    return Scene(
        size=size,
        cameras=cameras,
        backdrop=paint_backdrop(rng, canvas, canvas_size, kind, wall, coarse),
        canvas=canvas,
        light=sample_light(rng),
        develop=sample_develop(rng),
        shutter=float(rng.uniform(0.25, 0.9)) if rng.random() < 0.6 else 0.0,
        offsets=offsets,
        kind=kind,
    )


@dataclass(frozen=True)
class _Aim:
    """How a camera is set up before it is known where it must stand."""

    size: tuple[int, int]
    azimuth: float
    focal: float
    height: float
    roll: float
    fill: float

    def at(self, target: Array, distance: float) -> Camera:
        """A camera at a distance (metres) from the target, on the aim's side and height."""
        out = np.array([np.cos(self.azimuth), 0.0, np.sin(self.azimuth)])
        place = np.array([target[0], self.height, target[2]]) + distance * out
        return look_at(place, target, self.focal, self.size, self.roll)


def _sample_aim(rng: np.random.Generator, size: tuple[int, int], azimuth: float, people: int) -> _Aim:
    return _Aim(
        size=size,
        azimuth=azimuth,
        focal=float(max(size) / (2 * np.tan(np.radians(rng.uniform(26, 62)) / 2))),
        height=float(np.clip(rng.normal(1.25, 0.45), 0.25, 3.2)),
        roll=float(np.radians(rng.normal(0, 2.0))),
        fill=float(rng.uniform(0.62, 0.93) if people == 1 else rng.uniform(0.7, 0.95)),
    )


def _azimuth(rng: np.random.Generator, motions: Sequence[Motion]) -> float:
    """A side to look from: of two draws the one that sees the people's way more across."""
    path = np.concatenate([motion.coco.mean(axis=1) for motion in motions])
    first, second = rng.uniform(0, 2 * np.pi, 2)
    depth = [float(np.ptp(path @ [np.cos(a), 0.0, np.sin(a)])) for a in (first, second)]
    return float(second if depth[1] < depth[0] - 0.5 else first)


def _offsets(rng: np.random.Generator, people: int, azimuth: float) -> Array:
    """Places for some people: in a row across the view, at different depths."""
    if people == 1:
        return np.zeros((1, 3))
    across = np.array([-np.sin(azimuth), 0.0, np.cos(azimuth)])
    away = np.array([np.cos(azimuth), 0.0, np.sin(azimuth)])
    slots = rng.permutation(people) - (people - 1) / 2
    side = slots * rng.uniform(0.65, 1.3) + rng.uniform(-0.15, 0.15, people)
    depth = rng.uniform(-1.2, 1.2, people)
    return side[:, None] * across + depth[:, None] * away


def _overflow(camera: Camera, points: Array, size: tuple[int, int]) -> float:
    """How many times larger than the picture the points reach from its middle."""
    middle = (np.array(size) - 1) / 2
    return float((np.abs(camera.project(points) - middle) / (np.array(size) / 2)).max())


def _fitted(aim: _Aim, target: Array, points: Array, fill: float) -> float:
    """The distance (metres) at which the points just fill a share of the picture."""
    reach = float(np.linalg.norm(points - target, axis=-1).max())
    distance = max(2.0 * aim.focal * reach / (fill * min(aim.size)), reach + 0.7)
    for _ in range(4):
        ratio = _overflow(aim.at(target, distance), points, aim.size) / fill
        distance = max(distance * ratio, reach + 0.7)
    return distance


def _cameras(aim: _Aim, points: Array, shift: Array, lag: int) -> tuple[Camera, ...]:
    """A still camera, or one that turns after the people where a still one had to stand far off.

    The turning is smoothed over `lag` frames either way.
    """
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    target = (low + high) / 2
    still = _fitted(aim, target, points.reshape(-1, 3), aim.fill)
    centre = (points.min(axis=1) + points.max(axis=1)) / 2
    moving = points - centre[:, None] + target
    close = _fitted(aim, target, moving.reshape(-1, 3), aim.fill)
    tall = high[1] - low[1]
    drift = shift[0] * np.array([-np.sin(aim.azimuth), 0, np.cos(aim.azimuth)]) * tall
    drift = drift + np.array([0, shift[1] * tall, 0])
    if still < 1.35 * close or len(points) == 1:
        return (aim.at(target + drift, still),)
    distance = max(1.15 * close, 0.4 * still)
    path = smoothed(centre, lag) + drift
    cameras = _turning(aim, target, distance, path)
    for _ in range(3):
        reach = [_overflow(camera, now, aim.size) for camera, now in zip(cameras, points, strict=True)]
        if shift.any() or max(reach) < 0.98:
            break
        distance *= max(reach) / 0.94
        cameras = _turning(aim, target, distance, path)
    return cameras


def _turning(aim: _Aim, target: Array, distance: float, path: Array) -> tuple[Camera, ...]:
    """Cameras in one place, each looking at its own spot."""
    place = aim.at(target, distance).position
    return tuple(look_at(place, spot, aim.focal, aim.size, aim.roll) for spot in path)


def _canvas(cameras: tuple[Camera, ...], size: tuple[int, int]) -> tuple[Camera, tuple[int, int]]:
    """A camera and picture size whose view contains the views of all cameras."""
    if len(cameras) == 1:
        return cameras[0], size
    middle = cameras[len(cameras) // 2]
    corners = np.array([[x, y, 1.0] for x in (0, size[0] - 1) for y in (0, size[1] - 1)])
    seen = []
    for camera in cameras:
        rays = corners @ np.linalg.inv(camera.K).T @ camera.R @ middle.R.T
        seen.append(rays[:, :2] / np.maximum(rays[:, 2:], 0.15))
    rays = np.concatenate(seen)
    low, high = rays.min(axis=0), rays.max(axis=0)
    focal = min(middle.K[0, 0], 4 * max(size) / float((high - low).max()))
    extent = np.ceil((high - low) * focal).astype(int) + 3
    lens = np.array([[focal, 0, 1 - low[0] * focal], [0, focal, 1 - low[1] * focal], [0, 0, 1.0]])
    return Camera(K=lens, R=middle.R, t=middle.t), (int(extent[0]), int(extent[1]))
