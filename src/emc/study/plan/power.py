"""How many people a study needs: power of the AB / BA crossover on the logarithm of time.

Each person's difference of log times (classic minus editor) has a mean of log(ratio) and, between people, a standard
deviation of sqrt(2) x spread. Half the sum of the two groups' mean differences is the effect, free of any effect of
the period (Hills and Armitage 1979; Senn, Cross-over Trials in Clinical Research, 2002, chapter 3); it is tested by
Student's t with people - 2 degrees of freedom.
"""

from __future__ import annotations

import math

import numpy as np

from emc.errors import UsageError

MOST_PEOPLE = 2000
USUAL_SPREAD = 0.47
"""Within-person standard deviation of log time where nothing is known: a coefficient of variation of 50 %."""


def spread_of_variation(variation: float) -> float:
    """Return the standard deviation of log time that a coefficient of variation of time means (log-normal times)."""
    return math.sqrt(math.log(1.0 + variation**2))


def crossover_power(people: int, ratio: float, spread: float, alpha: float = 0.05) -> float:
    """Return the chance that `people` see a true `ratio` of times as different from 1.

    spread : within-person standard deviation of log time of one clip. alpha : two-sided level. People are split as
    evenly as they can be. Raises `UsageError` for fewer than 3 people, and for a ratio or spread that is not positive.
    """
    from scipy.stats import nct, t

    _check(ratio, spread)
    if people < 3:
        raise UsageError(f"{people} people give no interval: plan for 4 or more")
    degrees = people - 2
    shift = abs(math.log(ratio)) / _standard_error(people, spread)
    critical = float(t.ppf(1 - alpha / 2, degrees))
    power = float(nct.sf(critical, degrees, shift))
    low = float(nct.cdf(-critical, degrees, shift))
    # Far from the centre the tail that does not matter underflows to NaN.
    return min(power + (low if math.isfinite(low) else 0.0), 1.0) if math.isfinite(power) else 1.0


def people_needed(ratio: float, spread: float, power: float = 0.9, alpha: float = 0.05) -> int:
    """Return the least even number of people (4 at least) who see a true `ratio` with probability `power`.

    Raises `UsageError` where more than `MOST_PEOPLE` would be needed.
    """
    _check(ratio, spread)
    if not 0 < power < 1:
        raise UsageError(f"power {power} is no probability: use for example 0.9")
    for people in range(4, MOST_PEOPLE + 1, 2):
        if crossover_power(people, ratio, spread, alpha) >= power:
            return people
    raise UsageError(
        f"a ratio of {ratio:g} at a spread of {spread:g} needs more than {MOST_PEOPLE} people: expect more"
    )


def simulated_power(
    people: int, ratio: float, spread: float, repeats: int, seed: int = 0, alpha: float = 0.05
) -> float:
    """Return the share of simulated studies that find the difference: what `crossover_power` is checked against.

    Each has persons of different speed, a period effect and normal log times; it is analysed by the two groups' mean
    differences, as described above.
    """
    from scipy.stats import t

    _check(ratio, spread)
    rng = np.random.default_rng(seed)
    first = np.arange(people) < (people + 1) // 2
    person = rng.normal(0.0, 0.6, (repeats, people, 1))
    times = person + np.array([0.0, -0.15]) + rng.normal(0.0, spread, (repeats, people, 2))
    times[:, first, 0] += math.log(ratio)
    times[:, ~first, 1] += math.log(ratio)
    classic = np.where(first, times[..., 0], times[..., 1])
    difference = classic - np.where(first, times[..., 1], times[..., 0])
    a, b = difference[:, first], difference[:, ~first]
    effect = (a.mean(axis=1) + b.mean(axis=1)) / 2
    squares = ((a - a.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    squares += ((b - b.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    error = np.sqrt(squares / (people - 2) * (1 / a.shape[1] + 1 / b.shape[1])) / 2
    return float((np.abs(effect / error) > t.ppf(1 - alpha / 2, people - 2)).mean())


def _standard_error(people: int, spread: float) -> float:
    a, b = (people + 1) // 2, people // 2
    return math.sqrt(2) * spread / 2 * math.sqrt(1 / a + 1 / b)


def _check(ratio: float, spread: float) -> None:
    if not ratio > 0 or ratio == 1 or not math.isfinite(ratio):
        raise UsageError(f"ratio {ratio} is no difference: use for example 2 (twice as fast)")
    if not 0 < spread < math.inf:
        raise UsageError(f"spread {spread} cannot be: use a positive number such as {USUAL_SPREAD}")
