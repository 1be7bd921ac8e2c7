from __future__ import annotations

import numpy as np
import pytest

from emc.estimators.rotation.consensus import find_consensus, found_confidence

SIDE = np.array([100.0])


def first_of(passes: int) -> np.ndarray:
    """The first reading is the upright one."""
    return np.arange(passes)[:, None] == 0


def passes(*places: tuple[float, float]) -> np.ndarray:
    return np.array(places, dtype=np.float64)[:, None, None, :]


def scores(*values: float) -> np.ndarray:
    return np.array(values)[:, None, None]


def test_two_readings_that_agree_outvote_a_surer_one_far_off() -> None:
    found = find_consensus(passes((90, 90), (10, 10), (11, 10)), scores(0.5, 0.5, 0.5), SIDE, first_of(3))
    # The upright reading counts twice: 2 against 1 + 1 x exp(-0.02), so it wins by a hair; a fourth reading decides.
    assert found.chosen.tolist() == [[0]]
    more = find_consensus(passes((90, 90), (10, 10), (11, 10), (10, 11)), scores(0.5, 0.5, 0.5, 0.5), SIDE, first_of(4))
    assert more.chosen.tolist() == [[1]]
    assert more.xy[0, 0] == pytest.approx([10.33, 10.33], abs=0.02)
    assert more.support[0, 0] == pytest.approx((1 + 2 * np.exp(-0.02)) / 5, abs=0.01)


def test_a_reading_that_is_sure_of_the_whole_person_decides() -> None:
    places = np.array([[[[50, 50], [60, 60]]], [[[10, 10], [20, 20]]]], dtype=np.float64)
    sure = np.array([[[0.2, 0.3]], [[0.7, 0.6]]])
    found = find_consensus(places, sure, SIDE, first_of(2))
    # mean scores 0.25 and 0.65: the first reading's weight is 2 exp(-8) of the second's.
    assert found.xy[0] == pytest.approx(np.array([[10, 10], [20, 20]]), abs=1e-3)
    assert found.support[0] == pytest.approx([1, 1], abs=1e-3)


def test_one_reading_stays_as_it_is() -> None:
    found = find_consensus(passes((3.5, 4.25)), scores(0.1), SIDE, first_of(1))
    assert found.xy[0, 0] == pytest.approx([3.5, 4.25])
    assert found.support.tolist() == [[1.0]]


def test_a_joint_that_a_reading_missed_is_left_to_the_others() -> None:
    nan = float("nan")
    found = find_consensus(passes((nan, nan), (7, 8)), scores(0.9, 0.2), SIDE, first_of(2))
    assert found.xy[0, 0] == pytest.approx([7, 8])
    nothing = find_consensus(passes((nan, nan), (nan, nan)), scores(0.9, 0.2), SIDE, first_of(2))
    assert np.isnan(nothing.xy).all()
    assert nothing.support.tolist() == [[0.0]]


def test_each_upright_reading_counts_twice() -> None:
    places, sure = passes((10, 10), (90, 90), (90, 91)), scores(0.5, 0.5, 0.5)
    assert find_consensus(places, sure, SIDE, np.array([[True], [False], [False]])).chosen.tolist() == [[0]]
    assert find_consensus(places, sure, SIDE, np.array([[False], [True], [False]])).chosen.tolist() == [[1]]
    assert find_consensus(places, sure, SIDE, np.array([[True], [True], [False]])).chosen.tolist() == [[1]]


def test_what_was_not_found_is_not_sure() -> None:
    xy = np.array([[[[1.0, 2.0], [np.nan, 3.0], [4.0, 5.0]]]])
    assert found_confidence(xy, np.array([[[0.5, 0.9, -0.2]]])).tolist() == [[[0.5, 0.0, 0.0]]]
