"""How far the predictions' confidence can be trusted: calibration error and finding wrong joints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.metrics import (
    as_figure,
    independent_units,
    percentile_interval,
    reliability_bins,
    resample_weights,
    safe_ratio,
    sum_by_unit,
)
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons import Skeleton
from emc.stages.evaluate.population import joint_hits

PRECISION_AT = (50, 100, 200, 500)
"""How far down a queue of joints people go: the first 50 to 500."""
_ROWS = 64


@dataclass(frozen=True, slots=True)
class _Joints:
    """The M joints that count: confidence in [0, 1], right or wrong, and the resampling unit of each."""

    confidence: np.ndarray
    right: np.ndarray
    unit: np.ndarray
    units: int
    unit_name: str


def score_confidence(
    predicted: Sequence[Prediction],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    head: str = "head_segment",
    alpha: float = 0.5,
    bins: int = 15,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, object]:
    """Score the confidence against whether joints are right (within `alpha` x head size).

    Returns ``ece``, ``auroc_wrong``, ``ap_wrong`` (shares; None where undefined), ``wrong`` (share of wrong joints,
    which is the ``ap_wrong`` of a coin), ``n`` joints, ``bins``: rows of mean confidence, share right, joints, and
    ``precision_at``: k -> share of wrong joints among the k least confident (ties in random order, in expectation).
    With `bootstrap` resamples also ``ci95``, name -> 95 % interval over ``unit`` (clips, else frames).
    """
    hits = joint_hits(predicted, samples, skeleton, head, alpha)
    joints = _joints(predicted, samples, hits)
    figures = _figures(joints, bins, resample_weights(joints.units, bootstrap, seed))
    table = reliability_bins(joints.confidence, joints.right, bins)
    document: dict[str, object] = {name: _number(float(values[0])) for name, values in figures.items()}
    document |= {
        "precision_at": {str(k): document.pop(f"precision_at_{k}") for k in _depths(joints)},
        "n": int(joints.right.size),
        "bins": [[round(float(m), 5), round(float(s), 5), int(c)] for m, s, c in table if c > 0],
    }
    if bootstrap:
        document["ci95"] = {name: _interval(values, joints) for name, values in figures.items()}
        document["unit"] = joints.unit_name
    return document


def compare_confidence(
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    head: str = "head_segment",
    alpha: float = 0.5,
    bins: int = 15,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, object]:
    """Return name -> figure of (after - before) for ``ece``, ``auroc_wrong``, ``ap_wrong`` and ``precision_at_k``.

    before, after : the same places with two confidences, or two models' predictions of the same samples. Each resample
    draws the same units for both. Raises `ShapeMismatch` where their numbers differ.
    """
    if len(before) != len(after):
        raise ShapeMismatch(f"{len(before)} predictions before, {len(after)} after: score the same persons twice")
    sides = [_joints(p, samples, joint_hits(p, samples, skeleton, head, alpha)) for p in (before, after)]
    weights = resample_weights(sides[0].units, bootstrap, seed)
    first, last = (_figures(side, bins, weights) for side in sides)
    n, units = int(sides[0].right.size), sides[0].units
    changes = {name: last[name] - first[name] for name in first if name in last and name != "wrong"}
    return {name: as_figure(percentile_interval(float(d[0]), d[1:], n, units)) for name, d in changes.items()}


def _joints(predicted: Sequence[Prediction], samples: Sequence[Sample], hits: np.ndarray) -> _Joints:
    confidence = np.array([np.nan_to_num(p.confidence) for p in predicted], dtype=np.float64).reshape(hits.shape)
    counted = np.isfinite(hits)
    unit, name = independent_units([s.clip for s in samples], [s.frame for s in samples])
    of_joint = np.repeat(unit[:, None], hits.shape[1], axis=1)[counted] if len(unit) else np.zeros(0, np.int64)
    units = int(unit.max()) + 1 if len(unit) else 0
    return _Joints(np.clip(confidence[counted], 0.0, 1.0), hits[counted] > 0, of_joint, units, name)


def _depths(joints: _Joints) -> list[int]:
    return [k for k in PRECISION_AT if k <= joints.right.size]


def _figures(joints: _Joints, bins: int, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return name -> (1 + B,): the figure of the joints as they are, then of each of the (B, U) resamples."""
    rows = np.concatenate([np.ones((1, joints.units)), weights])
    found = {"ece": _calibration_errors(joints, bins, rows)}
    order = np.argsort(joints.confidence, kind="stable")
    wrong = (~joints.right[order]).astype(np.float64)
    ends = (
        np.flatnonzero(np.append(np.diff(joints.confidence[order]) != 0, True)) if len(order) else np.zeros(0, np.int64)
    )
    parts = [
        _rank_figures(rows[start : start + _ROWS][:, joints.unit[order]], wrong, ends, _depths(joints))
        for start in range(0, len(rows), _ROWS)
    ]
    return found | {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _calibration_errors(joints: _Joints, bins: int, rows: np.ndarray) -> np.ndarray:
    index = np.clip((joints.confidence * bins).astype(np.int64), 0, bins - 1)
    members = np.zeros((len(index), bins))
    members[np.arange(len(index)), index] = 1.0
    gap = members * (joints.confidence - joints.right)[:, None]
    total, counted = (_by_unit(values, joints) for values in (gap, members))
    return safe_ratio(np.abs(rows @ total).sum(axis=1), (rows @ counted).sum(axis=1))


def _by_unit(values: np.ndarray, joints: _Joints) -> np.ndarray:
    total = np.zeros((joints.units, values.shape[1]))
    if len(values):
        summed = sum_by_unit(values, joints.unit)
        total[: len(summed)] = summed
    return total


def _rank_figures(
    weight: np.ndarray, wrong: np.ndarray, ends: np.ndarray, depths: Sequence[int]
) -> dict[str, np.ndarray]:
    """Return the figures of the order of the queue, for each row of (R, M) weights; joints come least trusted first.

    ends : last joint of each run of equal confidence. Source of the areas: Fawcett, Pattern Recognition Letters 2006.
    """
    seen = np.cumsum(weight, axis=1)[:, ends]
    bad = np.cumsum(weight * wrong, axis=1)[:, ends]
    if not len(ends):
        nothing = np.full(len(weight), np.nan)
        return {"auroc_wrong": nothing, "ap_wrong": nothing, "wrong": nothing}
    bad_here = np.diff(bad, axis=1, prepend=0.0)
    good_here = np.diff(seen - bad, axis=1, prepend=0.0)
    all_bad, all_good = bad[:, -1], seen[:, -1] - bad[:, -1]
    wins = (good_here * (bad - bad_here / 2)).sum(axis=1)
    found = {
        "auroc_wrong": safe_ratio(wins, all_bad * all_good),
        "ap_wrong": safe_ratio((bad_here * bad / np.maximum(seen, 1e-12)).sum(axis=1), all_bad),
        "wrong": safe_ratio(all_bad, seen[:, -1]),
    }
    for k in depths:
        found[f"precision_at_{k}"] = np.array(
            [np.interp(k, np.append(0.0, s), np.append(0.0, b)) / k for s, b in zip(seen, bad, strict=True)]
        )
    return found


def _interval(values: np.ndarray, joints: _Joints) -> list[float] | None:
    found = percentile_interval(float(values[0]), values[1:], int(joints.right.size), joints.units).ci95
    return list(found) if found else None


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def confidence_figures(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the figures of a `score_confidence` document with intervals, name -> ``{"value", "ci95", "n"}``."""
    intervals: Mapping[str, Any] = document.get("ci95") or {}
    values = {name: document[name] for name in ("ece", "auroc_wrong", "ap_wrong", "wrong")}
    precise: Mapping[str, Any] = document["precision_at"]
    values |= {f"precision_at_{k}": value for k, value in precise.items()}
    return {name: {"value": v, "ci95": intervals.get(name), "n": document["n"]} for name, v in values.items()}
