"""Who is read at several rotations where the others make do with one pass: the unsure, the lying and the inverted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.estimators.rotation.consensus import found_confidence
from emc.pose.records import Prediction
from emc.pose.skeletons import Skeleton

UNSURE = 0.45
"""Mean score over a person's joints below which the first pass is unsure of the person."""
LEAN = 60.0
"""Degrees from upright from which on a trunk counts as lying or inverted."""


def needs_rotations(predictions: Sequence[Prediction], skeleton: Skeleton) -> np.ndarray:
    """Return (N,) bool: whom the first pass, over the unrotated image, is unsure of or sees lying or inverted."""
    xy = np.stack([p.xy for p in predictions]).astype(np.float64)
    score = found_confidence(xy, np.stack([p.score for p in predictions]))
    return (score.mean(axis=-1) < UNSURE) | (trunk_lean(xy, skeleton) > LEAN)


def trunk_lean(xy: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return (N,) degrees in [0, 180] between each trunk, hips to shoulders, and the picture's vertical.

    xy : (N, J, 2) pixels, y down. 0 where shoulders or hips are not found, or not part of the skeleton.
    """
    upper, lower = (list(skeleton.parts.get(part, ())) for part in ("shoulder", "hip"))
    if not upper or not lower:
        return np.zeros(len(xy))
    across, down = np.moveaxis(xy[:, upper].mean(axis=1) - xy[:, lower].mean(axis=1), -1, 0)
    return np.nan_to_num(np.degrees(np.abs(np.arctan2(across, -down))), nan=0.0)
