"""Scores of `nano` on labelled samples, and the table that turns its peaks into confidences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.estimators.nano import NanoEstimator
from emc.pose.records import Box, Sample
from emc.pose.skeletons import COCO17

KNOTS = 21
LIMBS = tuple(i for word in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for i in COCO17.part(word))


@dataclass(frozen=True, slots=True)
class Measured:
    """Predictions against labels: distance (N, J) pixels (NaN: no label), torso and head (N,) pixels, peak (N, J)."""

    distance: np.ndarray
    torso: np.ndarray
    head: np.ndarray
    peak: np.ndarray
    confidence: np.ndarray


def measure(estimator: NanoEstimator, samples: Sequence[Sample]) -> Measured:
    """Predict every sample in its own box and measure the distances to its labels."""
    boxes = [[Box(s.frame, (float(s.box[0]), float(s.box[1]), float(s.box[2]), float(s.box[3])))] for s in samples]
    found = estimator.predict([s.image for s in samples], boxes)
    labels = np.stack([np.where((s.visibility > 0)[:, None], s.xy, np.nan) for s in samples])
    xy = np.stack([p.xy for p in found])
    return Measured(
        distance=np.linalg.norm(xy - labels, axis=-1),
        torso=np.array([torso_length(label) for label in labels]),
        head=np.array([s.head for s in samples]),
        peak=np.stack([p.score for p in found]),
        confidence=np.stack([p.confidence for p in found]),
    )


def torso_length(xy: np.ndarray) -> float:
    """Return right shoulder to left hip in pixels (left shoulder to right hip where one is missing), else NaN."""
    for shoulder, hip in (("right_shoulder", "left_hip"), ("left_shoulder", "right_hip")):
        length = float(np.linalg.norm(xy[COCO17.index(shoulder)] - xy[COCO17.index(hip)]))
        if np.isfinite(length):
            return length
    return float("nan")


def share_right(
    distance: np.ndarray, scale: np.ndarray, alpha: float, joints: Sequence[int] = LIMBS
) -> tuple[float, int]:
    """Return (share of labelled joints within alpha x scale, their number); samples without a scale do not count."""
    counts, right = counted(distance, scale, alpha, joints)
    number = int(counts.sum())
    return (float(right.sum() / number) if number else float("nan")), number


def counted(
    distance: np.ndarray, scale: np.ndarray, alpha: float, joints: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return two (N, joints) masks: which labels count, and which of them are within alpha x scale."""
    part = distance[:, list(joints)]
    counts = np.isfinite(part) & np.isfinite(scale)[:, None] & (scale > 0)[:, None]
    return counts, np.where(counts, part, np.inf) <= alpha * np.where(counts.any(axis=1), scale, 0.0)[:, None]


def score(measured: Measured) -> dict[str, float]:
    """Return PCK@0.2 torso and PCKh@0.5 head segment, of the twelve limb joints and of the legs."""
    return {name: round(share_right(*arguments)[0], 4) for name, arguments in _measures(measured).items()}


def intervals(measured: Measured, rounds: int = 1000, seed: int = 0) -> dict[str, list[float]]:
    """Return the 95 % interval of each figure of `score`: seeded bootstrap over samples."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(measured.torso), (rounds, len(measured.torso)))
    found = {}
    for name, (distance, scale, alpha, joints) in _measures(measured).items():
        counts, right = counted(distance, scale, alpha, joints)
        shares = right.sum(axis=1)[drawn].sum(axis=1) / counts.sum(axis=1)[drawn].sum(axis=1)
        found[name] = [round(float(v), 4) for v in np.percentile(shares, [2.5, 97.5])]
    return found


def _measures(measured: Measured) -> dict[str, tuple[np.ndarray, np.ndarray, float, Sequence[int]]]:
    legs = COCO17.part("leg")
    return {
        "pck_all": (measured.distance, measured.torso, 0.2, LIMBS),
        "pck_legs": (measured.distance, measured.torso, 0.2, legs),
        "pckh_all": (measured.distance, measured.head, 0.5, LIMBS),
        "pckh_legs": (measured.distance, measured.head, 0.5, legs),
    }


def confidence_error(measured: Measured, bins: int = 10) -> float:
    """Return the expected calibration error of the confidences: P(within 0.5 head), limb joints."""
    counts, right = _right(measured)
    confidence, right = measured.confidence[:, list(LIMBS)][counts[:, list(LIMBS)]], right[:, list(LIMBS)]
    right = right[counts[:, list(LIMBS)]]
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place)]
    return float(np.sum(gaps))


def fit_confidence(measured: Measured) -> dict[str, list]:
    """Fit P(joint is right) against the peak, one rising curve per pair of mirror joints.

    Right = within 0.5 head segment, or 0.2 torso where no head is labelled. Isotonic regression (pool adjacent
    violators) read off at 21 knots, half of it the curve of all joints together: a few hundred labels per pair alone
    give steps that are chance.
    """
    counts, right = _right(measured)
    knots = np.linspace(0.0, 1.0, KNOTS)
    pooled = _curve(measured.peak[counts], right[counts], knots)
    rows = []
    for joint in range(len(COCO17)):
        pair = sorted({joint, COCO17.flip[joint]})
        use = counts[:, pair]
        own = _curve(measured.peak[:, pair][use], right[:, pair][use], knots) if int(use.sum()) >= 100 else pooled
        rows.append((own + pooled) / 2)
    return {"peak": [round(float(k), 4) for k in knots], "right": [[round(float(v), 4) for v in row] for row in rows]}


def _right(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    limit = np.where(np.isfinite(measured.head), 0.5 * measured.head, 0.2 * measured.torso)
    counts = np.isfinite(measured.distance) & np.isfinite(limit)[:, None]
    return counts, np.where(counts, measured.distance, np.inf) <= limit[:, None]


def _curve(peak: np.ndarray, right: np.ndarray, knots: np.ndarray) -> np.ndarray:
    order = np.argsort(peak, kind="stable")
    fitted = rising_fit(right[order].astype(np.float64))
    # A map without any peak knows nothing, even where no held-out joint was that bad.
    values = np.interp(knots, np.append(0.0, peak[order]), np.append(0.0, fitted))
    # Nobody is ever sure: a handful of held-out photos cannot show 0 or 1.
    return np.clip(np.maximum.accumulate(values), 0.02, 0.98)


def rising_fit(values: np.ndarray) -> np.ndarray:
    """Return the rising sequence nearest to `values` in least squares (pool adjacent violators)."""
    levels: list[list[float]] = []
    for value in values:
        levels.append([float(value), 1.0])
        while len(levels) > 1 and levels[-2][0] >= levels[-1][0]:
            high, count = levels.pop()
            low, number = levels.pop()
            levels.append([(high * count + low * number) / (count + number), count + number])
    return np.concatenate([np.full(int(count), level) for level, count in levels])
