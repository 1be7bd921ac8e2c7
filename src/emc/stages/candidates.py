"""Other places that a joint may be meant to have: what a person accepts with one key instead of aiming."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.skeletons import Skeleton

APART = 0.12
"""Share of a heatmap's side within which a second maximum belongs to the first peak."""
LONGEST_GAP = 15
"""Frames to each side beyond which a neighbour says nothing of a joint's place."""
SURE = 0.5
"""Confidence from which a prediction counts as a neighbour."""


class Source(StrEnum):
    """Where a candidate comes from; its key is its place in this list, from 1."""

    PEAK = "peak"
    TRACKER = "tracker"
    INTERPOLATION = "interpolation"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place in pixels of the frame, and how much speaks for it, in [0, 1]."""

    source: Source
    xy: tuple[float, float]
    score: float

    @property
    def key(self) -> int:
        """The key that accepts it, 1 to 4."""
        return list(Source).index(self.source) + 1


def second_peak(chances: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return the place (column, row), in cells, of the highest peak apart from the first, and its share of chances.

    chances : (H, W), not negative. The place is the centre of gravity within one cell of the maximum. None where there
    is no other local maximum. Raises `ShapeMismatch` for another number of axes.
    """
    if chances.ndim != 2:
        raise ShapeMismatch(f"a heatmap has shape {chances.shape}: give (H, W)")
    total = float(chances.sum())
    row, column = np.unravel_index(int(chances.argmax()), chances.shape)
    rows, columns = np.indices(chances.shape)
    apart = max(2.0, APART * max(chances.shape))
    padded = np.pad(chances, 1, constant_values=-1.0)
    around = np.max([np.roll(padded, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx], axis=0)[
        1:-1, 1:-1
    ]
    other = (np.hypot(rows - row, columns - column) > apart) & (chances >= around) & (chances > 0)
    if not other.any() or total <= 0:
        return None
    best = np.unravel_index(int(np.where(other, chances, -1.0).argmax()), chances.shape)
    near = (np.abs(rows - best[0]) <= 1) & (np.abs(columns - best[1]) <= 1)
    weight = np.where(near, chances, 0.0)
    place = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    wide = (np.abs(rows - best[0]) <= 2) & (np.abs(columns - best[1]) <= 2)
    return place, float(np.where(wide, chances, 0.0).sum()) / total


def interpolated(
    frames: np.ndarray, places: np.ndarray, confidence: np.ndarray, at: int
) -> tuple[np.ndarray, float] | None:
    """Return the place on frame `at` on the straight line between the confident neighbours, and its score.

    frames : (T,) ascending. places : (T, 2) pixels, NaN where unknown. confidence : (T,) in [0, 1], 1 for a place that
    a person set. None unless there is a neighbour of at least `SURE` within `LONGEST_GAP` frames on both sides.
    """
    known = np.asarray(np.isfinite(places).all(axis=1)) & (confidence >= SURE) & (np.abs(frames - at) <= LONGEST_GAP)
    before, after = np.flatnonzero(known & (frames < at)), np.flatnonzero(known & (frames > at))
    if not len(before) or not len(after):
        return None
    a, b = before[-1], after[0]
    share = (at - frames[a]) / (frames[b] - frames[a])
    place = places[a] * (1 - share) + places[b] * share
    gap = float(frames[b] - frames[a] - 1)
    return place, float(min(confidence[a], confidence[b])) / (1.0 + gap / 4.0)


def mirrored_place(xy: np.ndarray, skeleton: Skeleton, joint: int) -> np.ndarray | None:
    """Return the place of a joint's mirror joint reflected at the body's axis, None where that is not known.

    xy : (J, 2) pixels, NaN where missing. The axis runs through the middles of the hips and of the shoulders; where
    one is missing it is upright through the other. A joint on the midline has no mirror.
    """
    other = skeleton.flip[joint]
    if other == joint or not np.isfinite(xy[other]).all():
        return None
    hips, shoulders = _middle(xy, skeleton, "hip"), _middle(xy, skeleton, "shoulder")
    origin = hips if hips is not None else shoulders
    if origin is None:
        return None
    along = np.array([0.0, 1.0])
    if hips is not None and shoulders is not None and float(np.linalg.norm(shoulders - hips)) > 1e-6:
        along = (shoulders - hips) / float(np.linalg.norm(shoulders - hips))
    offset = xy[other] - origin
    return origin + 2 * along * float(offset @ along) - offset


def _middle(xy: np.ndarray, skeleton: Skeleton, part: str) -> np.ndarray | None:
    places = xy[list(skeleton.parts.get(part, ()))]
    found = places[np.asarray(np.isfinite(places).all(axis=1))]
    return found.mean(axis=0) if len(found) == 2 else None
