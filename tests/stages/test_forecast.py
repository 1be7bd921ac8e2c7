import math

import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.stages.forecast import LearningPoint, Step, fit_power_laws, forecast

MINUTES = Step(100.0, "20 minutes of correcting")


def curve(floor, scale, exponent, sizes, spread=math.nan):
    return [LearningPoint(n, floor + scale * n**-exponent, spread) for n in sizes]


@pytest.mark.parametrize(
    ("floor", "scale", "exponent"), [(0.05, 1.2, 0.6), (0.0, 0.9, 0.3), (0.2, 3.0, 1.0), (0.1, 40.0, 2.0)]
)
def test_a_known_power_law_is_found(floor, scale, exponent):
    sizes = np.array([50, 100, 200, 400, 800])
    errors = floor + scale * sizes**-exponent
    found = fit_power_laws(sizes.astype(float), errors[None], np.ones(5))
    np.testing.assert_allclose([float(value[0]) for value in found], [floor, scale, exponent], rtol=0.02, atol=2e-3)


def test_the_gain_of_a_step_by_hand():
    """err = 0.05 + 2 / sqrt(n): from 400 to 500 joints 2 / 20 - 2 / 22.36 = 0.010557, that is 1.06 points."""
    told = forecast(curve(0.05, 2.0, 0.5, [50, 100, 200, 400]), MINUTES)
    assert told.gain.value == pytest.approx(1.0557, abs=0.01)
    assert told.gain.ci95 is None
    assert told.words.startswith("1.1 (no interval) points more per 20 minutes of correcting")


def test_where_it_flattens_by_hand():
    """err = 0.1 + 10 / n: a step of 100 joints brings 1000 x (1 / n - 1 / (n + 100)) = 100,000 / (n (n + 100)) points.

    That is 0.3 where n (n + 100) = 333,333: n = 529.5.
    """
    told = forecast(curve(0.1, 10.0, 1.0, [50, 100, 200, 400]), MINUTES)
    assert told.flat.value == pytest.approx(529.5, rel=0.02)
    assert "gain flattens after about 530 joints" in told.words


def test_a_curve_that_goes_on_falling_is_said_not_to_flatten():
    told = forecast(curve(0.0, 1.0, 0.2, [50, 100, 200, 400]), Step(400.0, "step"))
    assert told.flat.value == math.inf
    assert "gain does not flatten before 1600 joints" in told.words


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, held = np.random.default_rng(0), 0
    truth = 100 * 2.0 * (400**-0.5 - 500**-0.5)
    for _ in range(40):
        points = [
            LearningPoint(p.joints, p.error + 0.01 * rng.standard_normal(), 0.01)
            for p in curve(0.05, 2.0, 0.5, [50, 100, 200, 400])
        ]
        low, high = forecast(points, MINUTES).gain.ci95
        held += low <= truth <= high
    assert held >= 34


def test_persons_drawn_in_pairs_say_more_of_a_difference_than_points_by_themselves():
    points = curve(0.05, 2.0, 0.5, [50, 100, 200, 400], 0.03)
    level = 0.03 * np.random.default_rng(0).standard_normal((500, 1))
    paired = forecast(points, MINUTES, np.array([p.error for p in points]) + level)
    alone = forecast(points, MINUTES)
    widths = [told.gain.ci95[1] - told.gain.ci95[0] for told in (paired, alone)]
    assert widths[0] < 0.5 * widths[1]


def test_no_trend_cannot_be_told_from_no_gain():
    points = [LearningPoint(n, e, 0.02) for n, e in ((50, 0.2), (100, 0.21), (200, 0.19), (400, 0.2))]
    assert "it cannot be told from no gain" in forecast(points, MINUTES).words


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ([], r"scores at 0 different numbers of corrected joints \(none\), and 3 are needed"),
        (curve(0, 1, 1, [50, 100, 100]), r"scores at 2 different numbers of corrected joints \(50, 100\)"),
        (curve(0, 1, 1, [100, 110, 120]), "from 100 to 120 corrected joints there is less than a factor of 2"),
        (curve(math.nan, 1, 1, [50, 100, 200]), "a score is missing"),
    ],
)
def test_too_little_is_said(points, told):
    import re

    found = forecast(points, MINUTES)
    assert (found.curve, found.gain, found.flat) == (None, None, None)
    assert re.search(told, found.words)
    assert found.words.endswith("too little for a forecast")


def test_draws_of_other_points_are_refused():
    with pytest.raises(ShapeMismatch, match=r"draws \(10, 3\) belong to 4 points"):
        forecast(curve(0, 1, 1, [50, 100, 200, 400]), MINUTES, np.zeros((10, 3)))
