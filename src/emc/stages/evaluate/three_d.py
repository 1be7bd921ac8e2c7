"""Scores of lifted sequences: errors in millimetres, shares within reach, joint angles, all with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.metrics import (
    PCK_MM,
    as_figure,
    auc_shares,
    independent_units,
    mean_error,
    mpjpe_errors,
    mpjve_errors,
    n_mpjpe_errors,
    p_mpjpe_errors,
    percentile_interval,
    resample_weights,
    safe_ratio,
    sum_by_unit,
    without_root,
)
from emc.pose.motion import ANGLE_KINDS, angle_errors, by_kind
from emc.pose.records import Interval
from emc.pose.skeletons import H36M17, Skeleton

LENGTHS = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve")
SHARES = ("pck3d", "pck3d_auc")
MEASURES = (*LENGTHS, *SHARES)


def score_3d(
    predicted: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    skeleton: Skeleton = H36M17,
    root: int = 0,
    bootstrap: int = 1000,
    seed: int = 0,
    units: Mapping[str, str] | None = None,
    actions: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Score lifted sequences against the truth.

    predicted, truth : sequence -> (T, J, 3) metres, camera axes. Joints without a truth count nowhere; a predicted
    joint that is NaN where the truth is known is left out and counted in ``missing``. units : sequence -> the clip it
    is a view of, where several are of one (default: each its own). actions : sequence -> action.
    Returns ``mpjpe``, ``p_mpjpe``, ``n_mpjpe`` (mm), ``mpjve`` (mm per frame), ``pck3d`` (share of joints within
    150 mm, the root left out), ``pck3d_auc`` as figures with n = frames, intervals over ``unit``; ``per_joint`` plain
    MPJPE in mm; for Human3.6M-17 ``angles``: kind -> figure, mean absolute error in degrees (see
    `emc.pose.motion`); with `actions` ``per_action`` and ``action_mean``, the mean over actions of the action's
    means. Raises `ShapeMismatch` naming the sequence.
    """
    errors = errors_3d(predicted, truth, skeleton, root)
    groups = _groups(errors["mpjpe"], units)
    figures = {name: as_figure(_interval(by_sequence, groups, bootstrap, seed)) for name, by_sequence in errors.items()}
    document: dict[str, object] = {name: figures[name] for name in MEASURES}
    if len(skeleton) == len(H36M17):
        document["angles"] = {kind: figures[_angle(kind)] for kind in ANGLE_KINDS}
    document["per_joint"] = _per_joint(errors["mpjpe"], skeleton)
    if actions is not None:
        per_action = _per_action(errors, actions)
        document["per_action"] = per_action
        document["action_mean"] = {
            name: round(float(np.nanmean([row[name] for row in per_action.values()])), 3) for name in MEASURES
        }
    known = sum(int(np.isfinite(points).all(axis=-1).sum()) for points in truth.values())
    document["missing"] = known - sum(int(np.isfinite(e).sum()) for e in errors["mpjpe"].values())
    document["unit"] = _units(errors["mpjpe"], groups)[1]
    return document


def compare_3d(
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    bootstrap: int = 1000,
    seed: int = 0,
    units: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Return measure -> change from `before` to `after` as a figure (negative = fewer mm), resampled in pairs.

    Arguments as `score_3d`, Human3.6M-17. Lengths in mm, ``pck3d`` and ``pck3d_auc`` in points, angles (``angle_knee``
    and so on) in degrees. A joint counts where both predictions and the truth are known. Raises `ShapeMismatch`.
    """
    first, second = (errors_3d(found, truth, H36M17, 0) for found in (before, after))
    groups = _groups(first["mpjpe"], units)
    out: dict[str, object] = {}
    for name, by_sequence in first.items():
        scale = 100.0 if name in SHARES else 1.0
        change = {key: scale * (second[name][key] - values) for key, values in by_sequence.items()}
        out[name] = as_figure(_interval(change, groups, bootstrap, seed))
    return out


def errors_3d(
    predicted: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], skeleton: Skeleton, root: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return measure -> sequence -> (T, K) values whose mean is the measure; NaN where a joint does not count."""
    if not truth or set(predicted) != set(truth):
        raise ShapeMismatch(
            f"predicted clips {sorted(predicted)} and true clips {sorted(truth)} must be the same, not none"
        )
    out: dict[str, dict[str, np.ndarray]] = {}
    for name in sorted(truth):
        ours, true = predicted[name], truth[name]
        if ours.shape != true.shape or true.shape[1:] != (len(skeleton), 3):
            raise ShapeMismatch(f"clip {name}: predicted {ours.shape}, truth {true.shape}, joints {len(skeleton)}")
        for measure, values in _sequence_errors(ours, true, len(skeleton) == len(H36M17), root).items():
            out.setdefault(measure, {})[name] = values
    return out


def _sequence_errors(ours: np.ndarray, true: np.ndarray, human36m: bool, root: int) -> dict[str, np.ndarray]:
    joints = mpjpe_errors(ours, true, root)
    reach = without_root(joints, root)
    errors = {
        "mpjpe": joints,
        "p_mpjpe": p_mpjpe_errors(ours, true),
        "n_mpjpe": n_mpjpe_errors(ours, true, root),
        "mpjve": mpjve_errors(ours, true, root),
        "pck3d": np.where(np.isfinite(reach), reach <= PCK_MM, np.nan),
        "pck3d_auc": auc_shares(reach),
    }
    if human36m:
        errors |= {_angle(kind): values for kind, values in by_kind(angle_errors(ours, true)).items()}
    return errors


def _angle(kind: str) -> str:
    return f"angle_{kind}"


def _groups(errors: Mapping[str, np.ndarray], units: Mapping[str, str] | None) -> dict[str, str]:
    return {name: name if units is None else units[name] for name in sorted(errors)}


def _per_joint(errors: Mapping[str, np.ndarray], skeleton: Skeleton) -> dict[str, float | None]:
    pooled = np.concatenate([errors[name] for name in sorted(errors)])
    return {
        joint: round(mean_error(pooled[:, i]), 3) if np.isfinite(pooled[:, i]).any() else None
        for i, joint in enumerate(skeleton.joints)
    }


def _per_action(
    errors: Mapping[str, Mapping[str, np.ndarray]], actions: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    wanted: dict[str, list[str]] = {}
    for name in sorted(errors["mpjpe"]):
        wanted.setdefault(actions[name], []).append(name)
    return {
        action: {measure: round(_mean([errors[measure][name] for name in names]), 3) for measure in MEASURES}
        for action, names in sorted(wanted.items())
    }


def _mean(values: Sequence[np.ndarray]) -> float:
    return mean_error(np.concatenate([one.reshape(-1) for one in values]))


def _units(errors: Mapping[str, np.ndarray], groups: Mapping[str, str]) -> tuple[np.ndarray, str]:
    clips = [groups[name] for name in sorted(errors) for _ in range(len(errors[name]))]
    frames = [frame for name in sorted(errors) for frame in range(len(errors[name]))]
    return independent_units(clips, frames)


def _interval(errors: Mapping[str, np.ndarray], groups: Mapping[str, str], bootstrap: int, seed: int) -> Interval:
    pooled = np.concatenate([errors[name] for name in sorted(errors)])
    unit, _ = _units(errors, groups)
    total = sum_by_unit(pooled.sum(axis=1, where=np.isfinite(pooled)), unit)
    count = sum_by_unit(np.isfinite(pooled).sum(axis=1).astype(np.float64), unit)
    weights = resample_weights(len(total), bootstrap, seed)
    value = float(safe_ratio(total.sum(), count.sum()))
    return percentile_interval(value, safe_ratio(weights @ total, weights @ count), len(pooled), len(total))
