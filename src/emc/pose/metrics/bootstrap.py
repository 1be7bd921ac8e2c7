"""Bootstrap intervals: resample independent units (clips, or frames where there are too few clips), seeded."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from emc.pose.records import Interval

MIN_UNITS = 5
"""With fewer independent units a percentile interval says nothing: five units already leave only 126 resamples."""


def independent_units(clips: Sequence[str], frames: Sequence[int]) -> tuple[np.ndarray, str]:
    """Return the unit of each of N persons and what a unit is.

    clips, frames : (N,) where each person was seen. Returns (N,) int codes 0..U-1 and ``"clip"`` where there are at
    least `MIN_UNITS` clips, else ``"frame"``. Frames of one clip resemble each other, so intervals over frames are too
    narrow as a statement about new clips: whoever prints them must name the unit.
    """
    names = np.asarray(clips, dtype=str)
    clip_codes = np.unique(names, return_inverse=True)[1].reshape(-1)
    # Clips where there are enough: frames of a clip resemble each other, so that resampling them gives intervals that
    # are too narrow for a new clip.
    if len(names) and int(clip_codes.max()) + 1 >= MIN_UNITS:
        return clip_codes, "clip"
    pairs = np.stack([clip_codes, np.asarray(frames, dtype=np.int64)], axis=1).reshape(-1, 2)
    return np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1), "frame"


def resample_weights(units: int, resamples: int, seed: int) -> np.ndarray:
    """Return (`resamples`, `units`) float64: how often each unit is drawn when `units` are drawn with replacement.

    The same `units`, `resamples` and `seed` give the same draws: that is what makes a comparison paired.
    """
    if units == 0 or resamples == 0:
        return np.zeros((0, units))
    # Counts per unit, and not indices: every figure is then a sum of unit sums times these, so that 1,000 resamples
    # cost one matrix product.
    draws = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=resamples)
    return draws.astype(np.float64)


def sum_by_unit(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return (U, ...) sums of (N, ...) `values` over the persons of each unit; NaN adds nothing."""
    count = int(unit.max()) + 1 if len(unit) else 0
    total = np.zeros((count, *values.shape[1:]))
    np.add.at(total, unit, np.nan_to_num(values))
    return total


def percentile_interval(value: float, resampled: np.ndarray, n: int, units: int) -> Interval:
    """Return `value` with the 2.5 and 97.5 percentiles of (B,) `resampled` figures.

    Resamples in which the figure is undefined (NaN) are left out. The interval is None where fewer than `MIN_UNITS`
    units were resampled, the value itself is undefined, or half of the resamples are.
    """
    defined = resampled[np.isfinite(resampled)]
    # Half: percentiles of the few resamples in which a rare joint occurs at all describe those draws, not the figure.
    if units < MIN_UNITS or not math.isfinite(value) or len(defined) * 2 <= len(resampled):
        return Interval(value, None, n)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Interval(value, (float(low), float(high)), n)


def safe_ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return `numerator` / `denominator`, NaN (no warning) where the denominator is 0."""
    safe = np.where(denominator == 0, np.nan, denominator)
    return numerator / safe


def pooled_share(parts: np.ndarray, wholes: np.ndarray, weights: np.ndarray) -> Interval:
    """Return sum(parts) / sum(wholes) with its interval.

    parts, wholes : (U,) per unit, such as right joints and labelled joints. weights : (B, U) of `resample_weights`.
    """
    value = float(safe_ratio(parts.sum(), wholes.sum()))
    return percentile_interval(
        value, safe_ratio(weights @ parts, weights @ wholes), round(float(wholes.sum())), len(parts)
    )


def as_figure(interval: Interval) -> dict[str, object]:
    """Return the report's form of a figure; an undefined value (no joint to count) is None, which JSON can say."""
    figure = interval.as_json()
    if not math.isfinite(interval.value):
        figure["value"] = None
    return figure
