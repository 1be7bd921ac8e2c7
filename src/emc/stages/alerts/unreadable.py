"""Frames on which a person cannot be read: one alert for the whole person instead of one for each joint."""

from __future__ import annotations

import numpy as np

from emc.pose.records import Alert, AlertReason
from emc.stages.alerts.track import Track

UNREADABLE, BESIDE, FEWEST = 0.45, 0.25, 4
"""A person is not read on a frame where at least this share of the joints is flagged, at most `REACH` predicted frames
before and after such a one where `BESIDE` of them are; and never where fewer than `FEWEST` are. On photos of LSPe's
training splits half of the joints are wrong from 0.4 on, 0.37 of them from 0.25 to 0.4; a little more is asked for,
since of people who stand half hidden the same joints are doubted for long, which is told joint by joint."""
REACH = 8


def unreadable_runs(track: Track, flagged: np.ndarray, gap: int, stride: int) -> list[np.ndarray]:
    """Return the runs of rows on which the person cannot be read, each (R,) consecutive row numbers.

    flagged : (T, J) bool, joints that are lost, of low confidence or away from their path. Frames with at most `gap`
    predicted frames between them are one run, those between them included.
    """
    count, joints = flagged.sum(axis=1), flagged.shape[1]
    unread, beside = (count >= max(share * joints, FEWEST) for share in (UNREADABLE, BESIDE))
    for _ in range(REACH):
        unread = unread | (beside & (np.append(unread[1:], False) | np.append(False, unread[:-1])))
    rows = np.flatnonzero(unread)
    if not len(rows):
        return []
    parts = np.split(rows, np.flatnonzero(np.diff(track.frames[rows]) > (gap + 1) * stride) + 1)
    return [np.arange(part[0], part[-1] + 1) for part in parts]


def unreadable_alert(clip: str, person: int, track: Track, severity: np.ndarray, rows: np.ndarray) -> Alert:
    """Return the alert of a run: its joint is the one that is least sure over the run, for a place to begin.

    severity : (T, J) P(wrong). That of the alert is the mean over the joints on the worst frame.
    """
    here = severity[rows]
    joint = int(here.mean(axis=0).argmax())
    first, last = int(track.frames[rows[0]]), int(track.frames[rows[-1]])
    return Alert(clip, person, joint, first, last, AlertReason.UNREADABLE, float(here.mean(axis=1).max()))
