import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emc.errors import ShapeMismatch
from emc.pose.metrics.reliability import auroc, average_precision, expected_calibration_error, reliability_bins


def test_ece_by_hand() -> None:
    confidence = np.array([0.1, 0.3, 0.9, 1.0])
    right = np.array([False, True, True, True])
    # Two bins: [0, 0.5): mean 0.2, half right -> 0.3; [0.5, 1]: mean 0.95, all right -> 0.05. Mean 0.175.
    assert expected_calibration_error(confidence, right, bins=2) == pytest.approx(0.175)
    assert reliability_bins(confidence, right, bins=2)[:, 2].tolist() == [2, 2]


def test_auroc_by_hand() -> None:
    # Pairs (positive, negative): (3, 1) won, (3, 2) won, (2, 1) won, (2, 2) tied: 3.5 of 4.
    assert auroc(np.array([3.0, 2.0, 1.0, 2.0]), np.array([True, True, False, False])) == 3.5 / 4


def test_average_precision_by_hand() -> None:
    # By score: right, wrong, right -> precision 1 at recall 1/2, 2/3 at recall 1: 1/2 + 1/3.
    score, positive = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    assert average_precision(score, positive) == pytest.approx(5 / 6)
    # All tied: one threshold, precision = share of positives.
    assert average_precision(np.ones(4), np.array([True, False, False, False])) == 0.25


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=20))
def test_auroc_equals_counting_pairs(rows: list[tuple[int, bool]]) -> None:
    score, positive = np.array([float(s) for s, _ in rows]), np.array([p for _, p in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    assert auroc(score, positive) == pytest.approx(np.mean(pairs) if pairs else float("nan"), nan_ok=True)


def test_nothing_to_score_is_nan() -> None:
    none = np.zeros(0)
    assert np.isnan(expected_calibration_error(none, none.astype(bool)))
    assert np.isnan(average_precision(np.ones(2), np.zeros(2, dtype=bool)))


def test_lengths_must_agree() -> None:
    with pytest.raises(ShapeMismatch, match="equally long"):
        reliability_bins(np.ones(2), np.ones(3, dtype=bool))


def test_a_bin_with_one_joint_counts() -> None:
    confidence, right = np.array([0.9, 0.2, 0.4]), np.array([True, False, False])
    table = reliability_bins(confidence, right, bins=2)
    np.testing.assert_allclose(table, [[0.3, 0.0, 2.0], [0.9, 1.0, 1.0]])
    assert expected_calibration_error(confidence, right, bins=2) == pytest.approx((0.3 * 2 + 0.1) / 3)


@pytest.mark.filterwarnings("error")
def test_an_empty_bin_is_nan_without_a_warning() -> None:
    table = reliability_bins(np.array([0.9]), np.array([True]), bins=2)
    np.testing.assert_array_equal(table, [[np.nan, np.nan, 0.0], [0.9, 1.0, 1.0]])
    assert expected_calibration_error(np.array([0.9]), np.array([True]), bins=2) == pytest.approx(0.1)


def test_fifteen_bins_unless_told() -> None:
    assert len(reliability_bins(np.array([0.5]), np.array([True]))) == 15
    # 0.50 and 0.52 share the eighth of fifteen bins: |0.51 - 0.5|; in sixteen bins they would not.
    assert expected_calibration_error(np.array([0.49, 0.51]), np.array([True, False])) == pytest.approx(0.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_alone_has_no_auroc(kind: bool) -> None:
    assert np.isnan(auroc(np.array([0.2, 0.8]), np.array([kind, kind])))


def test_average_precision_goes_from_the_highest_score() -> None:
    # Ranked 0.9 wrong, 0.8 right, 0.5 right: precision 1/2 at recall 1/2, 2/3 at recall 1; the other way round it is 1.
    score, positive = np.array([0.5, 0.9, 0.8]), np.array([True, False, True])
    assert average_precision(score, positive) == pytest.approx(1 / 4 + 1 / 3)
