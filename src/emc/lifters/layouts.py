"""The same person's 2D joints in the layouts COCO-17 and Human3.6M-17.

Twelve limb joints are the same in both. The rest is a weighted mean of joints of the other layout, with weights that
``python training/lifter_layouts.py`` fitted on the package's own motion; that command prints their errors. Here those
of left and right are made exactly alike, and each row sums to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.skeletons import COCO17, H36M17, Skeleton, joint_mapping

FACE_FROM = ("thorax", "neck_nose", "head_top", "left_shoulder", "right_shoulder")
FACE: Mapping[str, tuple[float, ...]] = MappingProxyType({
    "nose": (0.129, 1.440, -0.082, -0.2435, -0.2435),
    "left_eye": (0.106, 1.168, 0.138, -0.117, -0.295),
    "right_eye": (0.106, 1.168, 0.138, -0.295, -0.117),
    "left_ear": (0.152, 0.252, 0.475, 0.263, -0.142),
    "right_ear": (0.152, 0.252, 0.475, -0.142, 0.263),
})  # fmt: skip
TRUNK_FROM = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "nose", "left_ear", "right_ear")
TRUNK: Mapping[str, tuple[float, ...]] = MappingProxyType({
    "pelvis": (0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0),
    "spine": (0.216, 0.216, 0.269, 0.269, 0.016, 0.007, 0.007),
    "thorax": (0.245, 0.245, 0.040, 0.040, 0.046, 0.192, 0.192),
    "neck_nose": (0.162, 0.162, -0.009, -0.009, 0.162, 0.266, 0.266),
    "head_top": (-0.033, -0.033, -0.088, -0.088, 0.017, 0.6125, 0.6125),
})  # fmt: skip


def coco_from_h36m_2d(xy: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, 17, 2) COCO-17 points and (T, 17) confidence from (T, 17, 2) Human3.6M-17 points and theirs.

    Units are kept. A point that depends on a missing one (NaN) is NaN with confidence 0, any other has the least
    confidence of those it depends on: nose and eyes are guesses, since Human3.6M joints do not show a face's direction,
    but lifters err less where the guesses count as detected. Raises `ShapeMismatch` for other shapes.
    """
    return _mapped(xy, confidence, H36M17, COCO17, FACE_FROM, FACE)


def h36m_from_coco_2d(xy: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, 17, 2) Human3.6M-17 points and (T, 17) confidence from COCO-17 ones.

    Units are kept; a point that depends on a missing one (NaN) is NaN with confidence 0. Raises `ShapeMismatch`.
    """
    return _mapped(xy, confidence, COCO17, H36M17, TRUNK_FROM, TRUNK)


def _mapped(
    xy: np.ndarray,
    confidence: np.ndarray,
    source: Skeleton,
    target: Skeleton,
    names: tuple[str, ...],
    table: Mapping[str, tuple[float, ...]],
) -> tuple[np.ndarray, np.ndarray]:
    if xy.ndim != 3 or xy.shape[1:] != (len(source), 2) or confidence.shape != xy.shape[:2]:
        raise ShapeMismatch(
            f"layout {source.name} got xy {xy.shape} and confidence {confidence.shape}: it needs (T, 17, 2), (T, 17)"
        )
    same = joint_mapping(source, target)
    at = np.maximum(same, 0)
    out, known = xy[:, at].astype(np.float64), confidence[:, at].astype(np.float64)
    where = [source.index(name) for name in names]
    for joint, row in table.items():
        used = [k for k, weight in enumerate(row) if weight != 0]
        joints = [where[k] for k in used]
        index = target.index(joint)
        out[:, index] = np.einsum("k,tka->ta", np.array(row)[used], xy[:, joints])
        known[:, index] = confidence[:, joints].min(axis=1)
    known[~np.isfinite(out).all(axis=-1)] = 0.0
    return out, known
