"""The ratio of times: a linear mixed model of log time with method, period and sequence, and a random person."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emc.errors import PluginError
from emc.study.analysis.tables import TrialRow
from emc.study.plan import Method

LEAST_PEOPLE = 4
"""With fewer, there is no interval worth the name."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of times with its 95 % interval (None where there are too few people) and two-sided p."""

    value: float
    ci95: tuple[float, float] | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class CrossoverFit:
    """What the model says.

    ratio : time of the classic method / time of the editor. period : second / first trial. sequence : group BA / AB.
    clip : second / first clip, None where both orders of clips have not occurred. within, between : standard
    deviations of log time within and between people, None where unknown. degrees : of freedom, people - 2 (- 1).
    """

    ratio: Ratio
    period: Ratio | None
    sequence: Ratio | None
    clip: Ratio | None
    within: float | None
    between: float | None
    people: int
    trials: int
    degrees: int
    note: str = ""


def fit_crossover(trials: Sequence[TrialRow]) -> CrossoverFit | None:
    """Fit the model by restricted maximum likelihood; None where not both methods have been finished by somebody.

    Times of people who finished one method alone count too. Intervals are Student's with people - 2 degrees of freedom
    (statsmodels' own are normal and too narrow for few people). Below `LEAST_PEOPLE` the ratio is that of the mean log
    times, without interval. Raises `PluginError` where statsmodels is not installed.
    """
    methods = {row.method for row in trials}
    if len(methods) < 2:
        return None
    people = sorted({row.person for row in trials})
    names, columns = _columns(trials)
    degrees = len(people) - 2 - ("clip" in names)
    if len(people) < LEAST_PEOPLE or degrees < 1:
        return _plain(trials, len(people))
    log_seconds = np.log([max(row.seconds, 0.01) for row in trials])
    try:
        fit = _fitted(log_seconds, columns, [row.person for row in trials])
    except (np.linalg.LinAlgError, ValueError):
        return _plain(trials, len(people), "the model could not be fitted: times are all too much alike")
    return _told(fit, names, len(people), len(trials), degrees)


def _columns(trials: Sequence[TrialRow]) -> tuple[list[str], np.ndarray]:
    """Return the names and (N, C) values of what can be told apart; a column that says nothing new is left out."""
    clips = sorted({row.clip for row in trials})
    possible = {
        "mean": [1.0] * len(trials),
        # 1 = classic, so that the coefficient is the logarithm of classic / editor.
        "method": [float(row.method == Method.CLASSIC) for row in trials],
        "period": [float(row.period == 2) for row in trials],
        "sequence": [float(row.sequence == "BA") for row in trials],
        "clip": [float(row.clip == clips[-1]) for row in trials],
    }
    names: list[str] = []
    for name in possible:
        matrix = np.array([possible[each] for each in [*names, name]]).T
        if np.linalg.matrix_rank(matrix) == matrix.shape[1]:
            names.append(name)
    return names, np.array([possible[name] for name in names]).T


def _fitted(log_seconds: np.ndarray, columns: np.ndarray, persons: Sequence[str]) -> Any:
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
    except ImportError as error:
        raise PluginError("statsmodels is not installed: run `pip install 'emc-pose[study]'`") from error
    with warnings.catch_warnings():
        # Where people do not differ, their variance is estimated as 0: at the border, and right so.
        warnings.simplefilter("ignore")
        return MixedLM(log_seconds, columns, groups=np.array(persons)).fit(reml=True)


def _told(fit: Any, names: Sequence[str], people: int, trials: int, degrees: int) -> CrossoverFit:
    from scipy.stats import t

    critical = float(t.ppf(0.975, degrees))

    def ratio(name: str) -> Ratio | None:
        if name not in names:
            return None
        place = names.index(name)
        value, error = float(fit.params[place]), float(fit.bse[place])
        if not math.isfinite(error) or error <= 0:
            return Ratio(math.exp(value))
        low, high = value - critical * error, value + critical * error
        return Ratio(math.exp(value), (math.exp(low), math.exp(high)), float(2 * t.sf(abs(value / error), degrees)))

    between = float(np.sqrt(max(np.asarray(fit.cov_re).ravel()[0], 0.0)))
    within = math.sqrt(float(fit.scale))
    method = ratio("method") or Ratio(float("nan"))
    return CrossoverFit(
        method, ratio("period"), ratio("sequence"), ratio("clip"), within, between, people, trials, degrees
    )


def _plain(trials: Sequence[TrialRow], people: int, note: str = "") -> CrossoverFit:
    mean = {
        method: float(np.mean([math.log(max(row.seconds, 0.01)) for row in trials if row.method == method]))
        for method in Method
    }
    value = math.exp(mean[Method.CLASSIC] - mean[Method.EDITOR])
    note = note or f"{people} people are too few for an interval: {LEAST_PEOPLE} at least"
    return CrossoverFit(Ratio(value), None, None, None, None, None, people, len(trials), max(people - 2, 0), note)
