"""Fit the confidence on corrected people: logistic sums shrunk towards what all joints share, then isotonic curves.

Nothing is scored on what it was fitted on: the curves are fitted on sums that other groups' people gave (cross-fitting
over groups), and the figures that are told come from curves of yet other groups.
"""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch, UsageError
from emc.pose.records import Prediction
from emc.pose.skeletons import Skeleton
from emc.stages.confidence.model import (
    ConfidenceModel,
    linear_sum,
    quantile_knots,
    standard_scores,
    to_share,
)
from emc.stages.confidence.signals import SIGNAL_SETS, joint_signals

FOLDS = 5
MIN_JOINTS = 60
"""Below this many labelled joints, or this share of wrong or right ones, there is nothing to learn from."""
MIN_OF_EACH = 8
# It matters little: AUROC is 0.744 to 0.760 at 0.3 to 30, fitted on 50 people, and the same on 800
# (`python benchmarks/calibration/confidence_constants.py`).
RIDGE_ALL = 3.0
# A tenth of it lets each joint follow its few labels: ECE on 50 people 0.093 instead of 0.050, AUROC 0.730 instead of
# 0.751. Ten times as much costs 0.003 of AUROC on 800.
RIDGE_OWN = 20.0
CONSTANT = 0.05
"""How strongly the constant is drawn back, as a share of the weights: how many joints are wrong differs most."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedConfidence:
    """A fit. cross_fitted : (N, J) P(right) of the same people by fits that never saw their group (NaN: not found).

    log_loss : the cross-fitted mean log loss per labelled joint (nats) of each signal set that was tried.
    """

    model: ConfidenceModel
    cross_fitted: np.ndarray
    log_loss: dict[str, float]
    crossed_by: str


def fit_confidence(
    predictions: Sequence[Prediction],
    hits: np.ndarray,
    groups: Sequence[str],
    skeleton: Skeleton,
    prior: ConfidenceModel | None = None,
    kinds: Sequence[str] = SIGNAL_SETS,
    seed: int = 0,
) -> FittedConfidence:
    """Learn P(this joint is right) from N corrected persons.

    predictions : in pixels of the original frames. hits : (N, J), 1 right, 0 wrong, NaN = not labelled (as
    `emc.stages.evaluate.joint_hits` gives). groups : (N,) athlete or clip; people of one group stay in one fold.
    prior : a fit for a relative of this estimator (the base of a calibrated model), to which few labels stay close.

    Of `kinds`, the signal set with the least cross-fitted log loss is kept. Mirror joints share their weights; a joint
    with few labels stays near what all joints share. With one group alone, stretches of people in order are the folds,
    and `crossed_by` says so.

    Raises `ShapeMismatch` naming the shapes, `UsageError` where there are too few labelled joints of either kind.
    """
    joints = len(skeleton)
    if hits.shape != (len(predictions), joints) or len(groups) != len(predictions):
        raise ShapeMismatch(
            f"{len(predictions)} predictions, hits {hits.shape}, {len(groups)} groups do not belong together"
        )
    counted = np.isfinite(hits) & np.isfinite(np.stack([p.xy for p in predictions])).all(axis=-1)
    right = np.where(counted, hits, 0.0) > 0
    _refuse_too_few(counted, right)
    fold, crossed_by = folds_of(groups, seed)
    best: FittedConfidence | None = None
    losses: dict[str, float] = {}
    for kind in kinds if prior is None else (prior.kind,):
        signals = joint_signals(predictions, skeleton, kind)
        fitted = _fit_set(kind, predictions, signals, counted, right, fold, skeleton, prior)
        losses[kind] = _log_loss(fitted.cross_fitted, counted, right)
        if best is None or losses[kind] < losses[best.model.kind]:
            best = fitted
    if best is None:
        raise UsageError("no signal set was asked for: name at least one")
    return FittedConfidence(best.model, best.cross_fitted, losses, crossed_by)


def folds_of(groups: Sequence[str], seed: int) -> tuple[np.ndarray, str]:
    """Return (N,) fold numbers and what is kept whole: ``group``, or ``stretch`` where there is one group alone."""
    names, codes, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    codes = codes.reshape(-1)
    if len(names) < 2:
        return (np.arange(len(groups)) * FOLDS // max(len(groups), 1)), "stretch"
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of, filled = np.zeros(len(names), dtype=np.int64), np.zeros(min(FOLDS, len(names)))
    for group in order:  # the largest groups first, each into the emptiest fold
        fold_of[group] = int(filled.argmin())
        filled[fold_of[group]] += sizes[group]
    return fold_of[codes], "group"


def _refuse_too_few(counted: np.ndarray, right: np.ndarray) -> None:
    total, good = int(counted.sum()), int((right & counted).sum())
    if total < MIN_JOINTS or min(good, total - good) < MIN_OF_EACH:
        raise UsageError(
            f"{total} labelled joints ({total - good} wrong) are too few to fit a confidence: correct more people, at "
            f"least {MIN_JOINTS} joints with {MIN_OF_EACH} wrong and {MIN_OF_EACH} right ones"
        )


def _fit_set(
    kind: str,
    predictions: Sequence[Prediction],
    signals: np.ndarray,
    counted: np.ndarray,
    right: np.ndarray,
    fold: np.ndarray,
    skeleton: Skeleton,
    prior: ConfidenceModel | None,
) -> FittedConfidence:
    knots = quantile_knots(signals, counted) if prior is None else prior.knots
    scores = standard_scores(signals, knots)
    start = None if prior is None else prior.weights
    sums = np.full(counted.shape, np.nan)
    for one in np.unique(fold):
        here = fold == one
        sums[here] = linear_sum(scores[here], _weights(scores[~here], counted[~here], right[~here], skeleton, start))
    shares = np.full(counted.shape, np.nan)
    for one in np.unique(fold):
        here = fold == one
        curves, labels = _curves(sums[~here], counted[~here], right[~here])
        shares[here] = to_share(sums[here], curves, labels)
    curves, labels = _curves(sums, counted, right)
    weights = _weights(scores, counted, right, skeleton, start)
    features = 0 if predictions[0].features is None else predictions[0].features.shape[-1]
    model = ConfidenceModel(skeleton.name, kind, features, knots, weights, curves, labels)
    found = np.isfinite(np.stack([p.xy for p in predictions])).all(axis=-1)
    return FittedConfidence(model, np.where(found, shares, 0.0), {}, "")


def _weights(
    scores: np.ndarray, counted: np.ndarray, right: np.ndarray, skeleton: Skeleton, start: np.ndarray | None
) -> np.ndarray:
    """Return (J, S + 1) logistic weights: one fit over all joints, then one per mirror pair, drawn back to it."""
    weights = np.zeros((len(skeleton), scores.shape[-1] + 1))
    shared = None
    if start is None:
        shared = _logistic(scores[counted], right[counted], np.zeros(scores.shape[-1] + 1), RIDGE_ALL)
    for j, mirror in enumerate(skeleton.flip):
        pair = sorted({j, mirror})
        centre = shared if start is None else start[pair].mean(axis=0)
        if j != pair[0]:
            weights[j] = weights[pair[0]]
        elif centre is not None:
            seen = counted[:, pair]
            weights[j] = _logistic(scores[:, pair][seen], right[:, pair][seen], centre, RIDGE_OWN)
    return weights


def _logistic(x: np.ndarray, y: np.ndarray, centre: np.ndarray, ridge: float) -> np.ndarray:
    """Return the (S + 1,) logistic weights of (M, S) x and (M,) y that least leave `centre`; it itself without data."""
    from scipy.optimize import minimize
    from scipy.special import expit

    if not len(x):
        return centre
    full = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    sign = np.where(y, 1.0, -1.0)
    pull = np.full(full.shape[1], ridge)
    pull[-1] *= CONSTANT

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (full @ w)
        away = w - centre
        value = float(np.logaddexp(0.0, -margin).sum() + 0.5 * (pull * away) @ away)
        return value, -full.T @ (sign * expit(-margin)) + pull * away

    return np.asarray(minimize(loss, centre, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x)


def _curves(
    sums: np.ndarray, counted: np.ndarray, right: np.ndarray
) -> tuple[tuple[tuple[np.ndarray, np.ndarray], ...], np.ndarray]:
    """Return the isotonic curve of each joint and its labels."""
    curves = [_curve(sums[counted[:, j], j], right[counted[:, j], j]) for j in range(counted.shape[1])]
    return tuple(curves), counted.sum(axis=0)


def _curve(sums: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (sums, shares) of the isotonic regression, one point per step of it, at the mean sum of the step.

    One made-up wrong and one made-up right joint stand at either end, so that no share is exactly 0 or 1.
    Source: Zadrozny and Elkan, KDD 2002; pool-adjacent-violators by SciPy.
    """
    from scipy.optimize import isotonic_regression

    if not len(sums):
        return np.zeros(0), np.zeros(0)
    order = np.argsort(sums, kind="stable")
    x = np.concatenate([[sums.min()] * 2, sums[order], [sums.max()] * 2])
    y = np.concatenate([[1.0, 0.0], right[order].astype(np.float64), [1.0, 0.0]])
    fitted = isotonic_regression(y)
    starts = np.asarray(fitted.blocks)[:-1]
    lengths = np.diff(np.asarray(fitted.blocks))
    at = np.add.reduceat(x, starts) / lengths
    rising = np.append(True, np.diff(at) > 1e-9)
    return at[rising], np.asarray(fitted.x)[starts][rising]


def _log_loss(shares: np.ndarray, counted: np.ndarray, right: np.ndarray) -> float:
    p = np.clip(shares[counted], 1e-6, 1 - 1e-6)
    return float(-np.log(np.where(right[counted], p, 1 - p)).mean())
