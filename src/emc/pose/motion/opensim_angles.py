"""Joint angles by the names and axes of OpenSim's full-body models, from Human3.6M-17 points.

Names and signs are those of Rajagopal et al., "Full-body musculoskeletal model for muscle-driven simulation of human
gait", IEEE Transactions on Biomedical Engineering 63, 2016: segments have x forward, y up, z to the right; rotations
are body-fixed, about z, then x, then y; flexion of hip, knee, arm and elbow, adduction and internal rotation are
positive on both sides.
"""

from __future__ import annotations

import numpy as np

from emc.pose.motion.motion import Motion3D
from emc.pose.motion.rig import euler_zxy

BENT = np.radians(15.0)
"""A limb that is straighter than this does not show how it is turned about itself."""
OPENSIM_COORDINATES: tuple[str, ...] = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    "hip_flexion_r", "hip_adduction_r", "hip_rotation_r", "knee_angle_r",
    "hip_flexion_l", "hip_adduction_l", "hip_rotation_l", "knee_angle_l",
    "lumbar_extension", "lumbar_bending", "lumbar_rotation",
    "arm_flex_r", "arm_add_r", "arm_rot_r", "elbow_flex_r",
    "arm_flex_l", "arm_add_l", "arm_rot_l", "elbow_flex_l",
)  # fmt: skip


def opensim_coordinates(motion: Motion3D) -> dict[str, np.ndarray]:
    """Return coordinate name -> (T,): degrees, and metres for ``pelvis_tx``, ``_ty``, ``_tz``; no missing joints.

    What 17 joints cannot show is modelled so: the pelvis leans as the lower trunk does; a hip or shoulder turns about
    the limb as its bent knee or elbow shows, and while that is within 15 degrees of straight the turn is interpolated
    in time (0 where it never bends). Ankle, foot, wrist and forearm rotation are left out.
    """
    xyz = np.asarray(motion.xyz, dtype=np.float64)
    pelvis = _frame(xyz[:, 1] - xyz[:, 4], xyz[:, 7] - xyz[:, 0])
    chest = _frame(xyz[:, 14] - xyz[:, 11], xyz[:, 8] - xyz[:, 7])
    found = dict(zip(("pelvis_tilt", "pelvis_list", "pelvis_rotation"), _euler_degrees(pelvis), strict=True))
    found |= {f"pelvis_t{axis}": xyz[:, 0, i] for i, axis in enumerate("xyz")}
    lumbar = _euler_degrees(np.swapaxes(pelvis, 1, 2) @ chest)
    found |= dict(zip(("lumbar_extension", "lumbar_bending", "lumbar_rotation"), lumbar, strict=True))
    for side, mirror, leg, arm in (("r", 1.0, (1, 2, 3), (14, 15, 16)), ("l", -1.0, (4, 5, 6), (11, 12, 13))):
        names = (f"hip_flexion_{side}", f"hip_adduction_{side}", f"hip_rotation_{side}", f"knee_angle_{side}")
        found |= dict(zip(names, _limb(xyz[:, leg], pelvis, mirror, -1.0), strict=True))
        names = (f"arm_flex_{side}", f"arm_add_{side}", f"arm_rot_{side}", f"elbow_flex_{side}")
        found |= dict(zip(names, _limb(xyz[:, arm], chest, mirror, 1.0), strict=True))
    return {name: found[name] for name in OPENSIM_COORDINATES}


def _frame(right: np.ndarray, upwards: np.ndarray) -> np.ndarray:
    """Return (T, 3, 3) with the columns x forward, y up, z right; right is kept, up made square to it."""
    z = _unit(right)
    y = _unit(upwards - (upwards * z).sum(axis=-1, keepdims=True) * z)
    return np.stack([np.cross(y, z), y, z], axis=-1)


def _euler_degrees(rotations: np.ndarray) -> np.ndarray:
    return np.degrees(np.unwrap(euler_zxy(rotations), axis=0)).T


def _limb(points: np.ndarray, base: np.ndarray, mirror: float, bends: float) -> tuple[np.ndarray, ...]:
    """Return flexion, adduction, rotation of a limb's upper bone in the frame `base`, and the flexion of its hinge.

    points : (T, 3, 3) hip, knee, ankle or shoulder, elbow, wrist. mirror : -1 on the left. bends : +1 where the lower
    bone flexes forwards, -1 where backwards. The upper bone, (0, -1, 0) at rest, is Rz(f) Rx(a) Ry(r) of that:
    (sin f cos a, -cos f cos a, -sin a).
    """
    upper = np.einsum("tji,tj->ti", base, _unit(points[:, 1] - points[:, 0]))
    lower = np.einsum("tji,tj->ti", base, _unit(points[:, 2] - points[:, 1]))
    flexion = np.arctan2(upper[:, 0], -upper[:, 1])
    adduction = np.arcsin(np.clip(-upper[:, 2], -1.0, 1.0))
    swung = np.einsum("tji,tj->ti", _rotation_z(flexion) @ _rotation_x(adduction), lower)
    hinge = np.arctan2(np.hypot(swung[:, 0], swung[:, 2]), -swung[:, 1])
    turn = _steady(np.arctan2(-bends * swung[:, 2], bends * swung[:, 0]), hinge > BENT)
    return (
        np.degrees(np.unwrap(flexion)), np.degrees(mirror * adduction), np.degrees(mirror * turn), np.degrees(hinge),
    )  # fmt: skip


def _steady(turn: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Return (T,) radians of the turn where it is shown, interpolated elsewhere."""
    if not shown.any():
        return np.zeros_like(turn)
    frames = np.arange(len(turn))
    return np.interp(frames, frames[shown], np.unwrap(turn[shown]))


def _rotation_z(angle: np.ndarray) -> np.ndarray:
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.moveaxis(np.array([[cos, -sin, zero], [sin, cos, zero], [zero, zero, one]]), -1, 0)


def _rotation_x(angle: np.ndarray) -> np.ndarray:
    cos, sin, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.moveaxis(np.array([[one, zero, zero], [zero, cos, -sin], [zero, sin, cos]]), -1, 0)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
