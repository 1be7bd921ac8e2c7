"""How far the predictions' confidence can be trusted: calibration error and finding wrong joints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.pose.records import Prediction, Sample
from emc.pose.reliability import auroc, average_precision, expected_calibration_error, reliability_bins
from emc.pose.skeleton import Skeleton
from emc.stages.evaluate.population import joint_hits


def score_confidence(
    predicted: Sequence[Prediction],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    head: str = "head_segment",
    alpha: float = 0.5,
    bins: int = 15,
) -> dict[str, object]:
    """Score the confidence against whether joints are right (within `alpha` x head size).

    Returns ``ece``, ``auroc_wrong``, ``ap_wrong`` (shares; None where undefined), ``wrong`` (share of wrong joints,
    which is the ``ap_wrong`` of a coin), ``n`` joints and ``bins``: rows of mean confidence, share right, joints.
    """
    hits = joint_hits(predicted, samples, skeleton, head, alpha)
    confidence = np.array([np.nan_to_num(p.confidence) for p in predicted], dtype=np.float64).reshape(hits.shape)
    counted = np.isfinite(hits)
    right, trust = hits[counted] > 0, np.clip(confidence[counted], 0.0, 1.0)
    table = reliability_bins(trust, right, bins)
    return {
        "ece": _number(expected_calibration_error(trust, right, bins)),
        "auroc_wrong": _number(auroc(-trust, ~right)),
        "ap_wrong": _number(average_precision(-trust, ~right)),
        "wrong": _number(float((~right).mean()) if right.size else float("nan")),
        "n": int(right.size),
        "bins": [[round(float(m), 5), round(float(s), 5), int(c)] for m, s, c in table if c > 0],
    }


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
