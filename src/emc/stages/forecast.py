"""Stage: from scores at several numbers of corrected joints to what correcting more would bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.metrics import percentile_interval
from emc.pose.records import Interval

FEWEST = 3
"""Sizes: a curve of three numbers goes through any two points."""
SPAN = 2.0
"""The largest size must be this many times the smallest, or scatter looks like a trend."""
REACH = 4.0
"""How far beyond the largest size anything is said, as a multiple of it."""
FLAT_POINTS = 0.3
"""The gain counts as flat where one more step of work brings less than this."""
_EXPONENTS = np.geomspace(0.05, 3.0, 60)


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """The error after learning from a number of corrected joints.

    joints : labelled joints in training. error : share of wrong joints in [0, 1] on the same validation persons.
    spread : its standard error, NaN where unknown.
    """

    joints: int
    error: float
    spread: float = math.nan


@dataclass(frozen=True, slots=True)
class Step:
    """One step of more work: its number of joints, and the words for it, such as ``20 minutes of correcting``."""

    joints: float
    words: str


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """err(n) = floor + scale x n^-exponent, a share in [0, 1]; all three at least 0."""

    floor: float
    scale: float
    exponent: float

    def error(self, joints: float) -> float:
        """Return the error at a number of joints."""
        return self.floor + self.scale * joints**-self.exponent


@dataclass(frozen=True, slots=True)
class Forecast:
    """What more corrections would bring.

    curve : None where the points say too little. gain : points (100 x share of joints) that one more step brings after
    the largest size, with its interval. flat : joints after which a step brings less than `FLAT_POINTS`, with its
    interval; infinity where it does not flatten within `REACH` times the largest size. words : the same in a sentence.
    """

    curve: PowerLaw | None
    gain: Interval | None
    flat: Interval | None
    words: str


def forecast(points: Sequence[LearningPoint], step: Step, draws: np.ndarray | None = None, seed: int = 0) -> Forecast:
    """Fit a power law to the points and tell what one more `step` brings.

    points : in any order, two of the same size are allowed (other persons of the same number). draws : (B, K)
    resampled errors of the same points, such as a paired bootstrap over persons; without them each point varies by
    itself, normally, by its `spread`, and where that is unknown there is no interval. seed : of these draws.
    Learning curves fall as power laws towards a floor (Hestness et al., 2017; Mahmood et al., CVPR 2022); what lies
    beyond the largest size is extrapolated and said to be so. Raises `ShapeMismatch` where `draws` has another K.
    """
    if draws is not None and draws.shape[1:] != (len(points),):
        raise ShapeMismatch(f"draws {draws.shape} belong to {len(points)} points: give (B, {len(points)})")
    reason = _too_little(points)
    if reason:
        return Forecast(None, None, None, f"{reason}: too little for a forecast")
    joints = np.array([point.joints for point in points], dtype=np.float64)
    errors = np.array([point.error for point in points])
    spreads = np.array([point.spread for point in points])
    resampled = _independent_draws(errors, spreads, seed) if draws is None else draws
    weights = 1.0 / np.square(spreads) if np.isfinite(spreads).all() and (spreads > 0).all() else np.ones(len(points))
    floor, scale, exponent = fit_power_laws(joints, np.concatenate([errors[None], resampled]), weights)
    now = float(joints.max())
    gains = 100 * scale * (now**-exponent - (now + step.joints) ** -exponent)
    flats = _flat_from(scale, exponent, step.joints, float(joints.min()), REACH * now)
    count = len(points)
    gain = percentile_interval(float(gains[0]), gains[1:], count, max(len(gains) - 1, 1))
    # Infinite sizes have an order: they belong into the percentiles, which `percentile_interval` would not let them.
    flat = Interval(float(flats[0]), _percentiles(flats[1:]), count)
    curve = PowerLaw(float(floor[0]), float(scale[0]), float(exponent[0]))
    return Forecast(curve, gain, flat, in_words(gain, flat, step, now))


def fit_power_laws(
    joints: np.ndarray, errors: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (B,) floors, scales and exponents of the least-squares power laws through each row of errors.

    joints : (K,) sizes. errors : (B, K). weights : (K,), of the squares. Floor and scale are at least 0, exponents
    lie in [0.05, 3]: for each exponent of a grid the other two follow in closed form; the best is refined once.
    """
    grid = np.broadcast_to(_EXPONENTS, (len(errors), len(_EXPONENTS)))
    exponent = grid[:, 0]
    for _ in range(3):
        costs = np.stack([_linear(joints, errors, weights, grid[:, i])[2] for i in range(grid.shape[1])], axis=1)
        best = costs.argmin(axis=1)
        low = np.take_along_axis(grid, np.maximum(best - 1, 0)[:, None], 1)
        high = np.take_along_axis(grid, np.minimum(best + 1, grid.shape[1] - 1)[:, None], 1)
        exponent = np.take_along_axis(grid, best[:, None], 1)[:, 0]
        grid = low * (high / low) ** np.linspace(0.0, 1.0, 25)
    floor, scale, _ = _linear(joints, errors, weights, exponent)
    return floor, scale, exponent


def _linear(
    joints: np.ndarray, errors: np.ndarray, weights: np.ndarray, exponent: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return floor, scale and weighted squared error, each (B,), for given (B,) exponents."""
    first = joints.min()
    x = (joints / first) ** -exponent[:, None]
    w = weights / weights.sum()
    mean_x, mean_y = (x * w).sum(axis=1), (errors * w).sum(axis=1)
    covariance = ((x - mean_x[:, None]) * (errors - mean_y[:, None]) * w).sum(axis=1)
    variance = np.square(x - mean_x[:, None]) @ w
    rise: np.ndarray = np.maximum(covariance / np.maximum(variance, 1e-300), 0.0)
    floor = mean_y - rise * mean_x
    # A floor below 0 cannot be: the best curve through the origin takes its place.
    through = ((x * errors) @ w) / np.maximum((x * x) @ w, 1e-300)
    slope: np.ndarray = np.where(floor < 0, np.maximum(through, 0.0), rise)
    floor = np.maximum(floor, 0.0)
    cost = np.square(floor[:, None] + slope[:, None] * x - errors) @ w
    return floor, slope * first**exponent, cost


def _flat_from(scale: np.ndarray, exponent: np.ndarray, step: float, least: float, most: float) -> np.ndarray:
    """Return (B,) the size from which one more step brings less than `FLAT_POINTS`; infinity beyond `most`."""
    sizes = np.geomspace(least, most, 400)
    gains = 100 * scale[:, None] * (sizes ** -exponent[:, None] - (sizes + step) ** -exponent[:, None])
    flat = gains < FLAT_POINTS
    return np.where(flat.any(axis=1), sizes[flat.argmax(axis=1)], np.inf)


def _independent_draws(errors: np.ndarray, spreads: np.ndarray, seed: int) -> np.ndarray:
    if not np.isfinite(spreads).all():
        return np.zeros((0, len(errors)))
    normal = np.random.default_rng(seed).standard_normal((1000, len(errors)))
    return np.clip(errors + normal * spreads, 0.0, 1.0)


def _percentiles(values: np.ndarray) -> tuple[float, float] | None:
    if not len(values):
        return None
    low, high = np.quantile(values, [0.025, 0.975], method="nearest")
    return float(low), float(high)


def _too_little(points: Sequence[LearningPoint]) -> str:
    sizes = sorted({point.joints for point in points})
    if len(sizes) < FEWEST:
        told = ", ".join(str(size) for size in sizes) or "none"
        return f"scores at {len(sizes)} different numbers of corrected joints ({told}), and {FEWEST} are needed"
    if sizes[0] < 1 or sizes[-1] < SPAN * sizes[0]:
        return f"from {sizes[0]} to {sizes[-1]} corrected joints there is less than a factor of {SPAN:g}"
    if not all(math.isfinite(point.error) for point in points):
        return "a score is missing"
    return ""


def in_words(gain: Interval, flat: Interval, step: Step, now: float) -> str:
    """Return the forecast in words: what a step brings, how sure that is, and where the gain flattens."""
    between = f" [{gain.ci95[0]:.1f}, {gain.ci95[1]:.1f}]" if gain.ci95 else " (no interval)"
    if gain.ci95 is not None and gain.ci95[0] < 0.05:
        first = f"{gain.value:.1f}{between} points more per {step.words}: it cannot be told from no gain"
    else:
        first = f"{gain.value:.1f}{between} points more per {step.words}"
    return f"{first}; {_flattening(flat, now)} (extrapolated beyond {now:.0f} joints)"


def _flattening(flat: Interval, now: float) -> str:
    most = f"{REACH * now:.0f}"
    if not math.isfinite(flat.value):
        return f"gain does not flatten before {most} joints, as far as can be seen"
    about = f"gain {'flattened' if flat.value <= now else 'flattens'} after about {_round(flat.value)} joints"
    if flat.ci95 is None:
        return about
    low, high = flat.ci95
    return f"{about} [{_round(low)}, {_round(high) if math.isfinite(high) else 'beyond ' + most}]"


def _round(joints: float) -> str:
    """Return a size to two digits: more of them would claim a precision that no forecast has."""
    digits = max(0, math.floor(math.log10(max(joints, 1.0))) - 1)
    return f"{round(joints / 10**digits) * 10**digits:,.0f}"
