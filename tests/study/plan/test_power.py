"""Power of the crossover: against the textbook's formula by hand, and against simulation."""

from __future__ import annotations

import math

import pytest
from scipy.stats import nct, t

from emc.errors import UsageError
from emc.study.plan.power import crossover_power, people_needed, simulated_power, spread_of_variation


def test_spread_of_a_coefficient_of_variation():
    assert spread_of_variation(0.5) == pytest.approx(0.4724, abs=1e-4)


def test_power_by_hand_for_ten_people_and_a_twofold_difference():
    # Standard error of half the sum of two means of 5 differences each: sqrt(2) x 0.5 / 2 x sqrt(1/5 + 1/5) = 0.2236
    shift = math.log(2) / 0.22360680
    critical = float(t.ppf(0.975, 8))
    expected = float(nct.sf(critical, 8, shift) + nct.cdf(-critical, 8, shift))
    assert crossover_power(10, 2.0, 0.5) == pytest.approx(expected, abs=1e-6)
    assert crossover_power(10, 0.5, 0.5) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("people", "ratio", "spread"), [(10, 2.0, 0.5), (12, 2.0, 0.47), (7, 3.0, 0.6), (20, 1.3, 0.4)]
)
def test_power_agrees_with_simulation(people: int, ratio: float, spread: float):
    repeats = 20_000
    expected = crossover_power(people, ratio, spread)
    found = simulated_power(people, ratio, spread, repeats, seed=1)
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / repeats))


def test_without_a_difference_one_study_in_twenty_sees_one():
    assert simulated_power(10, 1.0 + 1e-9, 0.5, 20_000, seed=2) == pytest.approx(0.05, abs=0.007)


def test_people_needed_is_the_least_even_number_with_that_power():
    needed = people_needed(2.0, 0.47)
    assert needed == 12
    assert crossover_power(needed, 2.0, 0.47) >= 0.9 > crossover_power(needed - 2, 2.0, 0.47)
    assert people_needed(10.0, 0.1) == 4
    assert crossover_power(200, 10.0, 0.1) == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"), [((2, 2.0, 0.5), "2 people"), ((10, 1.0, 0.5), "ratio 1.0"), ((10, 2.0, 0.0), "spread 0.0")]
)
def test_impossible_plans_are_refused(arguments: tuple[int, float, float], said: str):
    with pytest.raises(UsageError, match=said):
        crossover_power(*arguments)


def test_a_difference_too_small_to_see_is_told():
    with pytest.raises(UsageError, match="more than 2000 people"):
        people_needed(1.001, 0.5)
