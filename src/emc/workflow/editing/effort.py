"""What the work on a project took and brought so far, from its journal: whoever did it, in whichever browser."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.pose.journal import undone_edits
from emc.pose.records import Edit, Provenance
from emc.store import SqlStore
from emc.workflow.editing.history import UNDONE_KINDS

RECENT_SECONDS = 600.0
_STEPS = ("undo", "redo")


@dataclass(frozen=True, slots=True)
class EffortSummary:
    """Work in the editor; imports and simulated corrections are left out.

    seconds : of work, pauses left out. actions : undo and redo among them. decided, repaired : joints (on frames) that
    people placed or confirmed, and that machines carried along, what was taken back left out. per_minute : decided and
    repaired joints per minute of the last ten minutes of work, None before there is any. curve : the same in equal
    stretches of all the work, oldest first.
    """

    seconds: float
    actions: int
    decided: int
    repaired: int
    per_minute: float | None
    curve: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    id: int
    undoes: int
    author: str
    seconds: float
    decided: int
    repaired: int


class EffortLog:
    """Reads a project's journal as it grows; safe to use from several threads."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._entries: list[_Entry] = []
        self._last = 0
        self._lock = threading.Lock()

    def summary(self, author: str | None = None, bins: int = 20) -> EffortSummary:
        """Return what `author` (None: all) did, with a curve of `bins` stretches."""
        with self._lock:
            new = self._store.edits(None, after=self._last)
            if new:
                self._last = new[-1].id
                self._entries += [_entry(edit) for edit in new if edit.kind in UNDONE_KINDS or edit.kind in _STEPS]
            entries = [entry for entry in self._entries if author in (None, entry.author)]
        return _summed(entries, bins)


def _entry(edit: Edit) -> _Entry:
    decided = sum(change.provenance >= Provenance.HUMAN for change in edit.changes)
    gained = (0, 0) if edit.undoes else (decided, len(edit.changes) - decided)
    return _Entry(edit.id, edit.undoes, edit.author, edit.seconds, *gained)


def _summed(entries: Sequence[_Entry], bins: int) -> EffortSummary:
    gone = undone_edits([(entry.id, entry.undoes) for entry in entries if entry.undoes])
    seconds = np.array([entry.seconds for entry in entries], dtype=np.float64)
    stands = np.array([entry.id not in gone for entry in entries], dtype=bool)
    decided = np.array([entry.decided for entry in entries], dtype=np.int64) * stands
    repaired = np.array([entry.repaired for entry in entries], dtype=np.int64) * stands
    joints = decided + repaired
    return EffortSummary(
        seconds=float(seconds.sum()),
        actions=len(entries),
        decided=int(decided.sum()),
        repaired=int(repaired.sum()),
        per_minute=_recent(seconds, joints),
        curve=_curve(seconds, joints, bins),
    )


def _recent(seconds: np.ndarray, joints: np.ndarray) -> float | None:
    back = np.cumsum(seconds[::-1])
    count = int(np.searchsorted(back, RECENT_SECONDS)) + 1
    worked = float(seconds[-count:].sum()) if len(seconds) else 0.0
    return 60.0 * float(joints[-count:].sum()) / worked if worked >= 1.0 else None


def _curve(seconds: np.ndarray, joints: np.ndarray, bins: int) -> tuple[float, ...]:
    total = float(seconds.sum())
    if total <= 0:
        return ()
    # What an action brought is spread over the time that it took, not put at its end.
    worked = np.concatenate([[0.0], np.cumsum(seconds)])
    gained = np.concatenate([[0.0], np.cumsum(joints, dtype=np.float64)])
    at = np.interp(np.linspace(0.0, total, bins + 1), worked, gained)
    return tuple((60.0 * np.diff(at) * bins / total).tolist())
