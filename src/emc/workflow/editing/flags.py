"""What of a clip's alerts is still open: the alerts of its run, minus the joints that a person has decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np

from emc.interfaces import RunRecord
from emc.pose.records import Alert, AlertReason, FrameAlerts
from emc.store import AlertColumns, SqlStore
from emc.workflow.editing.decided import Decided

PAGE = 512


class StoredAlerts(Sequence[Alert]):
    """Alerts of one run, worst first, made from columns when they are asked for: a million of them take no time."""

    def __init__(self, clip: str, columns: AlertColumns) -> None:
        self.columns = columns
        self._clip = clip
        self._reasons = [AlertReason(name) for name in columns.reasons]

    def __len__(self) -> int:
        return len(self.columns)

    @overload
    def __getitem__(self, index: int) -> Alert: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Alert]: ...
    def __getitem__(self, index: int | slice) -> Alert | Sequence[Alert]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        c = self.columns
        return Alert(
            self._clip,
            int(c.person[index]),
            int(c.joint[index]),
            int(c.first[index]),
            int(c.last[index]),
            self._reasons[int(c.reason[index])],
            float(c.severity[index]),
        )


@dataclass(frozen=True)
class Flags:
    """The alerts of one run, ready to be asked by frame.

    alerts : worst first. first, last : (A,) int64, their frames. every : frames from one predicted frame to the next.
    """

    alerts: Sequence[Alert]
    first: np.ndarray
    last: np.ndarray
    every: int = 1

    def on_frame(self, frame: int) -> list[Alert]:
        """Return the alerts whose run of frames holds `frame`, worst first."""
        order, starts, longest = self._by_start
        low, high = np.searchsorted(starts, [frame - longest, frame + 1])
        near = order[low:high]
        return [self.alerts[i] for i in np.sort(near[self.last[near] >= frame]).tolist()]

    def ordered(self, worst_first: bool) -> np.ndarray:
        """Return the indices of `alerts` worst first, or by their first frame."""
        if worst_first:
            return np.arange(len(self.alerts))
        return self._by_start[0]

    def covers(self, frames: np.ndarray) -> np.ndarray:
        """Return for each of (F,) frames whether any alert holds it: more have begun by then than ended before."""
        begun = np.searchsorted(self._by_start[1], frames, side="right")
        ended = np.searchsorted(self._ends, frames, side="left")
        return begun > ended

    @cached_property
    def _by_start(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Return the order of the first frames, these in that order, and how many frames the longest run has."""
        order = np.argsort(self.first, kind="stable")
        longest = int((self.last - self.first).max()) if len(self.first) else 0
        return order, self.first[order], longest

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.sort(self.last)


def read_flags(store: SqlStore, run: RunRecord) -> Flags:
    """Read the alerts of a run."""
    columns = store.alert_columns(run.id)
    first, last = columns.first.astype(np.int64), columns.last.astype(np.int64)
    return Flags(StoredAlerts(run.clip, columns), first, last, stride_of(run))


def stride_of(run: RunRecord) -> int:
    """Return the frames from one predicted frame to the next, as far as the run's settings tell."""
    how, _, rest = str(run.settings.get("frames", "")).partition(":")
    number = rest.partition(":")[0]
    return max(1, int(number)) if how == "every" and number.isdecimal() else 1


def looked_every(run: RunRecord) -> int:
    """Return N where a run looked for persons on one frame of N, 0 where its frames were chosen otherwise."""
    word = str(run.settings.get("frames", ""))
    return stride_of(run) if not word or (word.startswith("every:") and word.endswith(":0")) else 0


def open_on_frame(flags: Flags, frame: int, decided: Decided) -> list[Alert]:
    """Return the alerts of a frame that nobody has decided there yet, worst first, each joint once."""
    seen: dict[tuple[int, int], Alert] = {}
    held = decided.on(frame)
    for alert in flags.on_frame(frame):
        if (alert.person, alert.joint) not in held:
            seen.setdefault((alert.person, alert.joint), alert)
    return list(seen.values())


def joints_done(flags: Flags, chosen: Sequence[int], decided: Decided) -> list[tuple[int, int]]:
    """Return, for each chosen alert, on how many of its frames the joint is decided, and how many frames it has."""
    counts: list[tuple[int, int]] = []
    for alert in (flags.alerts[index] for index in chosen):
        done = decided.count(alert.person, alert.joint, alert.first, alert.last)
        total = (alert.last - alert.first) // flags.every + 1
        counts.append((min(done, total), total))
    return counts


def next_open_frame(
    store: SqlStore,
    run: str,
    flags: Flags,
    frame: int,
    step: int,
    worst_first: bool,
    decided: Decided,
) -> int | None:
    """Return the next frame with an open alert after `frame` in the asked order, going round; None where all is done.

    step : 1 forward, -1 backward. A frame that was not predicted counts as before the first one after it (in the order
    of frames), or as before the worst.
    """
    for page in _pages_after(store, run, frame, step, worst_first):
        for candidate in page[flags.covers(page)].tolist():
            if candidate != frame and (not decided.on(candidate) or open_on_frame(flags, candidate, decided)):
                return candidate
    return None


def _pages_after(store: SqlStore, run: str, frame: int, step: int, worst_first: bool) -> Iterator[np.ndarray]:
    """Yield the predicted frames by pages, once around, beginning after (step -1: before) `frame`."""
    total = store.alert_counts(run)[1]
    here = _place(store, run, frame, worst_first, total)
    at_frame = here < total and _read(store, run, worst_first, here, 1)[0] == frame
    if step > 0:
        start = here + int(at_frame)
        spans = [*_cut(start, total), *_cut(0, start)]
    else:
        spans = [*reversed(_cut(0, here)), *reversed(_cut(here, total))]
    for first, end in spans:
        yield _read(store, run, worst_first, first, end - first)[::step]


def _cut(first: int, end: int) -> list[tuple[int, int]]:
    return [(start, min(start + PAGE, end)) for start in range(first, end, PAGE)]


def _read(store: SqlStore, run: str, worst_first: bool, offset: int, limit: int) -> np.ndarray:
    rows = store.frame_alerts(run, limit, offset, worst_first)
    return np.array([row.frame for row in rows], dtype=np.int64)


def _place(store: SqlStore, run: str, frame: int, worst_first: bool, total: int) -> int:
    """Return the place of a frame in the list, or of the first one behind it, by halving: the list may be long."""
    here = store.frame_alerts_between(run, frame, frame)
    if worst_first and not here:
        return 0

    def key(row: FrameAlerts) -> tuple[int, ...]:
        return (-row.lost, -row.low, row.frame) if worst_first else (row.frame,)

    wanted = key(here[0]) if here else (frame,)
    low, high = 0, total
    while low < high:
        middle = (low + high) // 2
        if key(store.frame_alerts(run, 1, middle, worst_first)[0]) < wanted:
            low = middle + 1
        else:
            high = middle
    return low
