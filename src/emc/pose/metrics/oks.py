"""Average precision from matches by object keypoint similarity (OKS), for many resamples of the images at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OKS_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
OKS_AREAS = ("all", "medium", "large")
AP_NAMES = ("ap", "ap50", "ap75", "apm", "apl", "ar")
# Blocks of resamples that stay in the processor's cache: twice as many take half as long again, all at once twice.
_CELLS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class OksMatches:
    """Who was matched at each similarity threshold, in the form that precision and recall are counted from.

    score : (D,) of the detections, any scale. unit : (D,) int, the resampling unit of each.
    matched, ignored : (A, T, D) bool for the areas of `AREAS` and the thresholds of `THRESHOLDS`; a detection that
    matched somebody outside the area range, or nobody while itself outside of it, is ignored.
    positives : (A, U), labelled persons that count, per unit.
    """

    score: np.ndarray
    unit: np.ndarray
    matched: np.ndarray
    ignored: np.ndarray
    positives: np.ndarray


def average_precisions(matches: OksMatches, weights: np.ndarray) -> np.ndarray:
    """Return (B, 6) figures `AP_NAMES`, each unit counted as often as `weights` (B, U) says (ones: the plain figure).

    Equal to COCO's protocol (101 recall points, envelope of precision, detections in the order of their scores, ties
    in the order of the detections) on an image set in which each image is repeated. NaN where no person counts.
    """
    rows = max(1, _CELLS_AT_ONCE // max(len(matches.score), 1))
    parts = [_figures(matches, weights[start : start + rows]) for start in range(0, len(weights), rows)]
    return np.concatenate(parts) if parts else np.zeros((0, len(AP_NAMES)))


def _figures(matches: OksMatches, weights: np.ndarray) -> np.ndarray:
    # Stable, as pycocotools sorts (mergesort): detections of equal score in another order give another AP, and coarse
    # scores have many ties.
    order = np.argsort(-matches.score, kind="stable")
    drawn = weights[:, matches.unit[order]]
    positives = weights @ matches.positives.T
    precision = np.full((len(OKS_AREAS), len(OKS_THRESHOLDS), len(weights)), np.nan)
    recall = np.full((len(OKS_THRESHOLDS), len(weights)), np.nan)
    for a in range(len(OKS_AREAS)):
        for t in range(len(OKS_THRESHOLDS)):
            counted = ~matches.ignored[a, t, order]
            true = counted & matches.matched[a, t, order]
            precision[a, t], reached = _mean_precision(drawn[:, counted], true[counted], positives[:, a])
            if a == 0:
                recall[t] = reached
    every, medium, large = (precision[a].mean(axis=0) for a in range(len(OKS_AREAS)))
    half, three_quarters = precision[0, 0], precision[0, 5]
    return np.stack([every, half, three_quarters, medium, large, recall.mean(axis=0)], axis=1)


def _mean_precision(drawn: np.ndarray, true: np.ndarray, positives: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (B,) mean over `RECALLS` of the enveloped precision, and (B,) the recall reached; NaN without positives.

    drawn : (B, C) how often each counted detection occurs, best score first. true : (C,) whether it is matched.
    Only the matched ones are looked at: between two of them precision falls and recall stands still.
    """
    seen = np.cumsum(drawn, axis=1)[:, true]
    hit = np.cumsum(drawn[:, true], axis=1)
    # spacing(1), as pycocotools adds: without it a unit that was never drawn divides 0 by 0, and with another value AP
    # is no longer equal to the reference's in all digits.
    envelope = np.maximum.accumulate((hit / (seen + np.spacing(1)))[:, ::-1], axis=1)[:, ::-1]
    padded = np.concatenate([envelope, np.zeros((len(envelope), 1))], axis=1)
    recall = hit / np.where(positives > 0, positives, np.nan)[:, None]
    # Row by row: recalls differ between resamples. Left, as pycocotools: a recall that is reached exactly counts.
    at = np.array([np.searchsorted(row, RECALLS, side="left") for row in recall]).reshape(-1, len(RECALLS))
    known = positives > 0
    reached = recall[:, -1] if hit.shape[1] else np.zeros(len(hit))
    mean = np.take_along_axis(padded, at, axis=1).mean(axis=1)
    return np.where(known, mean, np.nan), np.where(known, reached, np.nan)
