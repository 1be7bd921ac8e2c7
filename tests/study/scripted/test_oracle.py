"""The oracle knows the truth, but sees and aims as people do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.study.scripted.klm import read_rules
from emc.study.scripted.oracle import Oracle, Truth

FRAMES, JOINTS = 200, 17
SURE = replace(read_rules().person, miss=0.0, miss_in_frame=0.0, false_alarm=0.0)


def truth_of(visibility: int = 2) -> Truth:
    xy = np.full((FRAMES, JOINTS, 2), 50.0)
    xy[0, 1] = np.nan
    seen = np.full((FRAMES, JOINTS), visibility)
    return Truth(xy, seen, np.full(FRAMES, 100.0), np.full(FRAMES, 30.0), np.full(JOINTS, 0.08))


def test_off_is_told_in_deviations_of_annotators() -> None:
    truth = truth_of()
    xy = truth.xy.copy()
    xy[0, 0] += (16.0, 0.0)
    xy[0, 2] = np.nan
    off = truth.off(xy)
    assert off[0, 0] == pytest.approx(2.0)
    assert np.isnan(off[0, 1])
    assert off[0, 2] == np.inf


def test_a_joint_beyond_the_limit_looks_wrong_and_one_within_does_not() -> None:
    oracle = Oracle(truth_of(), SURE)
    assert oracle.looks_wrong(3, 3, (66.5, 50.0))
    assert not oracle.looks_wrong(3, 3, (65.5, 50.0))
    assert oracle.looks_wrong(3, 3, None)
    assert not oracle.looks_wrong(0, 1, None)  # nobody knows where it is


def test_some_errors_are_missed_the_same_ones_on_every_look() -> None:
    person = replace(SURE, miss=0.2, miss_in_frame=0.4)
    one, other = Oracle(truth_of(), person, seed=5), Oracle(truth_of(), person, seed=5)
    places = [(f, j) for f in range(1, FRAMES) for j in range(JOINTS)]
    seen = [one.looks_wrong(f, j, (0.0, 0.0)) for f, j in places]
    assert [other.looks_wrong(f, j, (0.0, 0.0)) for f, j in reversed(places)] == seen[::-1]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.03)
    assert np.mean([one.looks_wrong(f, j, (0.0, 0.0), alone=False) for f, j in places]) == pytest.approx(0.6, abs=0.03)


def test_some_right_joints_are_taken_for_wrong() -> None:
    oracle = Oracle(truth_of(), replace(SURE, false_alarm=0.05), seed=1)
    alarms = [oracle.looks_wrong(f, j, (50.0, 50.0)) for f in range(1, FRAMES) for j in range(JOINTS)]
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.015)


def test_places_scatter_as_the_deviation_says() -> None:
    oracle = Oracle(truth_of(), SURE)
    # 0.5 x 0.08 x 100 px over both axes, and one pixel of the screen at a zoom of 2
    expected = np.hypot(4.0 / np.sqrt(2.0), 0.5)
    assert oracle.deviation(2, 2, zoom=2.0) == pytest.approx(expected)
    found = np.array([oracle.place(2, 2, zoom=2.0) for _ in range(4000)])
    assert found.std(axis=0) == pytest.approx([expected, expected], rel=0.05)
    assert found.mean(axis=0) == pytest.approx([50.0, 50.0], abs=0.2)


def test_a_target_is_as_wide_as_its_hits_scatter() -> None:
    oracle = Oracle(truth_of(), SURE)
    assert oracle.width(2, 2, 2.0) == pytest.approx(4.133 * oracle.deviation(2, 2, 2.0) * 2.0)


def test_a_hidden_joint_is_placed_less_exactly() -> None:
    seen, hidden = Oracle(truth_of(2), SURE), Oracle(truth_of(1), SURE)
    assert hidden.deviation(2, 2, 100.0) == pytest.approx(2 * seen.deviation(2, 2, 100.0), rel=0.01)


def test_truth_of_unequal_shapes_is_refused() -> None:
    with pytest.raises(ShapeMismatch, match="truth has shapes"):
        Truth(np.zeros((3, 17, 2)), np.zeros((3, 17)), np.ones(2), np.ones(3), np.ones(17))
