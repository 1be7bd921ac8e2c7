"""Non-maximum suppression: of boxes that overlap much the best one stays."""

from __future__ import annotations

import numpy as np

from emc.pose.geometry import box_overlap

OVERLAP = 0.5


def suppress(xywh: np.ndarray, scores: np.ndarray, overlap: float = OVERLAP) -> np.ndarray:
    """Return the indices to keep of (N, 4) boxes, best first: none overlaps a better one by more than `overlap` IoU."""
    left = list(np.argsort(-scores, kind="stable"))
    shared = box_overlap(xywh, xywh)
    kept: list[int] = []
    while left:
        best = left.pop(0)
        kept.append(int(best))
        left = [other for other in left if shared[best, other] <= overlap]
    return np.array(kept, dtype=np.int64)
