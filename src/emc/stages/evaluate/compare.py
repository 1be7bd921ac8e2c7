"""Paired comparison of two models on the same persons: errors removed and changes in points, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.metrics import (
    MIN_UNITS,
    as_figure,
    average_precisions,
    percentile_interval,
    resample_weights,
    safe_ratio,
    sum_by_unit,
)
from emc.pose.records import Interval
from emc.pose.skeletons import Skeleton
from emc.stages.evaluate.population import PopulationScores


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from before to after on the same joints.

    errors_removed : (errors before - errors after) / errors before, a share; undefined (NaN) where nothing was wrong
    before. change : 100 x (share right after - before), points.
    """

    errors_removed: Interval
    change: Interval


def compare_populations(
    before: np.ndarray,
    after: np.ndarray,
    unit: np.ndarray,
    skeleton: Skeleton,
    part: str = "total",
    bootstrap: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare the hits of two models on the same persons by paired bootstrap.

    before, after : (N, J) of `joint_hits`; a joint counts where both are finite. unit : (N,) int codes of
    `emc.pose.metrics.independent_units`. Each resample draws the same units for both models.
    Raises `ShapeMismatch` naming both shapes, `UsageError` for an unknown part.
    """
    if before.shape != after.shape or unit.shape != before.shape[:1]:
        raise ShapeMismatch(
            f"before {before.shape}, after {after.shape}, unit {unit.shape}: score the same persons twice"
        )
    joints = list(skeleton.part(part))
    both = np.isfinite(before[:, joints]) & np.isfinite(after[:, joints])
    counted = sum_by_unit(both.sum(axis=1).astype(np.float64), unit)
    wrong_before = counted - sum_by_unit(np.where(both, before[:, joints], 0.0).sum(axis=1), unit)
    wrong_after = counted - sum_by_unit(np.where(both, after[:, joints], 0.0).sum(axis=1), unit)
    weights = resample_weights(len(counted), bootstrap, seed)
    fewer = wrong_before - wrong_after
    removed = float(safe_ratio(fewer.sum(), wrong_before.sum()))
    change = 100 * float(safe_ratio(fewer.sum(), counted.sum()))
    n, units = int(counted.sum()), len(counted)
    return Comparison(
        percentile_interval(removed, safe_ratio(weights @ fewer, weights @ wrong_before), n, units),
        percentile_interval(change, 100 * safe_ratio(weights @ fewer, weights @ counted), n, units),
    )


def non_inferiority_chance(
    before: PopulationScores, after: PopulationScores, budget: float, bootstrap: int = 1000, seed: int = 0
) -> float:
    """Return the chance in [0, 1] that total PCKh fell by at most `budget` points from before to after.

    The share of paired bootstrap resamples (the same units drawn for both) in which it did: a one-sided test of
    non-inferiority with the margin `budget` (Efron and Tibshirani, 1993, chapter 15). Without resamples, or with too
    few units for them to say anything, 1 or 0 by the scores themselves. Raises `ShapeMismatch` for other persons.
    """
    change, resampled = _changes(before, after, bootstrap, seed)
    # A rounding error must not refuse a fall that equals the budget.
    kept = resampled[np.isfinite(resampled)] >= -budget - 1e-9
    if len(kept) == 0 or int(before.unit.max()) + 1 < MIN_UNITS:
        return float(change >= -budget - 1e-9)
    return float(kept.mean())


def ap_non_inferiority_chance(
    before: PopulationScores, after: PopulationScores, budget: float, bootstrap: int = 1000, seed: int = 0
) -> float:
    """Return the chance in [0, 1] that OKS-AP fell by at most `budget` points: `non_inferiority_chance` of AP.

    Raises `ShapeMismatch` where AP was not scored on both sides, or of other persons.
    """
    change, resampled = _ap_changes(before, after, bootstrap, seed)
    known = resampled[np.isfinite(resampled)]
    if len(known) == 0 or int(before.unit.max()) + 1 < MIN_UNITS:
        return float(change >= -budget - 1e-9)
    return float((known >= -budget - 1e-9).mean())


def _changes(before: PopulationScores, after: PopulationScores, bootstrap: int, seed: int) -> tuple[float, np.ndarray]:
    if before.hits.shape != after.hits.shape:
        raise ShapeMismatch(f"before {before.hits.shape}, after {after.hits.shape}: score the same persons twice")
    joints = list(before.skeleton.part("total"))
    both = np.isfinite(before.hits[:, joints]) & np.isfinite(after.hits[:, joints])
    gained = np.where(both, after.hits[:, joints] - before.hits[:, joints], 0.0).sum(axis=1)
    counted = sum_by_unit(both.sum(axis=1).astype(np.float64), before.unit)
    better = sum_by_unit(gained, before.unit)
    weights = resample_weights(len(counted), bootstrap, seed)
    return 100 * float(safe_ratio(better.sum(), counted.sum())), 100 * safe_ratio(weights @ better, weights @ counted)


def before_after(
    target: tuple[PopulationScores, PopulationScores],
    common: tuple[PopulationScores, PopulationScores] | None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, object]:
    """Return the report's ``before_after`` object from (before, after) scores of the same persons.

    Where there is no common population, or it has no AP, its figures are left out.
    """
    before, after = target
    removed = {
        part: compare_populations(before.hits, after.hits, before.unit, before.skeleton, part, bootstrap, seed)
        for part in ("leg", "total")
        if part in before.skeleton.parts
    }
    document: dict[str, object] = {f"{part}_errors_removed": as_figure(c.errors_removed) for part, c in removed.items()}
    document |= {f"target_{part}_change": as_figure(c.change) for part, c in removed.items()}
    document["unit"] = before.unit_name
    if common is not None:
        first, last = common
        kept = compare_populations(first.hits, last.hits, first.unit, first.skeleton, "total", bootstrap, seed)
        document["common_total_change"] = as_figure(kept.change)
        document["common_unit"] = first.unit_name
        if first.matches is not None and last.matches is not None:
            document["common_ap_change"] = as_figure(ap_change(first, last, bootstrap, seed))
    return document


def ap_change(before: PopulationScores, after: PopulationScores, bootstrap: int = 1000, seed: int = 0) -> Interval:
    """Return 100 x (AP after - AP before) in points, with its paired interval; both need OKS matches."""
    change, resampled = _ap_changes(before, after, bootstrap, seed)
    return percentile_interval(change, resampled, len(before.unit), int(before.unit.max()) + 1)


def _ap_changes(
    before: PopulationScores, after: PopulationScores, bootstrap: int, seed: int
) -> tuple[float, np.ndarray]:
    if before.matches is None or after.matches is None:
        raise ShapeMismatch("AP was not scored on both sides: give samples with an area and a skeleton with sigmas")
    units = before.matches.positives.shape[1]
    if after.matches.positives.shape[1] != units:
        raise ShapeMismatch(f"{units} units before, {after.matches.positives.shape[1]} after: score the same persons")
    draws = np.concatenate([np.ones((1, units)), resample_weights(units, bootstrap, seed)])
    difference = 100 * (average_precisions(after.matches, draws) - average_precisions(before.matches, draws))[:, 0]
    return float(difference[0]), difference[1:]
