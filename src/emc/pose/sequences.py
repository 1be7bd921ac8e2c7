"""Sequences: one person over time, in 3D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch


@dataclass(frozen=True, slots=True)
class LiftedSequence:
    """One person's motion in 3D.

    person : the person's number in the clip.
    frames : (T,) int64, ascending frame indices of the clip; consecutive except where a long gap was left out.
    xyz : (T, 17, 3) float32 Human3.6M-17, metres, camera axes (x right, y down, z forward), pelvis at the origin.
    confidence : (T,) float32 in [0, 1], the mean confidence of the 2D joints; 0 on frames that were bridged.
    """

    person: int
    frames: np.ndarray
    xyz: np.ndarray
    confidence: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.frames)
        if self.frames.shape != (count,) or self.xyz.shape != (count, 17, 3) or self.confidence.shape != (count,):
            raise ShapeMismatch(
                f"lifted sequence of person {self.person} has frames {self.frames.shape}, xyz {self.xyz.shape}, "
                f"confidence {self.confidence.shape}: they must be (T,), (T, 17, 3), (T,)"
            )

    def __len__(self) -> int:
        return len(self.frames)

    def pieces(self) -> list[slice]:
        """Return the runs of consecutive frames, as slices into the arrays."""
        breaks = np.flatnonzero(np.diff(self.frames) != 1) + 1
        edges = [0, *(int(b) for b in breaks), len(self.frames)]
        return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b > a]
