"""Rendered people for the tests of who is who: one who squats, and two who dance as a couple, with their true boxes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emc.interfaces import Store
from emc.stages.overlay import write_video
from emc.synth.body.look import sample_look
from emc.synth.body.rig import sample_body
from emc.synth.motion.motions import generate_motion
from emc.synth.scene.scene import cast, render_people, sample_scene

FPS, SIZE = 25.0, (240, 240)
Xywh = tuple[float, float, float, float]


class PeopleClip(NamedTuple):
    """A video, and where each person is: (frames, persons) boxes xywh, pixels."""

    video: Path
    boxes: np.ndarray


def squatter(folder: Path, frames: int = 24) -> PeopleClip:
    """Render one person who squats."""
    return _clip(folder / "squat.mp4", ["squat"], 3, frames, lambda frame: None)


def couple(folder: Path, frames: int = 24, apart: float = 0.45) -> PeopleClip:
    """Render two people who dance closely and turn round each other once; `apart` : metres between them."""

    def placed(frame: int) -> np.ndarray:
        turn = 2 * np.pi * frame / frames
        half = np.array([np.cos(turn), 0.0, np.sin(turn)]) * apart / 2
        return np.stack([half, -half])

    return _clip(folder / "couple.mp4", ["deep_dance", "wave"], 11, frames, placed)


def crossing(folder: Path, frames: int = 24) -> PeopleClip:
    """Render two people who walk through one another's place in the picture, one 0.5 m behind the other."""

    def placed(frame: int) -> np.ndarray:
        way = 1.2 - 2.4 * frame / (frames - 1)
        return np.array([[way, 0.0, 0.25], [-way, 0.0, -0.25]])

    return _clip(folder / "crossing.mp4", ["stand", "wave"], 7, frames, placed)


def ghosts(boxes: np.ndarray, kind: str, seed: int = 0) -> np.ndarray:
    """Return (T, 4) boxes as a detector finds a person a second time: ``jitter``, ``upper``, ``lower`` or ``large``."""
    x, y, w, h = boxes.T
    part = {
        "jitter": (x, y, w, h),
        "upper": (x, y, w, 0.6 * h),
        "lower": (x, y + 0.35 * h, w, 0.65 * h),
        "large": (x - 0.2 * w, y - 0.15 * h, 1.4 * w, 1.25 * h),
    }[kind]
    sides = np.stack([part[2], part[3], part[2], part[3]], axis=1)
    return np.stack(part, axis=1) + np.random.default_rng(seed).normal(0, 0.04, (len(boxes), 4)) * sides


def plant_boxes(store: Store, clip: str, people: Sequence[np.ndarray], scores: Sequence[float]) -> None:
    """Let `emc predict` with the embedded detector find these boxes, (T, 4) per person, as if it had looked."""
    frames = len(people[0])
    rows = {
        str(frame): [
            [*(round(float(v), 3) for v in boxes[frame]), score]
            for boxes, score in zip(people, scores, strict=True)
            if np.isfinite(boxes[frame]).all()
        ]
        for frame in range(frames)
    }
    found = {"frames": rows, "cuts": [], "edges": [None, None]}
    store.put_document("boxes", f"{clip}:embedded:0.3:every:1:0:every1:shots:0", found)


def _clip(path: Path, motions: Sequence[str], seed: int, frames: int, placed) -> PeopleClip:
    rng = np.random.default_rng(seed)
    actors = []
    for name in motions:
        body = sample_body(rng)
        look = sample_look(rng, gender=body.gender)
        actors.append(cast(generate_motion(name, frames / FPS, FPS, body, rng), body, look))
    scene = sample_scene(rng, SIZE, [actor.motion for actor in actors], coarse=True)
    boxes = np.full((frames, len(actors), 4), np.nan)
    pictures = []
    for frame in range(frames):
        if (offsets := placed(frame)) is not None:
            roots = np.stack([actor.motion.coco[frame].mean(axis=0) * (1, 0, 1) for actor in actors])
            middle = np.asarray(scene.offsets).mean(axis=0) * (1, 0, 1)
            shown = dataclasses.replace(scene, offsets=middle - roots + offsets + np.asarray(scene.offsets) * (0, 1, 0))
        else:
            shown = scene
        picture = render_people(actors, shown, frame)
        for person in picture.people:
            places = zip(actors, shown.offsets, strict=True)
            away = [np.abs(person.coco3d - actor.motion.coco[frame] - offset).max() for actor, offset in places]
            boxes[frame, int(np.argmin(away))] = person.box
        pictures.append(picture.image)
    write_video(path, pictures, fps=FPS)
    return PeopleClip(path, boxes)
