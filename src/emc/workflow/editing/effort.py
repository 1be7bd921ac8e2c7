"""What the work on a project took and brought so far, from its journal: whoever did it, in whichever browser."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from emc.pose.records import Edit, Provenance
from emc.store import SqlStore
from emc.workflow.editing.decided import Standing
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


class _Work:
    """The actions of a journal as columns that grow: (N,) author's number, seconds, joints decided and repaired."""

    def __init__(self) -> None:
        self.count = 0
        self._held = np.zeros((4, 256))
        self._full = np.zeros((2, 256))
        self._row_of: dict[int, int] = {}
        self._standing = Standing()
        self._authors: dict[str, int] = {}

    def add(self, edit: Edit) -> None:
        """Take in the next edit; what it takes back brings nothing any more, or something again."""
        turned = self._standing.add(edit.id, edit.undoes)
        if edit.kind in UNDONE_KINDS or edit.kind in _STEPS:
            self._append(edit)
        for row in (self._row_of[other] for other in turned if other in self._row_of):
            self._held[2:, row] = self._full[:, row] - self._held[2:, row]

    def of(self, author: str | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (N,) seconds, joints decided and joints repaired of what `author` (None: all) did."""
        who, *columns = self._held[:, : self.count]
        if author is None:
            return columns[0], columns[1], columns[2]
        own = who == self._authors.get(author, -1)
        return columns[0][own], columns[1][own], columns[2][own]

    def _append(self, edit: Edit) -> None:
        if self.count == self._held.shape[1]:
            # Twice as long each time: the next edit costs the same however many there were.
            self._held = np.concatenate([self._held, np.zeros_like(self._held)], axis=1)
            self._full = np.concatenate([self._full, np.zeros_like(self._full)], axis=1)
        decided = 0 if edit.undoes else sum(change.provenance >= Provenance.HUMAN for change in edit.changes)
        repaired = 0 if edit.undoes else len(edit.changes) - decided
        author = self._authors.setdefault(edit.author, len(self._authors))
        self._held[:, self.count] = author, edit.seconds, decided, repaired
        self._full[:, self.count] = decided, repaired
        self._row_of[edit.id] = self.count
        self.count += 1


class EffortLog:
    """Reads a project's journal as it grows; safe to use from several threads."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._work = _Work()
        self._last = 0
        self._lock = threading.Lock()

    def summary(self, author: str | None = None, bins: int = 20) -> EffortSummary:
        """Return what `author` (None: all) did, with a curve of `bins` stretches."""
        with self._lock:
            for edit in self._store.edits(None, after=self._last):
                self._work.add(edit)
                self._last = edit.id
            seconds, decided, repaired = (column.copy() for column in self._work.of(author))
        joints = decided + repaired
        return EffortSummary(
            seconds=float(seconds.sum()),
            actions=len(seconds),
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
