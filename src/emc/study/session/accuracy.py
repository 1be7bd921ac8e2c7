"""How right joints are: the equal-quality rule by which both methods stop, and the figures beside the times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.skeletons import Skeleton

AREA_OF_BOX = 0.53
"""Share of a person's box that the person covers, where no outline is known (the usual factor for OKS without one)."""
USUAL_SIGMA = 0.072
"""Of joints whose skeleton has no OKS sigmas: an elbow's."""
LEAST_PIXELS = 2.0
"""Nobody is asked to aim better than this, in pixels of the frame."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a check of some frames found.

    counted : joints that count. right : of them, within their tolerance. missing : of them, without a place.
    wrong : frame -> joints that are not right, frames with none left out. pixels : mean distance of the placed ones
    to the reference, NaN where none is placed. oks : mean object keypoint similarity per joint, missing ones 0.
    """

    counted: int
    right: int
    missing: int
    wrong: Mapping[int, int]
    pixels: float
    oks: float

    @property
    def share(self) -> float:
        """Share of the counted joints that are right; 1 where none counts."""
        return self.right / self.counted if self.counted else 1.0


def tolerances(skeleton: Skeleton, scale: float, tolerance: float) -> np.ndarray:
    """Return (J,) radii in pixels within which a joint is right: tolerance x OKS sigma x scale, 2 px at least.

    A sigma is the root mean square of human placement around the true place, as a share of the person's scale (COCO
    keypoint evaluation): with 2 sigmas about 98 of 100 joints that people place with care are right.
    """
    return np.maximum(tolerance * sigmas_of(skeleton) * scale, LEAST_PIXELS)


def sigmas_of(skeleton: Skeleton) -> np.ndarray:
    """Return (J,) OKS sigmas, an elbow's where the skeleton has none."""
    found = skeleton.sigmas if len(skeleton.sigmas) == len(skeleton) else (USUAL_SIGMA,) * len(skeleton)
    return np.asarray(found, dtype=np.float64)


def person_scale(reference: np.ndarray) -> float:
    """Return the square root of a person's area: the median over frames of the box of its joints.

    reference : (T, J, 2) pixels, NaN = unknown. Returns 1 where no frame has two joints.
    """
    known = reference[np.isfinite(reference).all(axis=2).sum(axis=1) > 1]
    if not len(known):
        return 1.0
    sides = np.nanmax(known, axis=1) - np.nanmin(known, axis=1)
    return float(max(np.sqrt(np.median(sides.prod(axis=1)) * AREA_OF_BOX), 1.0))


def measure_accuracy(
    reference: np.ndarray, placed: np.ndarray, skeleton: Skeleton, scale: float, tolerance: float
) -> Accuracy:
    """Compare joints with the reference.

    reference, placed : (T, J, 2) pixels; a NaN in the reference does not count, one in `placed` is wrong. Frames in
    `wrong` are numbered from 0. Raises `ShapeMismatch` naming both shapes.
    """
    if reference.shape != placed.shape:
        raise ShapeMismatch(f"reference {reference.shape} and joints {placed.shape} differ: give the same frames")
    counts = np.asarray(np.isfinite(reference).all(axis=2))
    there = np.asarray(counts & np.isfinite(placed).all(axis=2))
    distance = np.where(
        there, np.linalg.norm(np.where(there[..., np.newaxis], placed - reference, 0.0), axis=2), np.inf
    )
    right = counts & (distance <= tolerances(skeleton, scale, tolerance))
    wrong: list[int] = (counts & ~right).sum(axis=1).tolist()
    similarity = np.exp(-(distance**2) / (2 * (2 * sigmas_of(skeleton) * scale) ** 2))
    return Accuracy(
        counted=int(counts.sum()),
        right=int(right.sum()),
        missing=int((counts & ~there).sum()),
        wrong={frame: count for frame, count in enumerate(wrong) if count},
        pixels=float(distance[there].mean()) if there.any() else float("nan"),
        oks=float(similarity[counts].mean()) if counts.any() else float("nan"),
    )
