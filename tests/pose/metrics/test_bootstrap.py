import numpy as np
import pytest

from emc.pose.metrics.bootstrap import (
    as_figure,
    independent_units,
    percentile_interval,
    pooled_share,
    resample_weights,
    safe_ratio,
    sum_by_unit,
)
from emc.pose.records import Interval


def test_five_clips_are_units() -> None:
    unit, name = independent_units(["b", "a", "c", "d", "e", "a"], [0, 0, 0, 0, 0, 1])
    assert name == "clip"
    assert unit.tolist() == [1, 0, 2, 3, 4, 0]


def test_fewer_clips_fall_back_to_frames_and_say_so() -> None:
    # Two clips; frame 0 of clip a holds two persons, who stay together.
    unit, name = independent_units(["a", "a", "a", "b"], [0, 0, 7, 0])
    assert name == "frame"
    assert unit.tolist() == [0, 0, 1, 2]


def test_weights_draw_as_many_units_as_there_are_and_repeat_with_the_seed() -> None:
    weights = resample_weights(7, 50, seed=3)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert (weights == resample_weights(7, 50, seed=3)).all()
    assert (weights != resample_weights(7, 50, seed=4)).any()


def test_sum_by_unit_leaves_nan_out() -> None:
    values = np.array([[1.0, np.nan], [2.0, 3.0], [4.0, 5.0]])
    assert sum_by_unit(values, np.array([0, 1, 0])).tolist() == [[5.0, 5.0], [2.0, 3.0]]


def test_percentiles_by_hand() -> None:
    # 0..1000 in equal steps: the 2.5 % and 97.5 % points are 25 and 975.
    figure = percentile_interval(500.0, np.arange(1001.0), n=12, units=5)
    assert figure == Interval(500.0, (25.0, 975.0), 12)


@pytest.mark.parametrize(
    ("value", "resampled", "units"),
    [
        (0.5, np.ones(100), 4),  # too few units
        (float("nan"), np.ones(100), 9),  # nothing to say an interval of
        (0.5, np.full(100, np.nan), 9),  # undefined in the resamples
        (0.5, np.zeros(0), 9),  # no resamples asked for
    ],
)
def test_no_interval_where_it_would_say_nothing(value: float, resampled: np.ndarray, units: int) -> None:
    assert percentile_interval(value, resampled, 3, units).ci95 is None


def test_undefined_value_becomes_null() -> None:
    assert as_figure(Interval(float("nan"), None, 0)) == {"value": None, "ci95": None, "n": 0}


def test_pooled_share_covers_the_truth_as_often_as_it_says() -> None:
    # 60 units of 10 joints, each right with probability 0.8: about 95 of 100 intervals hold 0.8.
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        right = rng.binomial(10, 0.8, size=60).astype(float)
        low, high = pooled_share(right, np.full(60, 10.0), resample_weights(60, 400, seed)).ci95 or (2.0, -1.0)
        held += low <= 0.8 <= high
    assert 180 <= held <= 199


def test_four_clips_are_not_enough_and_numbers_are_names() -> None:
    unit, name = independent_units([3, 1, 2, 4], [0, 0, 0, 0])  # type: ignore[list-item]
    assert (name, sorted(unit.tolist())) == ("frame", [0, 1, 2, 3])
    unit, name = independent_units(["10", "9", "8", "7", "6"], [0] * 5)
    assert (name, unit.tolist()) == ("clip", [0, 4, 3, 2, 1])  # names, so "10" comes before "6"
    unit, name = independent_units([10, 9, 8, 7, 6], [0] * 5)  # type: ignore[list-item]
    assert unit.tolist() == [0, 4, 3, 2, 1]


def test_nobody_has_no_unit() -> None:
    unit, name = independent_units([], [])
    assert (unit.tolist(), name) == ([], "frame")


@pytest.mark.parametrize(
    ("units", "resamples", "shape"), [(0, 3, (0, 0)), (4, 0, (0, 4)), (1, 2, (2, 1)), (3, 1, (1, 3))]
)
def test_shapes_of_the_smallest_draws(units: int, resamples: int, shape: tuple[int, int]) -> None:
    weights = resample_weights(units, resamples, 0)
    assert weights.shape == shape
    assert weights.dtype == np.float64
    assert (weights.sum(axis=1) == units).all()


def test_sums_of_nobody() -> None:
    assert sum_by_unit(np.zeros((0, 2)), np.zeros(0, int)).shape == (0, 2)


def test_an_undefined_interval_keeps_value_and_number() -> None:
    assert percentile_interval(0.25, np.zeros(10), 7, 4) == Interval(0.25, None, 7)


@pytest.mark.parametrize(("defined", "known"), [(5, False), (6, True)])
def test_more_than_half_of_the_resamples_must_be_defined(defined: int, known: bool) -> None:
    resampled = np.array([0.5] * defined + [np.nan] * (10 - defined))
    assert (percentile_interval(0.5, resampled, 9, 9).ci95 is not None) is known


@pytest.mark.filterwarnings("error")
def test_ratio_by_hand() -> None:
    np.testing.assert_array_equal(safe_ratio(np.array([2.0, 3.0, 4.0]), np.array([1.0, 0.0, 8.0])), [2.0, np.nan, 0.5])


def test_pooled_share_by_hand() -> None:
    figure = pooled_share(np.full(5, 1.0), np.full(5, 2.0), resample_weights(5, 20, 0))
    assert figure == Interval(0.5, (0.5, 0.5), 10)
    assert pooled_share(np.full(4, 1.0), np.full(4, 2.0), resample_weights(4, 20, 0)) == Interval(0.5, None, 8)
