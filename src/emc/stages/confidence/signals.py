"""What a prediction itself tells of how far each joint can be trusted: heatmap signals, and the shape of the pose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.errors import ShapeMismatch, UsageError
from emc.pose.records import Prediction
from emc.pose.skeletons import Skeleton

SIGNAL_SETS = ("heatmap", "pose")
"""``heatmap``: what the network says of the joint. ``pose``: that, and how the joint stands to the others."""

_HEATMAP = ("score", "box_side", "score_mean", "score_lowest", "score_neighbours")
_POSE = (
    "mirror_score", "mirror_apart", "outside", "x", "y", "x2", "y2", "above_hips", "from_hips", "beside_hips",
    "limb", "limb2", "upright", "torso", "aspect", "aspect_size",
)  # fmt: skip


def signal_names(kind: str, features: int) -> tuple[str, ...]:
    """Return the names of the signals of a set for an estimator with `features` signals of its own per joint.

    Raises `UsageError` naming the sets that exist.
    """
    if kind not in SIGNAL_SETS:
        raise UsageError(f"unknown signal set '{kind}': use one of {', '.join(SIGNAL_SETS)}")
    own = tuple(name for i in range(features) for name in (f"feature_{i}", f"feature_{i}_mean"))
    return (*_HEATMAP, *own) if kind == "heatmap" else (*_HEATMAP, *own, *_POSE)


def joint_signals(predictions: Sequence[Prediction], skeleton: Skeleton, kind: str) -> np.ndarray:
    """Return (N, J, S) float64 signals of N predictions, in the order of `signal_names`; NaN where one is unknown.

    Lengths are shares of the box's longer side, so that they do not depend on the resolution; the box's side itself is
    the logarithm of pixels. The stored `confidence` is never read: applying a calibration twice changes nothing.
    Raises `ShapeMismatch` where a prediction has other joints than the skeleton, or the features differ in number.
    """
    features = _features(predictions)
    names = signal_names(kind, features.shape[-1])
    joints = len(skeleton)
    if any(len(p.xy) != joints for p in predictions):
        raise ShapeMismatch(f"predictions do not all have the {joints} joints of skeleton {skeleton.name}")
    if not predictions:
        return np.zeros((0, joints, len(names)))
    xy = np.stack([p.xy for p in predictions]).astype(np.float64)
    found = np.asarray(np.isfinite(xy).all(axis=-1))
    xy = np.where(found[..., None], xy, np.nan)
    score = np.where(found, np.stack([p.score for p in predictions]).astype(np.float64), np.nan)
    box = np.stack([p.box for p in predictions]).astype(np.float64)
    side = np.maximum(box[:, 2:].max(axis=1), 1.0)
    columns = _heatmap_columns(score, side, skeleton)
    for i in range(features.shape[-1]):
        one = np.where(found, features[..., i], np.nan)
        columns += [one, _spread(_mean(one, axis=1), joints)]
    if kind == "pose":
        columns += _pose_columns(xy, score, box, side, skeleton)
    return np.stack(columns, axis=-1)


def _features(predictions: Sequence[Prediction]) -> np.ndarray:
    widths = {0 if p.features is None else p.features.shape[-1] for p in predictions}
    if len(widths) > 1:
        raise ShapeMismatch(f"predictions have different numbers of features {sorted(widths)}: keep models apart")
    if not widths or widths == {0}:
        joints = len(predictions[0].xy) if predictions else 0
        return np.zeros((len(predictions), joints, 0))
    return np.stack([p.features for p in predictions if p.features is not None]).astype(np.float64)


def _heatmap_columns(score: np.ndarray, side: np.ndarray, skeleton: Skeleton) -> list[np.ndarray]:
    joints = score.shape[1]
    lowest = np.where(np.isfinite(score), score, np.inf).min(axis=1)
    lowest = np.where(np.isfinite(lowest), lowest, np.nan)
    near = np.stack([_mean(score[:, found], axis=1) for found in _neighbours(skeleton)], axis=1)
    return [score, _spread(np.log(side), joints), _spread(_mean(score, axis=1), joints), _spread(lowest, joints), near]


def _pose_columns(
    xy: np.ndarray, score: np.ndarray, box: np.ndarray, side: np.ndarray, skeleton: Skeleton
) -> list[np.ndarray]:
    joints, flip = xy.shape[1], list(skeleton.flip)
    paired = np.array([i != j for i, j in enumerate(flip)])
    per_side = side[:, None]
    apart = np.where(paired, np.linalg.norm(xy - xy[:, flip], axis=-1) / per_side, np.nan)
    share = (xy - box[:, None, :2]) / np.maximum(box[:, None, 2:], 1.0)
    outside = np.maximum(np.maximum(-share, share - 1), 0).max(axis=-1)
    centred = (xy - (box[:, :2] + box[:, 2:] / 2)[:, None]) / per_side[..., None]
    shoulders, hips = (_middle(xy, skeleton, name) for name in ("shoulder", "hip"))
    torso = (shoulders - hips) / per_side
    length = np.linalg.norm(torso, axis=-1)
    upright = -torso[:, 1] / np.maximum(length, 1e-6)
    relative = (xy - hips[:, None]) / per_side[..., None]
    limb = np.stack(
        [
            _mean(np.linalg.norm(xy[:, j, None] - xy[:, found], axis=-1), axis=1)
            for j, found in enumerate(_neighbours(skeleton))
        ],
        axis=1,
    )
    limb = limb / per_side
    aspect = np.log(np.maximum(box[:, 2], 1.0) / np.maximum(box[:, 3], 1.0))
    return [
        np.where(paired, score[:, flip], np.nan), apart, outside, centred[..., 0], centred[..., 1],
        centred[..., 0] ** 2, centred[..., 1] ** 2, -relative[..., 1], np.linalg.norm(relative, axis=-1),
        np.abs(relative[..., 0]), limb, limb**2, _spread(upright, joints), _spread(length, joints),
        _spread(aspect, joints), _spread(np.abs(aspect), joints),
    ]  # fmt: skip


def _neighbours(skeleton: Skeleton) -> list[list[int]]:
    return [sorted({b if a == j else a for a, b in skeleton.limbs if j in (a, b)}) for j in range(len(skeleton))]


def _middle(xy: np.ndarray, skeleton: Skeleton, part: str) -> np.ndarray:
    """Return (N, 2) the middle of a pair of joints, NaN where the skeleton has no such pair."""
    joints = list(skeleton.parts.get(part, ()))
    return xy[:, joints].mean(axis=1) if len(joints) == 2 else np.full((len(xy), 2), np.nan)


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean of the finite values, NaN (no warning) where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=axis) / np.maximum(count, 1), np.nan)


def _spread(values: np.ndarray, joints: int) -> np.ndarray:
    return np.repeat(values[:, None], joints, axis=1)
