"""The record that readers of motion capture share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class MotionClip:
    """One captured movement.

    xyz : (T, 17, 3) float64 Human3.6M-17, metres, y up, right-handed; NaN where a joint is missing.
    """

    name: str
    fps: float
    xyz: np.ndarray


def y_up(points: np.ndarray) -> np.ndarray:
    """Return (..., 3) points of a frame whose z is up in one whose y is up; x stays."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)
