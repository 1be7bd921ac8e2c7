"""Alerts and (m, n)."""

from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.records import Alert, AlertReason, FrameAlerts
from emc.store.sql import SqlStore

LOST, JUMP = AlertReason.LOST, AlertReason.JUMP


@pytest.fixture
def run(store: SqlStore) -> str:
    return store.start_run("kick", "nano", "tiny", {}).id


FRAMES = [FrameAlerts(4, 1, 0), FrameAlerts(0, 0, 5), FrameAlerts(1, 2, 0), FrameAlerts(2, 1, 3), FrameAlerts(3, 1, 0)]


def test_worst_first_is_by_lost_then_low_then_frame(store: SqlStore, run: str) -> None:
    store.write_alerts(run, [], FRAMES)
    assert [row.frame for row in store.frame_alerts(run)] == [1, 2, 3, 4, 0]
    assert store.frame_alerts(run)[0] == FrameAlerts(1, 2, 0)
    assert [row.frame for row in store.frame_alerts(run, worst_first=False)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("limit", "offset", "worst", "by_frame"),
    [
        (2, 0, [1, 2], [0, 1]),
        (2, 3, [4, 0], [3, 4]),
        (2, 4, [0], [4]),
        (None, 3, [4, 0], [3, 4]),
        (2, 9, [], []),
        (0, 0, [], []),
    ],
)
def test_pages(
    store: SqlStore, run: str, limit: int | None, offset: int, worst: list[int], by_frame: list[int]
) -> None:
    store.write_alerts(run, [], FRAMES)
    assert [row.frame for row in store.frame_alerts(run, limit, offset)] == worst
    assert [row.frame for row in store.frame_alerts(run, limit, offset, worst_first=False)] == by_frame


def test_frames_between(store: SqlStore, run: str) -> None:
    store.write_alerts(run, [], FRAMES)
    assert store.frame_alerts_between(run, 1, 2) == [FrameAlerts(1, 2, 0), FrameAlerts(2, 1, 3)]


def test_alerts_come_most_severe_first_as_they_were(store: SqlStore, run: str) -> None:
    mild, grave = Alert("kick", 0, 3, 10, 19, JUMP, 0.25), Alert("kick", 1, 2, 4, 4, LOST, 0.75)
    equal = Alert("kick", 0, 3, 2, 3, LOST, 0.25)
    store.write_alerts(run, [mild, grave, equal], [])
    assert store.alerts(run) == [grave, equal, mild]
    assert store.alerts(run, limit=1, offset=1) == [equal]
    assert type(store.alerts(run)[0].reason) is AlertReason
    assert store.alert_counts(run) == (3, 0)


def test_writing_replaces_those_of_the_run_only(store: SqlStore, run: str) -> None:
    other = store.start_run("kick", "big", "tiny", {}).id
    store.write_alerts(other, [Alert("kick", 0, 0, 0, 1, LOST, 0.5)], FRAMES)
    store.write_alerts(run, [Alert("kick", 0, 0, 0, 1, LOST, 0.5)], FRAMES)
    store.write_alerts(run, [], [FrameAlerts(7, 1, 1)])
    assert store.alert_counts(run) == (0, 1)
    assert store.frame_alerts(run) == [FrameAlerts(7, 1, 1)]
    assert store.alert_counts(other) == (1, 5)


def test_a_write_that_fails_leaves_what_was(store: SqlStore, run: str) -> None:
    store.write_alerts(run, [], FRAMES)
    with pytest.raises(UsageError, match=r"two \(m, n\) for frame 4"):
        store.write_alerts(run, [], [*FRAMES, FrameAlerts(4, 0, 0)])
    with pytest.raises(UsageError, match="alerts of clip walk do not belong"):
        store.write_alerts(run, [Alert("walk", 0, 0, 0, 1, LOST, 0.5)], [])
    assert store.alert_counts(run) == (0, 5)


def test_numpy_numbers_are_stored_as_numbers(store: SqlStore, run: str) -> None:
    alert = Alert("kick", np.int64(0), np.int64(1), np.int64(2), np.int64(3), LOST, np.float32(0.5))  # pyright: ignore
    store.write_alerts(run, [alert], [FrameAlerts(np.int64(1), np.int64(2), np.int64(3))])  # pyright: ignore
    assert store.alerts(run) == [Alert("kick", 0, 1, 2, 3, LOST, 0.5)]
    assert store.frame_alerts(run) == [FrameAlerts(1, 2, 3)]
