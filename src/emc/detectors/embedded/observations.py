"""What the embedded detector's network sees on a frame, kept so that boxes can be made of it once a clip is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from emc.pose.records import Box

Level = tuple[np.ndarray, np.ndarray]
"""Corners (N, 4) x0 y0 x1 y1 in frame pixels and scores (N,), best first, that one level found."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame as the network sees it, before duplicates are taken out.

    size : (width, height) of the frame. found : of each level. small : the frame as motion is looked for on it
    (`motion.shrunk`), empty where it is not. boxes : the persons that the network finds without motion.
    """

    frame: int
    size: tuple[int, int]
    found: Sequence[Level]
    small: np.ndarray
    boxes: list[Box] = field(default_factory=list[Box])


def above(levels: Sequence[Level], least: float) -> Level:
    """Return all levels' corners and scores from `least` on, a bound in the network's single precision."""
    bound = float(np.float32(least))
    corners = np.concatenate([corners[scores >= bound] for corners, scores in levels])
    scores = np.concatenate([scores[scores >= bound] for _, scores in levels])
    return corners, scores
