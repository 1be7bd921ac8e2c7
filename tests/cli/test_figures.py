from __future__ import annotations

from emc.cli.figures import percent, removed

SHARE = {"value": 0.25, "ci95": [0.1, 0.4], "n": 40}


def test_a_share_of_too_few_is_told_as_a_count() -> None:
    assert percent(SHARE) == "25.0 [10.0, 40.0]"
    assert percent(SHARE | {"n": 1}) == "too few joints (1)"
    assert percent(SHARE | {"n": 3}, "frames") == "too few frames (3)"
    assert percent({"value": None, "ci95": None, "n": 0}) == "-"


def test_removed_errors_need_errors() -> None:
    # 40 joints, 90 % right before: 4 wrong ones, of which no share is told.
    assert removed(SHARE, {"value": 0.9, "n": 40}) == "too few errors (4 of 40 joints wrong before)"
    assert removed(SHARE, {"value": 0.5, "n": 40}) == "25.0 [10.0, 40.0] %"
    assert removed({"value": -0.5, "ci95": None, "n": 40}, {"value": 0.5, "n": 40}) == "-50.0 %"
    assert removed({"value": None, "ci95": None, "n": 40}, None) == "-"
