"""Which person of a clip a label is of: the one who is already at that place, else a new one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from emc.errors import InputError
from emc.interfaces import Store
from emc.pose.geometry import bounding_box
from emc.pose.records import Visibility
from emc.workflow.samples import extras_of

SAME_PERSON = 0.3
"""Least overlap (intersection over union) of a label's box with a known one to be the same person."""
PADDING = 0.1
"""Room around joints that stand in for a box, as a share of the known person's longer side."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A label on its frame, in the clip's joints.

    xy : (J, 2), NaN where not labelled. box : (4,) xywh or None. said : the person's number in EMC's own files. track :
    what the file says a person has in common over its frames, None where it says nothing.
    """

    id: int
    frame: int
    xy: np.ndarray
    box: np.ndarray | None = None
    said: int | None = None
    track: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A person of the clip on one frame: (4,) xywh box, (J, 2) joints."""

    box: np.ndarray
    xy: np.ndarray


@dataclass(slots=True)
class _Frame:
    known: Mapping[int, Known]
    chosen: dict[int, int] = field(default_factory=dict[int, int])

    def free(self, number: int) -> bool:
        return number not in self.chosen.values()


def known_persons(store: Store, clip: str) -> dict[int, dict[int, Known]]:
    """Return frame -> person -> who is there: predicted, corrected or labelled before."""
    extras = extras_of(store, clip)
    found: dict[int, dict[int, Known]] = defaultdict(dict)
    for pose in store.poses(clip):
        placed = np.isfinite(pose.xy).all(axis=1) & (pose.visibility > Visibility.ABSENT)
        box = pose.box
        if box is None and (extra := extras.get((pose.frame, pose.person))) is not None and extra.box is not None:
            box = np.asarray(extra.box, dtype=np.float64)
        if box is None and placed.any():
            box = bounding_box(np.where(placed[:, None], pose.xy, np.nan))
        if box is not None:
            found[pose.frame][pose.person] = Known(np.asarray(box, dtype=np.float64), pose.xy)
    return found


def match_persons(
    labels: Sequence[Candidate], known: Mapping[int, Mapping[int, Known]], gone: Collection[int] = ()
) -> tuple[dict[int, int], int]:
    """Return annotation id -> person, and how many of the labels are of nobody who is known.

    gone : numbers of people who were deleted or merged: nobody gets one, or their labels would be seen nowhere. On each
    frame every number is given once. A number that the file says holds where nobody else has it there; a label
    belongs to the known person whom it overlaps most; labels of one track that overlap nobody go with the others of
    the track. Raises `InputError` where two labels of a frame say the same number.
    """
    frames: dict[int, _Frame] = {label.frame: _Frame(known.get(label.frame, {})) for label in labels}
    by_frame: dict[int, list[Candidate]] = defaultdict(list)
    for label in labels:
        by_frame[label.frame].append(label)
    for frame, rows in by_frame.items():
        _as_said(rows, frames[frame], frame, gone)
        _by_overlap(rows, frames[frame])
    new = sum(frames[label.frame].chosen.get(label.id) not in frames[label.frame].known for label in labels)
    _by_track(labels, frames, gone)
    return {label.id: frames[label.frame].chosen[label.id] for label in labels}, new


def likeness(label: Candidate, known: Known) -> float:
    """Return how much a label and a known person overlap, from 0 to 1.

    The larger of two: of the boxes, and of a box around the label's joints with one around the same joints of the known
    person. A label may have no box, and the boxes of some programs are no more than around the joints they hold.
    """
    boxes = 0.0 if label.box is None else overlap(label.box, known.box)
    placed = np.asarray(np.isfinite(label.xy).all(axis=1))
    joints = min(len(label.xy), len(known.xy))
    shared = placed[:joints] & np.isfinite(known.xy[:joints]).all(axis=1)
    room = PADDING * float(max(known.box[2:]))
    if shared.any():
        both = overlap(_around(label.xy[:joints][shared], room), _around(known.xy[:joints][shared], room))
        return max(boxes, both)
    return max(boxes, overlap(_around(label.xy[placed], room), known.box)) if placed.any() else boxes


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the intersection over union of two (4,) xywh boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    both = float(a[2] * a[3] + b[2] * b[3]) - shared
    return shared / both if both > 0 else 0.0


def _around(xy: np.ndarray, room: float) -> np.ndarray:
    low, high = xy.min(axis=0) - room, xy.max(axis=0) + room
    return np.concatenate([low, high - low]).astype(np.float64)


def _as_said(rows: Sequence[Candidate], frame: _Frame, number: int, gone: Collection[int]) -> None:
    said = Counter(label.said for label in rows if label.said is not None)
    twice = next((person for person, count in said.items() if count > 1), None)
    if twice is not None:
        ids = [label.id for label in rows if label.said == twice]
        raise InputError(
            f"annotations {ids[0]} and {ids[1]} both say that they are person {twice} on frame {number}: drop one, or "
            "correct its 'person'"
        )
    for label in rows:
        if label.said is None or label.said in gone:
            continue
        here = frame.known.get(label.said)
        # Another run may have numbered the people otherwise: a number alone does not make two people one.
        if here is None or likeness(label, here) >= SAME_PERSON:
            frame.chosen[label.id] = label.said


def _by_overlap(rows: Sequence[Candidate], frame: _Frame) -> None:
    pairs = sorted(
        ((likeness(label, person), label.id, number) for label in rows for number, person in frame.known.items()),
        reverse=True,
    )
    for share, label, number in pairs:
        if share >= SAME_PERSON and label not in frame.chosen and frame.free(number):
            frame.chosen[label] = number


def _by_track(labels: Sequence[Candidate], frames: Mapping[int, _Frame], gone: Collection[int]) -> None:
    """Give a number to those who overlap nobody: that of their track, else the lowest that is free."""
    votes: dict[str, Counter[int]] = defaultdict(Counter)
    for label in labels:
        if label.track is not None and label.id in frames[label.frame].chosen:
            votes[label.track][frames[label.frame].chosen[label.id]] += 1
    names = {track: count.most_common(1)[0][0] for track, count in votes.items()}
    taken = {number for frame in frames.values() for number in (*frame.chosen.values(), *frame.known)} | {*gone}
    for label in labels:
        frame = frames[label.frame]
        if label.id in frame.chosen:
            continue
        if label.track is not None and label.track not in names:
            names[label.track] = next(n for n in range(len(taken) + 1) if n not in taken)
            taken.add(names[label.track])
        wanted = names.get(label.track) if label.track is not None else None
        if wanted is None or not frame.free(wanted) or wanted in frame.known:
            used = {*frame.chosen.values(), *frame.known, *gone, *(names.values() if label.track is None else ())}
            wanted = next(n for n in range(len(used) + 1) if n not in used)
        frame.chosen[label.id] = wanted
