"""The columns of the project's queue: made of the runs that count now, and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emc.interfaces import RunRecord
from emc.pose.journal import JointKey
from emc.pose.records import AlertReason
from emc.stages.queue import QueueColumns, frames_done
from emc.store import AlertColumns
from emc.workflow.editing.decided import Decided
from emc.workflow.editing.flags import stride_of

UNREADABLE = str(AlertReason.UNREADABLE)
WHOLE_PERSON = "whole person"
"""What a run of frames on which a person cannot be read is called, in place of a joint."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The columns of the runs that count now, with what names their rows."""

    runs: tuple[RunRecord, ...]
    states: tuple[tuple[int, ...], ...]
    starts: np.ndarray
    columns: QueueColumns
    names: tuple[tuple[str, ...], ...]

    def rows(self, number: int) -> slice:
        """Return the rows of the run with a number."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))


def joined_columns(
    parts: Sequence[AlertColumns], runs: Sequence[RunRecord], names: Sequence[tuple[str, ...]]
) -> QueueColumns:
    """Return the alerts of several runs, with the names of their joints, as one queue, nothing of it decided yet."""
    reasons = tuple(sorted({name for part in parts for name in part.reasons}))
    code = {name: i for i, name in enumerate(reasons)}

    def column(name: str) -> np.ndarray:
        return np.concatenate([np.zeros(0, np.int32), *(getattr(part, name) for part in parts)])

    recoded = [np.array([code[n] for n in p.reasons], dtype=np.uint8)[p.reason] for p in parts]
    first, last = column("first").astype(np.int64), column("last").astype(np.int64)
    whole = np.concatenate(
        [np.zeros(0, bool), *(np.array([n == UNREADABLE for n in p.reasons], bool)[p.reason] for p in parts)]
    )
    size = np.repeat([len(joints) for joints in names], [len(part) for part in parts])
    every = np.repeat([stride_of(run) for run in runs], [len(part) for part in parts])
    return QueueColumns(
        clip=np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts]),
        person=column("person").astype(np.int32),
        joint=column("joint").astype(np.int16),
        first=first,
        last=last,
        severity=column("severity").astype(np.float32),
        reason=np.concatenate([np.zeros(0, np.uint8), *recoded]),
        reasons=reasons,
        frames=(last - first) // every.astype(np.int64) + 1 if len(first) else np.zeros(0, np.int64),
        done=np.zeros(len(first), dtype=np.int64),
        joints=np.where(whole, size, 1),
    )


def with_done(loaded: Loaded, decided: Mapping[str, Decided]) -> QueueColumns:
    """Return the columns with `done` counted again for all clips."""
    c = loaded.columns
    done = c.done.copy()
    for i, run in enumerate(loaded.runs):
        rows = loaded.rows(i)
        keys = decided[run.clip].keys() if run.clip in decided else ()
        of_clip = np.array([(p, j, f) for f, p, j in keys], dtype=np.int64).reshape(-1, 3)
        done[rows] = frames_done(c.person[rows], c.joint[rows], c.first[rows], c.last[rows], of_clip)
    return replace(c, done=done)


def with_changes(loaded: Loaded, changed: Mapping[str, tuple[set[JointKey], set[JointKey]]]) -> QueueColumns:
    """Return the columns with `done` moved by what edits changed, at the cost of these edits and not of the journal.

    changed : clip -> joints (frame, person, joint) that are decided now and were not, and the other way round.
    """
    c = loaded.columns
    done = c.done.copy()
    for i, run in enumerate(loaded.runs):
        rows = loaded.rows(i)
        for step, keys in zip((1, -1), changed.get(run.clip, ()), strict=False):
            moved = np.array([(p, j, f) for f, p, j in keys], dtype=np.int64).reshape(-1, 3)
            done[rows] += step * frames_done(c.person[rows], c.joint[rows], c.first[rows], c.last[rows], moved)
    return replace(c, done=done)


def joint_mask(loaded: Loaded, names: Sequence[str]) -> np.ndarray:
    """Return (A,) bool: whether each run is of one of the named joints."""
    c = loaded.columns
    mask = np.zeros(len(c), dtype=bool)
    for skeleton in dict.fromkeys(loaded.names):
        wanted = [i for i, name in enumerate(skeleton) if name in names]
        of_skeleton = np.array([n == skeleton for n in loaded.names])[c.clip]
        mask |= of_skeleton & np.isin(c.joint, wanted)
    return mask


def counted(values: np.ndarray, names: Sequence[str]) -> dict[str, int]:
    """Return name -> how often its index occurs, names that do not occur left out."""
    found = np.bincount(values.astype(np.int64), minlength=len(names))
    return {name: int(count) for name, count in zip(names, found, strict=False) if count}


def person_counts(loaded: Loaded, chosen: np.ndarray) -> dict[tuple[str, int], int]:
    """Return (clip, person) -> number of the chosen runs."""
    c = loaded.columns
    keys = c.clip[chosen].astype(np.int64) * 2**32 + (c.person[chosen].astype(np.int64) + 1)
    found, counts = np.unique(keys, return_counts=True)
    return {
        (loaded.runs[int(key >> 32)].clip, int(key & (2**32 - 1)) - 1): int(count)
        for key, count in zip(found, counts, strict=True)
    }


def summed_spans(first: np.ndarray, last: np.ndarray, weight: np.ndarray, bins: int) -> np.ndarray:
    """Return (bins,) the summed weight of the spans first..last (inclusive bin numbers) that cover each bin."""
    steps = np.bincount(first, weights=weight, minlength=bins + 1)[: bins + 1]
    steps -= np.bincount(last + 1, weights=weight, minlength=bins + 1)[: bins + 1]
    # Sums and differences of the same numbers leave rounding behind: nothing is below nothing.
    return np.maximum(np.cumsum(steps)[:bins].round(6), 0.0)
