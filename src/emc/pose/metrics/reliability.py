"""How far a confidence can be trusted: calibration error, and how well low confidence finds wrong joints."""

from __future__ import annotations

import numpy as np

from emc.errors import ShapeMismatch


def reliability_bins(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> np.ndarray:
    """Return (`bins`, 3): mean confidence, share right, number of joints in each of `bins` equal steps of confidence.

    confidence : (N,) in [0, 1]. right : (N,) bool. An empty bin is (NaN, NaN, 0).
    """
    if confidence.shape != right.shape:
        raise ShapeMismatch(f"confidence {confidence.shape} and right {right.shape} must be equally long")
    index = np.clip((confidence * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(index, minlength=bins).astype(np.float64)
    safe = np.where(count > 0, count, np.nan)
    mean = np.bincount(index, weights=confidence, minlength=bins) / safe
    share = np.bincount(index, weights=right.astype(np.float64), minlength=bins) / safe
    return np.stack([mean, share, count], axis=1)


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Return the mean |confidence - share right| over the bins, weighted by their joints; NaN where there are none.

    Source: Guo et al., ICML 2017.
    """
    table = reliability_bins(confidence, right, bins)
    filled = table[table[:, 2] > 0]
    if not len(filled):
        return float("nan")
    return float((np.abs(filled[:, 0] - filled[:, 1]) * filled[:, 2]).sum() / filled[:, 2].sum())


def auroc(score: np.ndarray, positive: np.ndarray) -> float:
    """Return P(a positive scores above a negative), ties counting half; NaN where either kind is missing."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse.reshape(-1)]
    return float((rank[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(score: np.ndarray, positive: np.ndarray) -> float:
    """Return the sum of precision x growth of recall over the distinct scores, highest first; NaN without positives."""
    if not positive.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hit = np.cumsum(positive[order])
    last_of_score = np.append(np.diff(score[order]) != 0, True)
    hit, seen = hit[last_of_score], np.arange(1, len(score) + 1)[last_of_score]
    growth = np.diff(hit, prepend=0) / hit[-1]
    return float((growth * hit / seen).sum())
