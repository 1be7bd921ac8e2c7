"""What the refinement knows of one person over consecutive frames: the lifter's answer, the 2D joints, the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.skeletons import COCO17, H36M17

FLOOR_CONFIDENCE = 0.05
"""Joints that are trusted less than this say nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One person on T consecutive frames.

    xyz : (T, 17, 3) float64 Human3.6M-17 as the lifter says it: metres, camera axes (x right, y down, z forward),
    pelvis at the origin. rays : (T, 17, 2) COCO-17 joints as x / z and y / z of the ray through them; NaN = not seen.
    confidence : (T, 17) in [0, 1], 0 where not seen. focal : pixels. fps : frames per second.
    """

    xyz: np.ndarray
    rays: np.ndarray
    confidence: np.ndarray
    focal: float
    fps: float

    def __len__(self) -> int:
        return len(self.xyz)

    def only(self, frames: np.ndarray) -> Evidence:
        """Return the evidence with the 2D joints of (T,) `frames` alone; on the others nothing was seen."""
        rays = np.where(frames[:, None, None], self.rays, np.nan)
        return Evidence(self.xyz, rays, self.confidence * frames[:, None], self.focal, self.fps)

    def part(self, first: int, last: int) -> Evidence:
        """Return the evidence of frames `first` up to, not including, `last`."""
        return Evidence(self.xyz[first:last], self.rays[first:last], self.confidence[first:last], self.focal, self.fps)


def gather_evidence(
    xyz: np.ndarray,
    xy: np.ndarray,
    confidence: np.ndarray,
    size: tuple[int, int],
    fps: float,
    focal: float | None = None,
) -> Evidence:
    """Return the evidence of one person.

    xyz : (T, 17, 3) lifted joints. xy : (T, 17, 2) COCO-17 pixels, NaN = missing. confidence : (T, 17), NaN counts as
    0. size : (width, height) of the frame; the principal point is its middle. focal : pixels, None: the longer side.
    Raises `ShapeMismatch` where shapes do not fit.
    """
    frames = len(xyz)
    if xyz.shape != (frames, len(H36M17), 3) or xy.shape != (frames, len(COCO17), 2):
        raise ShapeMismatch(
            f"refinement got xyz {xyz.shape} and xy {xy.shape}: they must be (T, 17, 3) and (T, 17, 2), T the same"
        )
    if confidence.shape != xy.shape[:2]:
        raise ShapeMismatch(f"refinement got confidence {confidence.shape} for xy {xy.shape}: it must be (T, 17)")
    length = float(focal or max(size))
    middle = (np.array(size, dtype=np.float64) - 1) / 2
    rays = (np.asarray(xy, dtype=np.float64) - middle) / length
    trusted = np.clip(np.nan_to_num(np.asarray(confidence, dtype=np.float64)), 0.0, 1.0)
    seen = np.isfinite(rays).all(axis=-1) & (trusted >= FLOOR_CONFIDENCE)
    return Evidence(
        np.asarray(xyz, dtype=np.float64),
        np.where(seen[..., None], rays, np.nan),
        np.where(seen, trusted, 0.0),
        length,
        fps if fps > 0 else 30.0,
    )
