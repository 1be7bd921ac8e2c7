from __future__ import annotations

import numpy as np
import pytest

from emc.pose.records import Alert, AlertReason, FrameAlerts, Provenance
from emc.workflow.flags import Flags, joints_done, next_open_frame, open_on_frame

HUMAN = Provenance.HUMAN


@pytest.fixture
def flags() -> Flags:
    """Joint 5 on frames 2 to 4, joint 7 on frame 4; frame 4 is worst, then 3, 2, 1."""
    alerts = (
        Alert("kick", 0, 5, 2, 4, AlertReason.LOST, 0.9),
        Alert("kick", 0, 7, 4, 4, AlertReason.JUMP, 0.6),
    )
    counts = {frame: FrameAlerts(frame, lost, 0) for frame, lost in ((4, 2), (3, 1), (2, 1), (1, 0))}
    return Flags("run", alerts, np.array([2, 4]), np.array([4, 4]), np.array([4, 3, 2, 1]), counts)


def test_alerts_of_a_frame_without_what_is_decided(flags: Flags) -> None:
    assert [alert.joint for alert in open_on_frame(flags, 4, {})] == [5, 7]
    assert [alert.joint for alert in open_on_frame(flags, 4, {(4, 0, 5): HUMAN, (3, 0, 7): HUMAN})] == [7]
    assert open_on_frame(flags, 1, {}) == []


def test_how_far_an_alert_is_done(flags: Flags) -> None:
    decided = {(2, 0, 5): HUMAN, (4, 0, 5): HUMAN, (9, 0, 5): HUMAN, (4, 1, 7): HUMAN}
    assert joints_done(flags, [0, 1], decided) == [(2, 3), (0, 1)]


@pytest.mark.parametrize(
    ("frame", "step", "worst_first", "expected"),
    [
        (4, 1, True, 3),
        (2, 1, True, 4),
        (4, -1, True, 2),
        (1, 1, False, 2),
        (4, 1, False, 2),
        (2, -1, False, 4),
        (9, 1, False, 2),
        (9, -1, False, 4),
        (0, 1, False, 2),
        (9, 1, True, 4),
    ],
)
def test_the_next_open_frame(flags: Flags, frame: int, step: int, worst_first: bool, expected: int) -> None:
    assert next_open_frame(flags, frame, step, worst_first, {}) == expected


def test_decided_frames_are_passed_over_until_none_is_left(flags: Flags) -> None:
    decided = {(frame, 0, 5): HUMAN for frame in (2, 3, 4)}
    assert next_open_frame(flags, 2, 1, False, decided) == 4
    assert next_open_frame(flags, 2, 1, False, {**decided, (4, 0, 7): HUMAN}) is None
