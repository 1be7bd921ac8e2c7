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

    What refinement adds, None where it was not asked for: root : (T, 3) float32 metres, the pelvis in the camera frame.
    sigma : (T, 17) float32 metres, how uncertain each joint's place around the pelvis is (root of the expected squared
    distance). contact : (T, 2) float32 in [0, 1], how surely the right and the left foot stand on the floor.
    floor : (4,) float64, unit normal (upwards, camera axes) and offset: normal . point + offset is the height in metres
    of a camera-frame point above the floor.
    cuts : (K,) int64 frames that begin another shot, or None: the camera sees something else from there on.
    """

    person: int
    frames: np.ndarray
    xyz: np.ndarray
    confidence: np.ndarray
    root: np.ndarray | None = None
    sigma: np.ndarray | None = None
    contact: np.ndarray | None = None
    floor: np.ndarray | None = None
    cuts: np.ndarray | None = None

    def __post_init__(self) -> None:
        count = len(self.frames)
        extras = ((self.root, (count, 3)), (self.sigma, (count, 17)), (self.contact, (count, 2)), (self.floor, (4,)))
        wrong = [f"{value.shape} for {shape}" for value, shape in extras if value is not None and value.shape != shape]
        if wrong:
            raise ShapeMismatch(
                f"lifted sequence of person {self.person} has {', '.join(wrong)} (root, sigma, contact, floor): "
                "give one row per frame"
            )
        if self.frames.shape != (count,) or self.xyz.shape != (count, 17, 3) or self.confidence.shape != (count,):
            raise ShapeMismatch(
                f"lifted sequence of person {self.person} has frames {self.frames.shape}, xyz {self.xyz.shape}, "
                f"confidence {self.confidence.shape}: they must be (T,), (T, 17, 3), (T,)"
            )

    def __len__(self) -> int:
        return len(self.frames)

    def pieces(self) -> list[slice]:
        """Return the runs of consecutive frames of one shot, as slices into the arrays."""
        apart = np.diff(self.frames) != 1
        if self.cuts is not None and len(self.frames):
            apart |= np.diff(np.searchsorted(np.sort(self.cuts), self.frames, side="right")) > 0
        breaks = np.flatnonzero(apart) + 1
        edges = [0, *(int(b) for b in breaks), len(self.frames)]
        return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b > a]
