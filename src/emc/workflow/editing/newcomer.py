"""A person whom the detector missed: drawn as a box, predicted in it by the model of the run, and followed.

What the model says of the new person is a machine's word (`PROPAGATED`): it stays open until somebody decides. Where
the model or the media are not there, a standing figure is put into the box instead, to be dragged into place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from emc.config import Settings
from emc.errors import EmcError, UsageError
from emc.interfaces import Estimator
from emc.pose.geometry import bounding_box, box_overlap
from emc.pose.records import Box, Clip, Edit, JointChange, Pose, Prediction, Provenance, Visibility
from emc.pose.shots import is_cut, thumb_of
from emc.stages.video import MediaReader
from emc.workflow.editing.flags import stride_of
from emc.workflow.editing.models import RunModels
from emc.workflow.editing.operations import KINDS, Operation, standing_in
from emc.workflow.editing.session import Editing
from emc.workflow.media import open_clip

FOLLOWED = 60
"""Frames to each side over which a new person is followed at most."""
SURE = 0.25
"""Mean confidence below which a person counts as lost."""
SAME = 0.5
"""Overlap with another person's box beyond which the new person is taken to be that one: following ends."""
SECONDS = 4.0
"""What following may take; the page waits for it."""
STRETCH = 12
"""Frames that are decoded together where the clip is read backwards."""
_LEAST_SIDE = 8.0

XYWH = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A new person. box : xywh in pixels on `frame`. follow : carry on to the frames around."""

    frame: int
    box: XYWH
    number: int
    follow: bool
    seconds: float = 0.0
    author: str = ""


class Newcomers:
    """Adds persons to an open project; safe to use from several threads."""

    def __init__(self, editing: Editing, settings: Settings) -> None:
        self._editing = editing
        self._models = RunModels(editing.store.folder, settings)
        self._lock = threading.Lock()

    def edit(self, clip: Clip, new: Newcomer) -> Edit:
        """Return the edit that adds a person; raises `UsageError` for a frame or a box that there is not."""
        box = _checked(clip, new)
        held = self._editing.open_clip(clip.id)
        estimator = None if held.run is None else self._models.estimator(held.run.model)
        found: list[Prediction] = []
        if estimator is not None and estimator.skeleton.name == self._editing.skeleton(held).name:
            every = stride_of(held.run) if held.run else 1
            with self._lock:
                found = list(self._predicted(estimator, clip, new, box, every))
        changes = [change for prediction in found for change in _changes(prediction, new.number)]
        if not any(change.frame == new.frame for change in changes):
            xy = standing_in(self._editing.skeleton(held), box)
            changes = [_change(new.frame, new.number, joint, place) for joint, place in enumerate(xy)]
        return Edit(clip.id, KINDS[Operation.ADD_PERSON], tuple(changes), new.author, new.seconds)

    def _predicted(
        self, estimator: Estimator, clip: Clip, new: Newcomer, box: np.ndarray, every: int
    ) -> Iterator[Prediction]:
        until = time.monotonic() + SECONDS
        try:
            with open_clip(clip) as media:
                first = _look(estimator, media.read(new.frame), new.frame, new.number, box)
                yield first
                if not new.follow or clip.still or not _is_sure(first):
                    return
                for step in (every, -every):
                    yield from self._followed(estimator, clip, media, first, step, until)
        except (EmcError, OSError):
            # Missing or damaged media: the page's own picture says so, and the figure in the box still stands.
            return

    def _followed(
        self, estimator: Estimator, clip: Clip, media: MediaReader, start: Prediction, step: int, until: float
    ) -> Iterator[Prediction]:
        others = self._others(clip, start.frame, step)
        last = start
        before = thumb_of(media.read(start.frame))
        for frame, image in _frames_from(media, start.frame, step, clip.frames):
            here = thumb_of(image)
            if time.monotonic() > until or is_cut(before, here):
                return
            before = here
            now = _look(estimator, image, frame, start.person, _box_around(last))
            if not _is_sure(now) or _is_another(now, others.get(frame, ())):
                return
            yield now
            last = now

    def _others(self, clip: Clip, frame: int, step: int) -> dict[int, list[np.ndarray]]:
        end = frame + step * FOLLOWED
        first, last = max(0, min(frame, end)), min(clip.frames - 1, max(frame, end))
        boxes: dict[int, list[np.ndarray]] = {}
        for pose in self._editing.poses(clip.id, first, last):
            if (box := _extent(pose)) is not None:
                boxes.setdefault(pose.frame, []).append(box)
        return boxes


def _frames_from(media: MediaReader, start: int, step: int, count: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the frames beside `start` on one side, the nearest first; backwards they are decoded in stretches."""
    wanted = [f for f in range(start + step, start + step * (FOLLOWED + 1), step) if 0 <= f < count]
    if step > 0:
        if wanted:
            yield from media.frames(wanted[0], wanted[-1], step)
        return
    for i in range(0, len(wanted), STRETCH):
        part = wanted[i : i + STRETCH]
        yield from reversed(list(media.frames(part[-1], part[0], -step)))


def _checked(clip: Clip, new: Newcomer) -> np.ndarray:
    if not 0 <= new.frame < clip.frames:
        raise UsageError(f"clip {clip.id} has no frame {new.frame}: use 0 to {clip.frames - 1}")
    x, y, w, h = new.box
    box = np.array([x, y, w, h], dtype=np.float64)
    outside = x + w <= 0 or y + h <= 0 or x >= clip.width or y >= clip.height
    if not np.isfinite(box).all() or min(w, h) < _LEAST_SIDE or outside:
        raise UsageError(
            f"clip {clip.id}, frame {new.frame}: the box ({x:.0f}, {y:.0f}, {w:.0f} x {h:.0f}) holds nobody: draw "
            f"one of {_LEAST_SIDE:.0f} pixels or more around the person"
        )
    return box


def _look(estimator: Estimator, image: np.ndarray, frame: int, person: int, box: np.ndarray) -> Prediction:
    x, y, w, h = (float(v) for v in box)
    return estimator.predict([image], [[Box(frame, (x, y, w, h), track=person)]])[0]


def _is_sure(found: Prediction) -> bool:
    return float(np.nan_to_num(found.confidence).mean()) >= SURE


def _box_around(found: Prediction) -> np.ndarray:
    """Return the box for the next frame: around the more confident half of the joints, as wide as a detector's."""
    sure = found.confidence >= min(SURE, float(np.nanmedian(found.confidence)))
    xy = np.where(sure[:, None], found.xy, np.nan).astype(np.float64)
    placed = np.isfinite(xy).all(axis=1).sum()
    return np.asarray(bounding_box(xy, margin=0.1), dtype=np.float64) if placed >= 3 else found.box.astype(np.float64)


def _extent(pose: Pose) -> np.ndarray | None:
    placed = np.isfinite(pose.xy).all(axis=1) & (pose.visibility != Visibility.ABSENT)
    if placed.sum() < 3:
        return None
    return np.asarray(bounding_box(np.where(placed[:, None], pose.xy, np.nan)), dtype=np.float64)


def _is_another(found: Prediction, others: Sequence[np.ndarray]) -> bool:
    mine = np.asarray(bounding_box(found.xy.astype(np.float64)), dtype=np.float64)
    return any(float(np.max(box_overlap(mine[None], box[None]))) > SAME for box in others)


def _changes(found: Prediction, number: int) -> Iterable[JointChange]:
    for joint, place in enumerate(found.xy):
        if np.isfinite(place).all() and found.confidence[joint] > 0:
            yield _change(found.frame, number, joint, place)


def _change(frame: int, person: int, joint: int, place: np.ndarray) -> JointChange:
    x, y = (float(v) for v in place)
    return JointChange(frame, person, joint, x, y, Visibility.VISIBLE, Provenance.PROPAGATED)
