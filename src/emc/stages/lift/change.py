"""How far two lifted versions of one motion differ: what a batch of corrections changed in 3D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.pose.motion import LiftedSequence, angle_errors
from emc.pose.skeletons import H36M17

MM = 1000.0
MOVED = 1.0
"""Millimetres from which a frame counts as changed."""


@dataclass(frozen=True, slots=True)
class MotionChange:
    """The difference of two sequences of one person over the frames that both have.

    frames : how many those are. changed : on how many of them any joint moved by a millimetre or more. mean_mm and
    max_mm : over their joints, pelvis at the origin. joint_mm : joint -> mean mm. angle_degrees : angle of
    `emc.pose.motion.ANGLES` -> (mean, largest) absolute difference in degrees; angles that are never defined are
    left out. only_before, only_after : frames that the other one lacks.
    """

    person: int
    frames: int
    changed: int
    mean_mm: float
    max_mm: float
    joint_mm: dict[str, float]
    angle_degrees: dict[str, tuple[float, float]]
    only_before: int
    only_after: int

    def as_json(self) -> dict[str, object]:
        """Return plain numbers, rounded to 0.01."""
        return {
            "person": self.person,
            "frames": self.frames,
            "changed": self.changed,
            "mean_mm": round(self.mean_mm, 2),
            "max_mm": round(self.max_mm, 2),
            "joint_mm": {joint: round(value, 2) for joint, value in self.joint_mm.items()},
            "angle_degrees": {
                name: {"mean": round(mean, 2), "max": round(largest, 2)}
                for name, (mean, largest) in self.angle_degrees.items()
            },
            "only_before": self.only_before,
            "only_after": self.only_after,
        }


def motion_change(before: LiftedSequence, after: LiftedSequence) -> MotionChange:
    """Return how far `after` differs from `before`, frame by frame; neither is fitted onto the other."""
    _, rows_before, rows_after = np.intersect1d(before.frames, after.frames, return_indices=True)
    a = before.xyz[rows_before].astype(np.float64)
    b = after.xyz[rows_after].astype(np.float64)
    apart = np.linalg.norm(a - b, axis=-1) * MM
    angles: dict[str, tuple[float, float]] = {}
    for name, off in angle_errors(a, b).items() if len(a) else ():
        if np.isfinite(off).any():
            angles[name] = (float(np.nanmean(off)), float(np.nanmax(off)))
    return MotionChange(
        person=after.person,
        frames=len(a),
        changed=int((apart.max(axis=1, initial=0.0) >= MOVED).sum()),
        mean_mm=float(apart.mean()) if len(a) else 0.0,
        max_mm=float(apart.max(initial=0.0)),
        joint_mm={joint: float(apart[:, i].mean()) if len(a) else 0.0 for i, joint in enumerate(H36M17.joints)},
        angle_degrees=angles,
        only_before=len(before) - len(a),
        only_after=len(after) - len(a),
    )
