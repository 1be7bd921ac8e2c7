"""Three-dimensional metrics: per-joint errors in millimetres under the four usual alignments.

Points are metres, any right-handed axes, the same for both. A joint counts where both its prediction and its truth are
finite; elsewhere its error is NaN. The root, whose aligned error is 0, is counted, as in the published figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emc.errors import ShapeMismatch

MM = 1000.0
PCK_MM = 150.0
AUC_THRESHOLDS: tuple[float, ...] = tuple(5.0 * step for step in range(31))


def mpjpe_errors(predicted: np.ndarray, truth: np.ndarray, root: int = 0) -> np.ndarray:
    """Return (T, J) joint errors in mm after moving both roots to the origin (protocol 1).

    predicted, truth : (T, J, 3) metres. Raises `ShapeMismatch` naming both shapes.
    """
    a, b = _rooted(predicted, truth, root)
    return np.linalg.norm(a - b, axis=-1) * MM


def n_mpjpe_errors(predicted: np.ndarray, truth: np.ndarray, root: int = 0) -> np.ndarray:
    """Return (T, J) joint errors in mm, roots aligned and each frame scaled best in the least-squares sense.

    Source: Rhodin et al., CVPR 2018. A frame whose prediction is a single point keeps its scale.
    """
    a, b = _rooted(predicted, truth, root)
    known = np.isfinite(a).all(axis=-1) & np.isfinite(b).all(axis=-1)
    size = np.where(known, (a * a).sum(axis=-1), 0.0).sum(axis=1)
    match = np.where(known, (a * b).sum(axis=-1), 0.0).sum(axis=1)
    scale = np.divide(match, size, out=np.ones_like(size), where=size > 0)
    return np.linalg.norm(a * scale[:, None, None] - b, axis=-1) * MM


def p_mpjpe_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (T, J) joint errors in mm after the best similarity per frame: scale, rotation, translation (protocol 2).

    Reflections are refused: a mirrored pose keeps an error. Source: Umeyama, PAMI 1991.
    """
    _same_shape(predicted, truth)
    known: np.ndarray = np.asarray(np.isfinite(predicted).all(axis=-1) & np.isfinite(truth).all(axis=-1))
    aligned = _aligned(np.where(known[..., None], predicted, 0.0), np.where(known[..., None], truth, 0.0), known)
    return np.where(known, np.linalg.norm(aligned - truth, axis=-1) * MM, np.nan)


def mpjve_errors(predicted: np.ndarray, truth: np.ndarray, root: int = 0) -> np.ndarray:
    """Return (T - 1, J) errors of the first differences in mm per frame, roots aligned."""
    a, b = _rooted(predicted, truth, root)
    return np.linalg.norm(np.diff(a, axis=0) - np.diff(b, axis=0), axis=-1) * MM


def pck3d(errors: np.ndarray, threshold: float = PCK_MM) -> float:
    """Return the share of joints whose root-aligned error is at most `threshold` mm; NaN where no joint counts.

    errors : (T, J) of `mpjpe_errors`, the root left out (its error is 0 by definition): see `without_root`.
    Source: Mehta et al., 3DV 2017 (150 mm: half a head).
    """
    counted = errors[np.isfinite(errors)]
    return float((counted <= threshold).mean()) if counted.size else float("nan")


def pck3d_auc(errors: np.ndarray) -> float:
    """Return the mean of `pck3d` over the thresholds 0, 5, ... 150 mm: the area under its curve, in [0, 1]."""
    counted = errors[np.isfinite(errors)]
    return float(auc_shares(counted).mean()) if counted.size else float("nan")


def auc_shares(errors: np.ndarray) -> np.ndarray:
    """Return for each error in mm the share of the thresholds 0, 5, ... 150 mm that it stays within; NaN stays NaN."""
    within = np.where(np.isfinite(errors), errors, 0.0)[..., None] <= np.array(AUC_THRESHOLDS)
    return np.where(np.isfinite(errors), within.mean(axis=-1), np.nan)


def without_root(errors: np.ndarray, root: int = 0) -> np.ndarray:
    """Return (T, J) errors with those of the root as NaN, so that it counts nowhere."""
    out = np.array(errors, dtype=np.float64)
    out[:, root] = np.nan
    return out


def mean_error(errors: np.ndarray) -> float:
    """Return the mean of the joints that count; NaN where none does."""
    counted = errors[np.isfinite(errors)]
    return float(counted.mean()) if counted.size else float("nan")


def action_mean(errors: Mapping[str, Sequence[np.ndarray]]) -> float:
    """Return the Human3.6M figure: the mean over actions of each action's mean over all its frames and joints.

    errors : action -> the (T, J) errors of its sequences (subjects S9 and S11), mm.
    """
    means = [mean_error(np.concatenate([e.reshape(-1) for e in parts])) for parts in errors.values() if len(parts)]
    return float(np.mean(means)) if means else float("nan")


def _same_shape(predicted: np.ndarray, truth: np.ndarray) -> None:
    if predicted.shape != truth.shape or predicted.ndim != 3 or predicted.shape[-1] != 3:
        raise ShapeMismatch(f"3D points must both be (T, J, 3): got {predicted.shape} and {truth.shape}")


def _rooted(predicted: np.ndarray, truth: np.ndarray, root: int) -> tuple[np.ndarray, np.ndarray]:
    _same_shape(predicted, truth)
    a, b = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    return a - a[:, root : root + 1], b - b[:, root : root + 1]


def _aligned(moving: np.ndarray, fixed: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return `moving` after the best similarity per frame over the joints that are `known` (T, J)."""
    weight = known.astype(np.float64)[..., None]
    count = np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
    moving_mean = (moving * weight).sum(axis=1, keepdims=True) / count
    fixed_mean = (fixed * weight).sum(axis=1, keepdims=True) / count
    a, b = (moving - moving_mean) * weight, (fixed - fixed_mean) * weight
    u, singular, vt = np.linalg.svd(np.swapaxes(a, 1, 2) @ b)
    sign = np.ones_like(singular)
    # The last singular vector is turned back where the best orthogonal map would be a reflection.
    sign[:, -1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None, :]) @ vt
    size = (a * a).sum(axis=(1, 2))
    scale = np.divide((singular * sign).sum(axis=1), size, out=np.ones_like(size), where=size > 0)
    return scale[:, None, None] * ((moving - moving_mean) @ rotation) + fixed_mean
