"""What to correct first: runs of one joint, by how many wrong frames a second of a person's time repairs.

Costs are those of the keystroke-level model (Card, Moran, Newell 1980): 1.35 s of thought, 1.10 s to point, 0.10 s
for a press or a release, 0.20 s for a key. A run is looked at as a contact sheet; a fix is a look, an aim and a click,
and repairs the frames around it. A swap takes one key, however long the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from emc.pose.records import AlertReason

THINK, POINT, PRESS, KEY = 1.35, 1.10, 0.10, 0.20
SCAN = 0.15
"""Seconds that the eye rests on one crop of a contact sheet: half a fixation, as crops of a run are alike."""
FRAMES_PER_FIX = 3.4
"""Frames right after one fix, the fixed one among them, see ``benchmarks/editor/propagate.py``."""


class QueueOrder(StrEnum):
    """How the queue can be sorted."""

    VALUE = "value"
    SEVERITY = "severity"
    SECONDS = "seconds"
    FRAME = "frame"
    FRAMES = "frames"
    REASON = "reason"
    JOINT = "joint"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class QueueColumns:
    """Runs of joints, (A,) arrays.

    clip : index of the clip. person, joint, first, last : which joint, on which frames. severity : P(wrong) in [0, 1].
    reason : index into `reasons`. frames : predicted frames in the run. done : of these, decided by a person.
    joints : how many joints the run is about: 1, or those of a whole person who cannot be read.
    """

    clip: np.ndarray
    person: np.ndarray
    joint: np.ndarray
    first: np.ndarray
    last: np.ndarray
    severity: np.ndarray
    reason: np.ndarray
    reasons: tuple[str, ...]
    frames: np.ndarray
    done: np.ndarray
    joints: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


def predicted_seconds(columns: QueueColumns) -> np.ndarray:
    """Return the seconds (A,) that a person will need for each run."""
    fixes = np.ceil(columns.frames * columns.severity / FRAMES_PER_FIX)
    of_swap = [str(AlertReason.SWAP) == name for name in columns.reasons] or [False]
    is_swap = np.array(of_swap)[columns.reason] if len(columns) else np.zeros(0, dtype=bool)
    correcting = np.where(is_swap, KEY, fixes * (THINK + POINT + 2 * PRESS))
    return (THINK + SCAN * columns.frames + correcting + KEY) * columns.joints


def value_of(columns: QueueColumns) -> np.ndarray:
    """Return the wrong joints (A,) that a second of work should repair: P(wrong) x frames x joints / seconds."""
    return columns.severity * columns.frames * columns.joints / predicted_seconds(columns)


def sorted_places(columns: QueueColumns, order: QueueOrder, down: bool) -> np.ndarray:
    """Return the indices (A,) of the runs in an order; equal ones by clip, first frame, person, joint."""
    key = np.round(_key(columns, order), 6)
    return np.lexsort((columns.joint, columns.person, columns.first, columns.clip, -key if down else key))


def _key(columns: QueueColumns, order: QueueOrder) -> np.ndarray:
    match order:
        case QueueOrder.VALUE:
            key = value_of(columns)
        case QueueOrder.SEVERITY:
            key = columns.severity
        case QueueOrder.SECONDS:
            key = predicted_seconds(columns)
        case QueueOrder.FRAME:
            key = columns.clip.astype(np.float64) * 2.0**31 + columns.first
        case QueueOrder.FRAMES:
            key = columns.frames
        case QueueOrder.REASON:
            key = np.argsort(np.argsort(columns.reasons))[columns.reason] if len(columns) else columns.reason
        case QueueOrder.JOINT:
            key = columns.joint
        case QueueOrder.PERSON:
            key = columns.person
    return np.asarray(key, dtype=np.float64)


def frames_done(
    person: np.ndarray, joint: np.ndarray, first: np.ndarray, last: np.ndarray, decided: np.ndarray
) -> np.ndarray:
    """Return on how many frames (A,) of each run its joint is decided.

    decided : (D, 3) person, joint, frame of the joints that a person decided, each once.
    """
    done = np.zeros(len(first), dtype=np.int64)
    if not len(decided) or not len(first):
        return done
    place = decided[:, 0].astype(np.int64) * 2**10 + decided[:, 1]
    span = np.int64(2**32)
    sorted_keys = np.sort(place * span + decided[:, 2])
    own = person.astype(np.int64) * 2**10 + joint
    touched = np.flatnonzero(np.isin(own, place))
    low = np.searchsorted(sorted_keys, own[touched] * span + first[touched], side="left")
    high = np.searchsorted(sorted_keys, own[touched] * span + last[touched], side="right")
    done[touched] = high - low
    return done
