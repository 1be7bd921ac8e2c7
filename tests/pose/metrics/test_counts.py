from __future__ import annotations

import pytest

from emc.pose.metrics import MIN_JOINTS, too_few, wrong_joints


@pytest.mark.parametrize(
    ("figure", "few"),
    [
        ({"value": 1.0, "ci95": None, "n": 1}, True),
        ({"value": 0.5, "ci95": [0.1, 0.9], "n": MIN_JOINTS - 1}, True),
        ({"value": 0.5, "ci95": None, "n": MIN_JOINTS}, False),
        # Nothing labelled has words of its own; figures without a count cannot be judged.
        ({"value": None, "ci95": None, "n": 0}, False),
        ({"value": 0.5}, False),
        (None, False),
    ],
)
def test_a_share_of_fewer_joints_is_one_of_too_few(figure: dict[str, object] | None, few: bool) -> None:
    assert too_few(figure) is few


def test_wrong_joints_by_hand() -> None:
    assert wrong_joints({"value": 0.75, "n": 40}) == 10
    assert wrong_joints({"value": None, "n": 0}) is None
    assert wrong_joints(None) is None
