"""Measure a `NoiseModel` from an estimator's predictions on clips whose true joints are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import hyp2f1, ive, ndtri

from emc.errors import InputError, ShapeMismatch
from emc.lifters.measured_noise import (
    ARMS,
    CONFIDENCE_LEVELS,
    ERROR_EDGES,
    JOINTS,
    LEGS,
    LEVELS,
    SWAPPED,
    NoiseModel,
)
from emc.lifters.person_frame import person_size
from emc.pose.skeletons import COCO17

NEAR, FAR = 1, 4
"""Frames between which a correlation in time is measured: what lasts is told from what is new by both."""
MIN_FRAMES = 30
APART = 0.12
"""Metres by which left and right must differ on average for a swap to be seen at all."""
FEW = 20
FLIP = np.array(COCO17.flip)


@dataclass(frozen=True, slots=True)
class PredictedClip:
    """One clip as an estimator saw it, and the truth.

    predicted : (T, 17, 2) pixels, NaN where dropped. confidence : (T, 17). truth : (T, 17, 2) pixels, finite.
    labelled : (T, 17) bool, joints that count (inside the picture). Frames follow each other.
    """

    predicted: np.ndarray
    confidence: np.ndarray
    truth: np.ndarray
    labelled: np.ndarray

    def __post_init__(self) -> None:
        frames = len(self.truth)
        wanted = {"predicted": (frames, JOINTS, 2), "truth": (frames, JOINTS, 2), "confidence": (frames, JOINTS)}
        wanted["labelled"] = (frames, JOINTS)
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ShapeMismatch(f"watched clip has {name} {getattr(self, name).shape}: it must be {shape}")


def fit_noise(clips: Sequence[PredictedClip], fps: float) -> NoiseModel:
    """Return the noise that would turn the true joints of `clips` into what was predicted.

    Swapped sides are told first (a group of joints that fits its mirror image better than half as far), then what is
    left is taken as a length and a direction per joint, each with its correlation in time and between joints.
    Raises `InputError` where fewer than `MIN_FRAMES` frames are given.
    """
    frames = sum(len(clip.truth) for clip in clips)
    if frames < MIN_FRAMES:
        raise InputError(f"noise was measured on {frames} frames: give at least {MIN_FRAMES}, better some thousand")
    states = [swap_states(clip) for clip in clips]
    errors = [_unswapped(clip, state) for clip, state in zip(clips, states, strict=True)]
    lengths = [np.linalg.norm(error, axis=-1) for error in errors]
    hidden = _normal_scores(lengths)
    units = [_unit(error, length) for error, length in zip(errors, lengths, strict=True)]
    mean = _mean_known(np.concatenate(units))
    time, joints = _direction_correlations(units, mean)
    return NoiseModel(
        fps=fps,
        length=_quantiles(np.concatenate(lengths)),
        length_time=_time_shares(hidden),
        length_joints=_joint_correlation(np.concatenate(hidden)),
        direction_mean=_preferred(mean),
        direction_time=time,
        direction_joints=joints,
        swap=_transitions(states),
        dropped=_dropped(clips),
        confidence=_confidence_table(clips),
        confidence_time=_confidence_time(clips),
    )


def swap_states(clip: PredictedClip) -> np.ndarray:
    """Return (T,) the index into `SWAPPED` of each frame: which sides the prediction has exchanged."""
    unit = person_size(clip.truth)
    seen = clip.labelled & np.isfinite(clip.predicted).all(axis=-1)
    legs, arms = (_group_swapped(clip, seen, list(group), unit) for group in (LEGS, ARMS))
    return legs.astype(np.int64) + 2 * arms.astype(np.int64)


def true_errors(clip: PredictedClip) -> np.ndarray:
    """Return (T, 17) error lengths in metres of a standard adult, swaps included; NaN where nothing counts."""
    off = np.linalg.norm(clip.predicted - clip.truth, axis=-1) / person_size(clip.truth)[:, None]
    return np.where(clip.labelled, off, np.nan)


def _group_swapped(clip: PredictedClip, seen: np.ndarray, group: list[int], unit: np.ndarray) -> np.ndarray:
    mirror = FLIP[group]
    both = seen[:, group] & seen[:, mirror]
    count = np.maximum(both.sum(axis=1), 1)
    predicted = np.nan_to_num(clip.predicted)

    def mean(vectors: np.ndarray) -> np.ndarray:
        return np.where(both, np.linalg.norm(vectors, axis=-1), 0.0).sum(axis=1) / count

    plain = mean(predicted[:, group] - clip.truth[:, group])
    crossed = mean(predicted[:, mirror] - clip.truth[:, group])
    apart = mean(clip.truth[:, group] - clip.truth[:, mirror])
    return (crossed < plain / 2) & (apart > APART * unit) & (both.sum(axis=1) >= 4)


def _unswapped(clip: PredictedClip, states: np.ndarray) -> np.ndarray:
    """Return (T, 17, 2) errors in metres of a standard adult after undoing the swaps, NaN where nothing counts."""
    undone = clip.predicted.astype(np.float64).copy()
    for state, joints in enumerate(SWAPPED):
        frames = np.flatnonzero(states == state)
        if len(joints) and len(frames):
            undone[frames[:, None], list(joints)] = clip.predicted[frames[:, None], FLIP[list(joints)]]
    error = (undone - clip.truth) / person_size(clip.truth)[:, None, None]
    return np.where(clip.labelled[..., None], error, np.nan)


def _unit(error: np.ndarray, length: np.ndarray) -> np.ndarray:
    return error / np.where(length > 1e-9, length, np.nan)[..., None]


def _mean_known(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is known; 0 where nothing is."""
    return np.nansum(values, axis=0) / np.maximum(np.isfinite(values).sum(axis=0), 1)


def _quantiles(lengths: np.ndarray) -> np.ndarray:
    rows = [lengths[np.isfinite(lengths[:, j]), j] for j in range(JOINTS)]
    return np.stack([np.quantile(row, LEVELS) if len(row) else np.zeros(len(LEVELS)) for row in rows])


def _normal_scores(lengths: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return each clip's (T, 17) lengths as standard normal values by their rank among all clips."""
    pooled = np.concatenate(lengths)
    scores = np.full_like(pooled, np.nan)
    for joint in range(JOINTS):
        known = np.flatnonzero(np.isfinite(pooled[:, joint]))
        order = np.argsort(np.argsort(pooled[known, joint], kind="stable"), kind="stable")
        scores[known, joint] = ndtri((order + 0.5) / max(len(known), 1))
    return np.split(scores, np.cumsum([len(one) for one in lengths])[:-1])


def _lagged(values: Sequence[np.ndarray], lag: int) -> np.ndarray:
    """Return (17,) mean products of (T, 17) or mean dot products of (T, 17, 2) values `lag` frames apart."""
    products = [v[lag:] * v[:-lag] for v in values if len(v) > lag]
    pooled = np.concatenate(products) if products else np.zeros((0, JOINTS))
    if pooled.ndim == 3:
        pooled = pooled.sum(axis=-1)
    count = np.isfinite(pooled).sum(axis=0)
    return np.nansum(pooled, axis=0) / np.maximum(count, 1)


def _shares(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Return (..., 2): the share that lasts and its correlation from frame to frame, from two lags."""
    near, far = np.clip(near, 1e-3, 0.999), np.clip(far, 1e-4, 0.998)
    last = np.clip((far / near) ** (1 / (FAR - NEAR)), 0.05, 0.995)
    share = np.clip(near / last**NEAR, 0.0, 1.0)
    return np.stack([share, last], axis=-1)


def _time_shares(hidden: Sequence[np.ndarray]) -> np.ndarray:
    return _shares(_lagged(hidden, NEAR), _lagged(hidden, FAR))


def _joint_correlation(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    count = np.maximum(known.T.astype(float) @ known, 1)
    product = filled.T @ filled / count
    spread = np.sqrt(np.maximum(np.diag(product), 1e-9))
    correlation = product / spread[:, None] / spread[None, :]
    np.fill_diagonal(correlation, 1.0)
    return np.clip(correlation, -1.0, 1.0)


def _direction_correlations(units: Sequence[np.ndarray], mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (17, 2) lasting shares and (17, 17) joint correlations of the hidden variable behind the directions."""
    off = [unit - mean for unit in units]
    pooled = np.concatenate(off)
    spread = _mean_known((pooled**2).sum(axis=-1))
    spread = np.where(spread > 1e-6, spread, 1.0)
    time = _shares(_from_unit(_lagged(off, NEAR) / spread), _from_unit(_lagged(off, FAR) / spread))
    known = np.asarray(np.isfinite(pooled).all(axis=-1))
    filled = np.where(known[..., None], pooled, 0.0)
    count = np.maximum(known.T.astype(float) @ known, 1)
    product = np.einsum("tia,tja->ij", filled, filled) / count / np.sqrt(np.outer(spread, spread))
    joints = _from_unit(product)
    np.fill_diagonal(joints, 1.0)
    return time, joints


def _from_unit(mean_cosine: np.ndarray) -> np.ndarray:
    """Return the correlation of plane normal vectors whose directions have this mean cosine (Kent, 1983)."""
    grid = np.linspace(-1.0, 1.0, 401)
    cosine = np.pi / 4 * grid * hyp2f1(0.5, 0.5, 2.0, grid**2)
    return np.interp(mean_cosine, cosine, grid)


def _preferred(mean: np.ndarray) -> np.ndarray:
    """Return the (17, 2) mean of unit-variance plane normal vectors whose directions average to `mean`."""
    grid = np.linspace(0.0, 4.0, 401)
    q = grid**2 / 4
    length = np.sqrt(np.pi / 8) * grid * (ive(0, q) + ive(1, q))
    size = np.linalg.norm(mean, axis=-1, keepdims=True)
    return mean / np.maximum(size, 1e-9) * np.interp(size, length, grid)


def _transitions(states: Sequence[np.ndarray]) -> np.ndarray:
    counts = np.zeros((len(SWAPPED), len(SWAPPED)))
    for state in states:
        np.add.at(counts, (state[:-1], state[1:]), 1.0)
    rows = counts.sum(axis=1, keepdims=True)
    # A state that was never seen goes back to none, from where nothing leads to it.
    home = np.zeros_like(counts)
    home[:, 0] = 1.0
    return np.where(rows > 0, counts / np.maximum(rows, 1), home)


def _dropped(clips: Sequence[PredictedClip]) -> np.ndarray:
    out = np.zeros((JOINTS, 2))
    total = np.maximum(sum(clip.labelled.sum(axis=0) for clip in clips), 1)
    lost = [clip.labelled & ~np.isfinite(clip.predicted).all(axis=-1) for clip in clips]
    frames = sum(one.sum(axis=0) for one in lost)
    spells = sum((one & ~np.vstack([np.zeros((1, JOINTS), bool), one[:-1]])).sum(axis=0) for one in lost)
    out[:, 0] = frames / total
    out[:, 1] = frames / np.maximum(spells, 1)
    return out


def _confidence_table(clips: Sequence[PredictedClip]) -> np.ndarray:
    off = np.concatenate([true_errors(clip) for clip in clips])
    confidence = np.concatenate([clip.confidence for clip in clips])
    known = np.isfinite(off) & np.isfinite(confidence)
    kind = np.searchsorted(np.array(ERROR_EDGES), np.where(known, off, 0.0))
    table = np.zeros((JOINTS, len(ERROR_EDGES) + 1, len(CONFIDENCE_LEVELS)))
    for row in range(table.shape[1]):
        pooled = confidence[known & (kind == row)]
        for joint in range(JOINTS):
            own = confidence[known[:, joint] & (kind[:, joint] == row), joint]
            values = own if len(own) >= FEW else pooled
            # No joint erred by this much: the nearest smaller error's confidences stand in.
            table[joint, row] = np.quantile(values, CONFIDENCE_LEVELS) if len(values) else table[joint, row - 1]
    return table


def _confidence_time(clips: Sequence[PredictedClip]) -> np.ndarray:
    """Return (2,) the lasting share of what the error does not explain of the confidence, pooled over joints."""
    edges = np.array(ERROR_EDGES)
    off = [true_errors(clip) for clip in clips]
    kinds = [np.searchsorted(edges, np.nan_to_num(one)) for one in off]
    pooled = np.concatenate([clip.confidence for clip in clips])
    kind, known = np.concatenate(kinds), np.isfinite(np.concatenate(off))
    scores = np.full_like(pooled, np.nan, dtype=np.float64)
    for row in range(len(edges) + 1):
        for joint in range(JOINTS):
            here = np.flatnonzero((kind[:, joint] == row) & known[:, joint])
            if len(here) > 1:
                order = np.argsort(np.argsort(pooled[here, joint], kind="stable"), kind="stable")
                scores[here, joint] = ndtri((order + 0.5) / len(here))
    parts = np.split(scores, np.cumsum([len(one) for one in off])[:-1])
    near, far = (float(np.mean(_lagged(parts, lag))) for lag in (NEAR, FAR))
    return _shares(np.array(near), np.array(far))
