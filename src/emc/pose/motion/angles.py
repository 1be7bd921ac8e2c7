"""Joint angles of Human3.6M-17 points, in degrees, and their errors.

All are angles between two directions, so they need no axes of the pelvis and do not depend on where the camera stands;
the ankle's and the trunk's also need to know where up is. Left and right are the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.skeletons import H36M17

CAMERA_UP = (0.0, -1.0, 0.0)
"""Up in camera axes (y down) of a camera that is held level."""

ANGLE_KINDS: tuple[str, ...] = ("knee", "hip", "ankle", "trunk", "elbow", "shoulder")
ANGLES: tuple[str, ...] = (
    "left_knee", "right_knee", "left_hip", "right_hip", "left_ankle", "right_ankle", "trunk", "left_elbow",
    "right_elbow", "left_shoulder", "right_shoulder",
)  # fmt: skip

_BENDS: Mapping[str, tuple[str, str, str]] = {
    "knee": ("hip", "knee", "ankle"),
    "elbow": ("shoulder", "elbow", "wrist"),
}


def joint_angles(xyz: np.ndarray, up: np.ndarray | tuple[float, float, float] = CAMERA_UP) -> dict[str, np.ndarray]:
    """Return name (of `ANGLES`) -> (T,) degrees; NaN where a joint is missing or two of them coincide.

    xyz : (T, 17, 3) metres, any frame. up : (3,) or (T, 3), the way up in that frame.

    - knee, elbow: flexion, 0 = straight, 180 = folded.
    - hip: between the thigh and the trunk's own line continued downwards; 0 = standing straight, 90 = seated. It holds
      flexion, extension and abduction alike.
    - shoulder: between the upper arm and the trunk's line downwards; 0 = arm hanging, 180 = straight up.
    - trunk: between the line from pelvis to thorax and up; 0 = upright, 180 = upside down.
    - ankle: between the shank and up; it is the ankle's dorsiflexion while the foot stands flat. Human3.6M-17 has no
      foot, so no more can be said of the ankle.

    Raises `ShapeMismatch` for other shapes.
    """
    if xyz.ndim != 3 or xyz.shape[1:] != (len(H36M17), 3):
        raise ShapeMismatch(f"joint angles need (T, 17, 3) Human3.6M points: got {xyz.shape}")
    points = np.asarray(xyz, dtype=np.float64)
    upward = np.broadcast_to(np.asarray(up, dtype=np.float64), (len(points), 3))
    trunk = _bone(points, "pelvis", "thorax")
    out = {"trunk": _between(trunk, upward)}
    for side in ("left", "right"):
        for name, (first, middle, last) in _BENDS.items():
            before = _bone(points, f"{side}_{first}", f"{side}_{middle}")
            out[f"{side}_{name}"] = _between(before, _bone(points, f"{side}_{middle}", f"{side}_{last}"))
        out[f"{side}_hip"] = _between(_bone(points, f"{side}_hip", f"{side}_knee"), -trunk)
        out[f"{side}_shoulder"] = _between(_bone(points, f"{side}_shoulder", f"{side}_elbow"), -trunk)
        out[f"{side}_ankle"] = _between(_bone(points, f"{side}_ankle", f"{side}_knee"), upward)
    return {name: out[name] for name in ANGLES}


def angle_errors(
    predicted: np.ndarray, truth: np.ndarray, up: np.ndarray | tuple[float, float, float] = CAMERA_UP
) -> dict[str, np.ndarray]:
    """Return name -> (T,) absolute differences in degrees; NaN where either is undefined.

    predicted, truth : (T, 17, 3), the same frame. Raises `ShapeMismatch` naming both shapes.
    """
    if predicted.shape != truth.shape:
        raise ShapeMismatch(f"joint angles of {predicted.shape} and {truth.shape} cannot be compared")
    ours, true = joint_angles(predicted, up), joint_angles(truth, up)
    return {name: np.abs(ours[name] - true[name]) for name in ANGLES}


def by_kind(errors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return kind (of `ANGLE_KINDS`) -> (T, 1 or 2) errors, left before right."""
    return {
        kind: np.stack(
            [e for name, e in errors.items() if name.removeprefix("left_").removeprefix("right_") == kind], 1
        )
        for kind in ANGLE_KINDS
    }


def _bone(points: np.ndarray, start: str, end: str) -> np.ndarray:
    return points[:, H36M17.index(end)] - points[:, H36M17.index(start)]


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (T,) degrees between (T, 3) vectors; exact near 0 and 180, where an arc cosine is not (Kahan, 2006)."""
    a, b = (v / _length(v) for v in (first, second))
    return np.degrees(2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1)))


def _length(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-9, length, np.nan)
