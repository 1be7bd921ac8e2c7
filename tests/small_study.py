"""A tiny study without any model: three clips of painted frames, predictions with known faults, and the truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from emc.pose.records import (
    Alert,
    AlertReason,
    Clip,
    Edit,
    FrameAlerts,
    JointChange,
    Prediction,
    Provenance,
    Role,
    Visibility,
)
from emc.pose.skeletons.skeleton import COCO17
from emc.store.sql import SqlStore
from emc.study.preparing import StudyOptions, make_study

WIDTH, HEIGHT = 320, 240
FRONT = (
    (50, 12), (53, 10), (47, 10), (57, 12), (43, 12), (64, 30), (36, 30), (72, 52), (28, 52), (76, 74), (24, 74),
    (58, 78), (42, 78), (60, 110), (40, 110), (61, 142), (39, 142),
)  # fmt: skip
"""A standing figure in a box of 100 x 160, joints as in COCO-17."""
WRONG = (9, 13)
"""Joints that the model has wrong on every frame: the left wrist and the left knee, by 60 pixels."""
HIDDEN = 4
"""The right ear: not visible, so it does not count."""
CLIPS = ("north", "south", "practice")


def truth(clip: str, frame: int) -> np.ndarray:
    """Where the joints (17, 2) are: the figure walks to the right, in each clip from another place."""
    start = 70 + 25 * CLIPS.index(clip)
    return np.array(FRONT, dtype=np.float64) * 1.2 + (start + 4 * frame - 20, 25)


def predicted(clip: str, frame: int) -> np.ndarray:
    found = truth(clip, frame)
    found[list(WRONG)] += (60, 0)
    return found


def small_project(folder: Path, frames: int = 4) -> SqlStore:
    """A project whose clips are predicted, and corrected on every frame."""
    store = SqlStore.create(folder / "source.emc")
    for name in CLIPS:
        clip = _painted(folder / name, name, frames)
        store.add_clip(clip)
        run = store.start_run(name, "by-hand", "coco17", {})
        store.write_predictions(run.id, [_prediction(name, frame) for frame in range(frames)], frames)
        alerts = [Alert(name, 0, joint, 0, frames - 1, AlertReason.LOW_CONFIDENCE, 0.9) for joint in WRONG]
        store.write_alerts(run.id, alerts, [FrameAlerts(frame, 0, len(WRONG)) for frame in range(frames)])
        store.finish_run(run.id)
        store.append_edit(_corrections(name, frames))
    return store


def small_study(folder: Path, frames: int = 4, step: int = 2, **rules: float) -> Path:
    """The study of that project, with two stretches of two frames; returns its folder."""
    order = StudyOptions("small", ("north", "south"), "practice", frames=frames, training_frames=1, step=step)
    with small_project(folder, frames) as store:
        changed = StudyOptions(**{**{name: getattr(order, name) for name in order.__slots__}, **rules})
        return make_study(folder / "small", store, changed)[0]


def _painted(folder: Path, name: str, frames: int) -> Clip:
    from emc.config import VideoSettings
    from emc.workflow.project.clips import read_clip

    folder.mkdir(parents=True)
    for frame in range(frames):
        picture = np.full((HEIGHT, WIDTH, 3), (225, 215, 205), np.uint8)
        xy = truth(name, frame).round().astype(int)
        for a, b in COCO17.limbs:
            cv2.line(picture, tuple(xy[a].tolist()), tuple(xy[b].tolist()), (90, 60, 40 + 50 * CLIPS.index(name)), 7)
        cv2.circle(picture, tuple(xy[0].tolist()), 11, (120, 150, 190), -1)
        cv2.imwrite(str(folder / f"{frame:03d}.png"), picture)
    return read_clip(folder, Role.TARGET, "", {}, (), VideoSettings())  # pyright: ignore[reportCallIssue]


def _prediction(clip: str, frame: int) -> Prediction:
    confidence = np.full(17, 0.9, np.float32)
    confidence[list(WRONG)] = 0.3
    box = np.array([*truth(clip, frame).min(axis=0) - 8, 90, 190], np.float32)
    return Prediction(frame, 0, predicted(clip, frame).astype(np.float32), confidence, confidence, box)


def _corrections(clip: str, frames: int) -> Edit:
    changes = tuple(
        JointChange(
            frame, 0, joint, float(x), float(y),
            Visibility.OCCLUDED if joint == HIDDEN else Visibility.VISIBLE, Provenance.HUMAN,
        )
        for frame in range(frames)
        for joint, (x, y) in enumerate(truth(clip, frame))
    )  # fmt: skip
    return Edit(clip, "import", changes, "expert")
