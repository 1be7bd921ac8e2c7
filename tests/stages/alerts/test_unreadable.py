"""A person who cannot be read is one entry of the queue, the joints before and after are theirs."""

from __future__ import annotations

import numpy as np
import pytest

from emc.config import AlertSettings
from emc.pose.records import AlertReason, Prediction
from emc.pose.skeletons import COCO17
from emc.stages.alerts import find_alerts

ELBOW = 7


def told(confidence: np.ndarray, gap: int = 2) -> list[tuple[int, int, int, AlertReason, float]]:
    """Return the alerts of a person whose joints hop by 10 of 200 pixels, so that no doubt is on its path."""
    found: list[Prediction] = []
    for frame, c in enumerate(confidence.astype(np.float32)):
        xy = np.stack([np.arange(17) * 10.0, np.full(17, 10.0 * (frame % 2))], axis=1).astype(np.float32)
        found.append(Prediction(frame, 0, xy, c, c, np.array([0, 0, 100, 200], np.float32)))
    alerts, _ = find_alerts("flip", found, AlertSettings(gap=gap), COCO17)
    return [(a.joint, a.first, a.last, a.reason, a.severity) for a in alerts]


def sure(frames: int) -> np.ndarray:
    return np.full((frames, 17), 0.9)


def test_eight_doubted_joints_are_one_alert_of_the_whole_person() -> None:
    confidence = sure(6)
    confidence[2:4, ELBOW : ELBOW + 8] = 0.4
    confidence[3, ELBOW] = 0.2
    ((joint, first, last, reason, severity),) = told(confidence)
    assert (joint, first, last, reason) == (ELBOW, 2, 3, AlertReason.UNREADABLE)
    # The worst frame: nine joints at P(wrong) 0.1, seven at 0.6, one at 0.8.
    assert severity == pytest.approx((9 * 0.1 + 7 * 0.6 + 0.8) / 17)


def test_seven_doubted_joints_are_an_alert_each() -> None:
    confidence = sure(6)
    confidence[2:4, :7] = 0.4
    assert [(joint, first, last) for joint, first, last, *_ in told(confidence)] == [(j, 2, 3) for j in range(7)]


def test_frames_beside_with_a_quarter_of_the_joints_belong_to_it_as_far_as_it_reaches() -> None:
    confidence = sure(30)
    confidence[15, :8] = 0.3
    confidence[1:15, :5] = 0.4
    whole, *single = sorted(told(confidence), key=lambda run: run[3] is not AlertReason.UNREADABLE)
    assert whole[1:4] == (7, 15, AlertReason.UNREADABLE)
    assert [(joint, first, last) for joint, first, last, *_ in single] == [(j, 1, 6) for j in range(5)]


def test_two_of_them_near_each_other_are_one() -> None:
    confidence = sure(12)
    confidence[[3, 6], :9] = 0.3
    assert [run[1:3] for run in told(confidence)] == [(3, 6)]
    assert [run[1:3] for run in told(confidence, gap=1)] == [(3, 3), (6, 6)]


def test_a_run_of_one_joint_goes_on_before_and_after_it() -> None:
    confidence = sure(20)
    confidence[2:18, ELBOW] = 0.3
    confidence[8:12, :9] = 0.3
    assert sorted((first, last, reason) for _, first, last, reason, _ in told(confidence)) == [
        (2, 7, AlertReason.LOW_CONFIDENCE), (8, 11, AlertReason.UNREADABLE), (12, 17, AlertReason.LOW_CONFIDENCE),
    ]  # fmt: skip
