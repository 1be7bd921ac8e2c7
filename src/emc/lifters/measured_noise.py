"""A pose estimator's errors as a random process, with numbers measured from a real estimator.

Lengths are in metres of a standard adult (`emc.lifters.person_frame.person_size`), so that they do not depend on the
picture's resolution. `emc.lifters.noise_fit` measures a model, `emc bench noise` runs that on rendered clips.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtr

from emc.errors import InputError, ShapeMismatch, UsageError
from emc.lifters.person_frame import person_size
from emc.pose.skeletons import COCO17
from emc.untrusted import one_line

JOINTS = len(COCO17)
LEVELS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99, 1.0)
"""Shares at which a joint's error lengths are tabled; denser in the tail, where the harm is."""
CONFIDENCE_LEVELS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
ERROR_EDGES = (0.03, 0.06, 0.1, 0.2, 0.4)
"""Metres; confidence is tabled for joints whose error lies between these."""

LEGS = tuple(i for i, joint in enumerate(COCO17.joints) if joint.endswith(("hip", "knee", "ankle")))
ARMS = tuple(i for i, joint in enumerate(COCO17.joints) if joint.endswith(("shoulder", "elbow", "wrist")))
SWAPPED: tuple[tuple[int, ...], ...] = ((), LEGS, ARMS, tuple(range(JOINTS)))
"""Joints whose sides are exchanged in each swap state: none, legs, arms, everything."""

_SHAPES: Mapping[str, tuple[int, ...]] = {
    "length": (JOINTS, len(LEVELS)),
    "length_time": (JOINTS, 2),
    "length_joints": (JOINTS, JOINTS),
    "direction_mean": (JOINTS, 2),
    "direction_time": (JOINTS, 2),
    "direction_joints": (JOINTS, JOINTS),
    "swap": (len(SWAPPED), len(SWAPPED)),
    "dropped": (JOINTS, 2),
    "confidence": (JOINTS, len(ERROR_EDGES) + 1, len(CONFIDENCE_LEVELS)),
    "confidence_time": (2,),
}


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """How one estimator errs on one kind of motion at `fps` frames per second.

    length : (17, L) metres, each joint's error at the shares `LEVELS`. length_time, direction_time : (17, 2), of the
    hidden variable the share that lasts and that share's correlation from frame to frame. length_joints,
    direction_joints : (17, 17) correlations between joints. direction_mean : (17, 2), the preferred direction (image
    axes). swap : (4, 4) chances from one frame's state of `SWAPPED` to the next frame's. dropped : (17, 2) share of
    frames without the joint, and mean length of such a spell in frames. confidence : (17, 6, 7), by the error
    (between `ERROR_EDGES`) its values at `CONFIDENCE_LEVELS`. confidence_time : (2,), as length_time.
    """

    fps: float
    length: np.ndarray
    length_time: np.ndarray
    length_joints: np.ndarray
    direction_mean: np.ndarray
    direction_time: np.ndarray
    direction_joints: np.ndarray
    swap: np.ndarray
    dropped: np.ndarray
    confidence: np.ndarray
    confidence_time: np.ndarray

    def as_json(self) -> dict[str, Any]:
        """Return the model as plain numbers, rounded to four places."""
        return {"fps": self.fps} | {name: np.round(getattr(self, name), 4).tolist() for name in _SHAPES}


def model_from_json(document: Any, origin: str) -> NoiseModel:
    """Return the model of `NoiseModel.as_json`; raises `InputError` that names `origin` and the wrong table."""
    if not isinstance(document, dict) or "fps" not in document:
        raise InputError(f"{origin} is not a noise model: write one with `emc bench noise`")
    tables: dict[str, np.ndarray] = {}
    for name, shape in _SHAPES.items():
        try:
            table = np.asarray(document[name], dtype=np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{origin} has no usable table '{name}': write it again with `emc bench noise`") from error
        if table.shape != shape or not np.isfinite(table).all():
            raise InputError(
                f"{origin}: table '{name}' is {table.shape}, finite {shape} is needed: write it again with "
                "`emc bench noise`"
            )
        tables[name] = table
    return NoiseModel(fps=float(document["fps"]), **tables)


@one_line("measure it again with `emc bench noise`")
def read_noise(source: str | Path) -> dict[str, NoiseModel]:
    """Return motion kind (``common``, ``uncommon``) -> model.

    source : a file that `emc bench noise` wrote, or the name of one that ships: ``nano``, ``nano-calibrated``.
    Raises `InputError` that names the file.
    """
    document = read_noise_document(source)
    models = document.get("populations") if isinstance(document, dict) else None
    if not isinstance(models, dict) or not models:
        raise InputError(f"{source} holds no noise model: write one with `emc bench noise`")
    return {kind: model_from_json(one, f"{source} ({kind})") for kind, one in models.items()}


def read_noise_document(source: str | Path) -> Any:
    """Return the JSON of a noise file or of one that ships; raises `InputError` that names it."""
    folder = resources.files("emc.assets") / "noise"
    embedded = folder / f"{source}.json"
    place = embedded if embedded.is_file() and not Path(source).is_file() else Path(source)
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        shipped = ", ".join(sorted(p.name.removesuffix(".json") for p in folder.iterdir() if p.name.endswith(".json")))
        raise InputError(
            f"cannot read the noise model {source} ({error}): give a file of `emc bench noise`, or one of {shipped}"
        ) from error


def apply_noise(xy: np.ndarray, model: NoiseModel, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make exact joints look like the measured estimator's.

    xy : (T, 17, 2) COCO-17 pixels at about `model.fps` frames per second, all finite. Returns (T, 17, 2) pixels, NaN
    where dropped, and (T, 17) confidence, 0 there. Raises `ShapeMismatch` for other shapes or joints without a place.
    """
    if xy.ndim != 3 or xy.shape[1:] != (JOINTS, 2) or not np.isfinite(xy).all():
        raise ShapeMismatch(f"noise needs finite joints (T, 17, 2): got {xy.shape}, finite: {np.isfinite(xy).all()}")
    frames = len(xy)
    unit = person_size(xy)[:, None, None] if frames else np.ones((0, 1, 1))
    error = _lengths(model, frames, rng)[..., None] * _directions(model, frames, rng)
    noisy = _with_swaps(xy + error * unit, model, rng)
    off = np.linalg.norm(noisy - xy, axis=-1) / unit[..., 0]
    confidence = _confidences(model, off, rng)
    lost = _dropped(model, frames, rng)
    return np.where(lost[..., None], np.nan, noisy), np.where(lost, 0.0, confidence)


def lasting_noise(
    frames: int, time: np.ndarray, mixing: np.ndarray, rng: np.random.Generator, width: int = 1
) -> np.ndarray:
    """Return (frames, K, width) standard normal values that last over time and agree between the K joints.

    time : (K, 2), the share of the variance that lasts and its correlation from frame to frame; the rest is new on
    each frame. mixing : (K, K), a root of the correlation matrix between joints.
    """
    fresh, push = ((rng.standard_normal((frames, width, len(time))) @ mixing.T).swapaxes(1, 2) for _ in range(2))
    slow = np.empty_like(push)
    for joint, last in enumerate(time[:, 1]):
        driven = push[:, joint] * np.sqrt(1 - last**2)
        # The first frame is drawn from the lasting distribution itself, not built up from zero.
        driven[:1] = push[:1, joint]
        slow[:, joint] = lfilter([1.0], [1.0, -last], driven, axis=0)
    share = time[:, 0, None]
    return np.sqrt(share) * slow + np.sqrt(1 - share) * fresh


def correlation_root(correlation: np.ndarray) -> np.ndarray:
    """Return a (K, K) root A with A A^T = the nearest correlation matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-9)


def _lengths(model: NoiseModel, frames: int, rng: np.random.Generator) -> np.ndarray:
    hidden = lasting_noise(frames, model.length_time, correlation_root(model.length_joints), rng)[..., 0]
    share = ndtr(hidden)
    return np.stack([np.interp(share[:, j], LEVELS, model.length[j]) for j in range(JOINTS)], axis=1)


def _directions(model: NoiseModel, frames: int, rng: np.random.Generator) -> np.ndarray:
    hidden = lasting_noise(frames, model.direction_time, correlation_root(model.direction_joints), rng, width=2)
    vectors = hidden + model.direction_mean
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _with_swaps(xy: np.ndarray, model: NoiseModel, rng: np.random.Generator) -> np.ndarray:
    out = xy.copy()
    for frame, state in enumerate(_states(model.swap, len(xy), rng)):
        joints = list(SWAPPED[state])
        out[frame, joints] = xy[frame, [COCO17.flip[j] for j in joints]]
    return out


def _states(chances: np.ndarray, frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return (frames,) states of a Markov chain, begun in its long-run distribution."""
    rows = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
    long_run = np.linalg.matrix_power(chances / chances.sum(axis=1, keepdims=True), 4096)[0]
    states = np.empty(frames, dtype=np.int64)
    draws = rng.random(frames)
    row = np.cumsum(long_run)
    for frame in range(frames):
        states[frame] = min(int(np.searchsorted(row, draws[frame])), len(rows) - 1)
        row = rows[states[frame]]
    return states


def _confidences(model: NoiseModel, off: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    time = np.broadcast_to(model.confidence_time, (JOINTS, 2))
    share = ndtr(lasting_noise(len(off), time, np.eye(JOINTS), rng)[..., 0])
    kind = np.searchsorted(np.array(ERROR_EDGES), off)
    out = np.empty_like(off)
    for joint in range(JOINTS):
        for row in range(len(ERROR_EDGES) + 1):
            here = kind[:, joint] == row
            out[here, joint] = np.interp(share[here, joint], CONFIDENCE_LEVELS, model.confidence[joint, row])
    return np.clip(out, 0.0, 1.0)


def _dropped(model: NoiseModel, frames: int, rng: np.random.Generator) -> np.ndarray:
    lost = np.zeros((frames, JOINTS), dtype=bool)
    for joint, (share, spell) in enumerate(model.dropped):
        if share <= 0:
            continue
        leave = min(1.0, 1 / max(float(spell), 1.0))
        enter = min(1.0, leave * share / max(1 - share, 1e-9))
        lost[:, joint] = _states(np.array([[1 - enter, enter], [leave, 1 - leave]]), frames, rng) == 1
    return lost


def noise_of(models: Mapping[str, NoiseModel], kind: str, origin: str) -> NoiseModel:
    """Return the model of one kind of motion; raises `UsageError` naming those that `origin` has."""
    if kind not in models:
        raise UsageError(f"{origin} has no noise of {kind} motion, only of {', '.join(sorted(models))}: measure it too")
    return models[kind]
