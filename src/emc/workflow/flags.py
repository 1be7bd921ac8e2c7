"""What of a clip's alerts is still open: the alerts of its run, minus the joints that a person has decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.interfaces import RunRecord, Store
from emc.pose.journal import JointKey
from emc.pose.records import Alert, FrameAlerts, Provenance


@dataclass(frozen=True, slots=True)
class Flags:
    """The alerts of one run, ready to be asked by frame.

    alerts : worst first. first, last : (A,) int64, their frames. frames : (F,) int64, the predicted frames worst
    first. counts : frame -> (m, n) as predicted. every : frames from one predicted frame to the next.
    """

    run: str
    alerts: tuple[Alert, ...]
    first: np.ndarray
    last: np.ndarray
    frames: np.ndarray
    counts: dict[int, FrameAlerts]
    every: int = 1

    def on_frame(self, frame: int) -> list[Alert]:
        """Return the alerts whose run of frames holds `frame`, worst first."""
        return [self.alerts[i] for i in np.flatnonzero((self.first <= frame) & (frame <= self.last))]

    def ordered(self, worst_first: bool) -> np.ndarray:
        """Return the indices of `alerts` worst first, or by their first frame."""
        if worst_first:
            return np.arange(len(self.alerts))
        return np.argsort(self.first, kind="stable")

    def ordered_frames(self, worst_first: bool) -> np.ndarray:
        """Return the predicted frames worst first, or in order."""
        return self.frames if worst_first else np.sort(self.frames)


def read_flags(store: Store, run: RunRecord) -> Flags:
    """Read the alerts and (m, n) of a run."""
    alerts = store.alerts(run.id)
    rows = store.frame_alerts(run.id)
    return Flags(
        run=run.id,
        alerts=tuple(alerts),
        first=np.array([alert.first for alert in alerts], dtype=np.int64),
        last=np.array([alert.last for alert in alerts], dtype=np.int64),
        frames=np.array([row.frame for row in rows], dtype=np.int64),
        counts={row.frame: row for row in rows},
        every=int(run.settings.get("every", 1)),
    )


def open_on_frame(flags: Flags, frame: int, decided: dict[JointKey, Provenance]) -> list[Alert]:
    """Return the alerts of a frame that nobody has decided there yet, worst first, each joint once."""
    seen: dict[tuple[int, int], Alert] = {}
    for alert in flags.on_frame(frame):
        if (frame, alert.person, alert.joint) not in decided:
            seen.setdefault((alert.person, alert.joint), alert)
    return list(seen.values())


def joints_done(flags: Flags, chosen: Sequence[int], decided: dict[JointKey, Provenance]) -> list[tuple[int, int]]:
    """Return, for each chosen alert, on how many of its frames the joint is decided, and how many frames it has."""
    frames_of: dict[tuple[int, int], list[int]] = defaultdict(list)
    for frame, person, joint in decided:
        frames_of[person, joint].append(frame)
    sorted_frames = {key: np.sort(np.array(frames)) for key, frames in frames_of.items()}
    counts: list[tuple[int, int]] = []
    for index in chosen:
        alert = flags.alerts[index]
        held = sorted_frames.get((alert.person, alert.joint), np.zeros(0, np.int64))
        low, high = np.searchsorted(held, [alert.first, alert.last + 1])
        total = (alert.last - alert.first) // flags.every + 1
        counts.append((min(int(high - low), total), total))
    return counts


def next_open_frame(
    flags: Flags, frame: int, step: int, worst_first: bool, decided: dict[JointKey, Provenance]
) -> int | None:
    """Return the next frame with an open alert after `frame` in the asked order, going round; None where all is done.

    step : 1 forward, -1 backward. A frame that was not predicted counts as before the first.
    """
    frames = flags.ordered_frames(worst_first)
    start = _place(frames, frame, step, worst_first)
    for offset in range(1, len(frames) + 1):
        candidate = int(frames[(start + step * offset) % len(frames)])
        if candidate != frame and open_on_frame(flags, candidate, decided):
            return candidate
    return None


def _place(frames: np.ndarray, frame: int, step: int, worst_first: bool) -> int:
    found = np.flatnonzero(frames == frame)
    if len(found):
        return int(found[0])
    return -1 if worst_first else int(np.searchsorted(frames, frame)) - (step > 0)
