import numpy as np
import pytest

from emc.pose.metrics.bootstrap import (
    as_figure,
    independent_units,
    percentile_interval,
    pooled_share,
    resample_weights,
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
