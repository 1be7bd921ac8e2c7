"""Scores of lifted sequences in millimetres, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.bootstrap import as_figure, independent_units, percentile_interval, ratio, resample_weights, sum_by_unit
from emc.pose.metrics_3d import mean_error, mpjpe_errors, mpjve_errors, n_mpjpe_errors, p_mpjpe_errors
from emc.pose.records import Interval
from emc.pose.skeleton import H36M17, Skeleton


def score_3d(
    predicted: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    skeleton: Skeleton = H36M17,
    root: int = 0,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, object]:
    """Score lifted sequences against the truth.

    predicted, truth : clip -> (T, J, 3) metres. Joints without a truth count nowhere; a predicted joint that is NaN
    where the truth is known is left out and counted in ``missing``.
    Returns ``mpjpe``, ``p_mpjpe``, ``n_mpjpe`` (mm) and ``mpjve`` (mm per frame) as figures with n = frames, intervals
    over ``unit``; ``per_joint`` plain MPJPE in mm. Raises `ShapeMismatch` naming the clip.
    """
    if not truth or set(predicted) != set(truth):
        raise ShapeMismatch(
            f"predicted clips {sorted(predicted)} and true clips {sorted(truth)} must be the same, not none"
        )
    for clip, points in truth.items():
        if predicted[clip].shape != points.shape or points.shape[1:] != (len(skeleton), 3):
            raise ShapeMismatch(
                f"clip {clip}: predicted {predicted[clip].shape}, truth {points.shape}, joints {len(skeleton)}"
            )
    clips = sorted(truth)
    joint_errors = {clip: mpjpe_errors(predicted[clip], truth[clip], root) for clip in clips}
    errors = {
        "mpjpe": joint_errors,
        "p_mpjpe": {clip: p_mpjpe_errors(predicted[clip], truth[clip]) for clip in clips},
        "n_mpjpe": {clip: n_mpjpe_errors(predicted[clip], truth[clip], root) for clip in clips},
        "mpjve": {clip: mpjve_errors(predicted[clip], truth[clip], root) for clip in clips},
    }
    document: dict[str, object] = {name: as_figure(_interval(e, bootstrap, seed)) for name, e in errors.items()}
    pooled = np.concatenate([joint_errors[clip] for clip in clips])
    document["per_joint"] = {
        joint: round(mean_error(pooled[:, i]), 3) if np.isfinite(pooled[:, i]).any() else None
        for i, joint in enumerate(skeleton.joints)
    }
    known = sum(int(np.isfinite(truth[clip]).all(axis=-1).sum()) for clip in clips)
    document["missing"] = known - int(np.isfinite(pooled).sum())
    document["unit"] = _units(joint_errors)[1]
    return document


def _units(errors: Mapping[str, np.ndarray]) -> tuple[np.ndarray, str]:
    clips = [clip for clip in sorted(errors) for _ in range(len(errors[clip]))]
    frames = [frame for clip in sorted(errors) for frame in range(len(errors[clip]))]
    return independent_units(clips, frames)


def _interval(errors: Mapping[str, np.ndarray], bootstrap: int, seed: int) -> Interval:
    pooled = np.concatenate([errors[clip] for clip in sorted(errors)])
    unit, _ = _units(errors)
    total = sum_by_unit(pooled.sum(axis=1, where=np.isfinite(pooled)), unit)
    count = sum_by_unit(np.isfinite(pooled).sum(axis=1).astype(np.float64), unit)
    weights = resample_weights(len(total), bootstrap, seed)
    value = float(ratio(total.sum(), count.sum()))
    return percentile_interval(value, ratio(weights @ total, weights @ count), len(pooled), len(total))
