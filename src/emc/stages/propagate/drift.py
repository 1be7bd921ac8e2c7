"""A model that is a little beside the joint on one frame is a little beside it on the next: its error drifts.

Where a person placed the joint, the model's error there is known. Between and around such frames it is estimated as a
process that forgets exponentially (Ornstein and Uhlenbeck), by the regression that such a process has, and taken off
the predictions before they are weighed: one fix then helps where predictions are sure, steady, and beside the joint.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emc.stages.propagate.run import JointRun, PropagationTuning
from emc.stages.propagate.smoother import known

_NOISE = 0.02
"""Share of the error's variance that is new on every frame."""


def drift(run: JointRun, tuning: PropagationTuning) -> tuple[np.ndarray, np.ndarray]:
    """Return how far (T, 2) pixels the predictions are to be moved, and how much (T,) in [0, 1] speaks for it.

    The errors of joints that move with this one count too, by their correlation ``tuning.kin``. Errors beyond
    ``tuning.lean_most`` of the side are left out: there the model saw another place. Nothing is moved where no frame
    tells both what the model and what a person said.
    """
    own = [] if run.seen is None else [run.human - run.seen]
    at, alike, error = _told(run, own, tuning)
    if not len(at):
        return np.zeros((len(run.frames), 2)), np.zeros(len(run.frames))
    frames = run.frames.astype(np.float64)
    # One row per told error: the joint itself (0) or one of its kin (1, 2, ..).
    together = np.where(alike[:, None] == alike[None], 1.0, tuning.kin)
    spread = together * np.exp(-np.abs(frames[at][:, None] - frames[at][None]) / tuning.drift)
    mine = np.where(alike == 0, 1.0, tuning.kin)
    near = mine * np.exp(-np.abs(frames[:, None] - frames[at][None]) / tuning.drift)
    weight = near @ np.linalg.inv(spread + _NOISE * np.eye(len(at)))
    return weight @ error, np.clip((weight * near).sum(axis=1), 0.0, 1.0)


def _told(run: JointRun, own: list[np.ndarray], tuning: PropagationTuning) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each small error that a person told: index of its frame, of its joint (0: this one), and (N, 2) pixels."""
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for number, error in enumerate([*own, *run.kin], start=0 if own else 1):
        with np.errstate(invalid="ignore"):
            at = np.flatnonzero(np.linalg.norm(error, axis=1) <= tuning.lean_most * run.side)
        found.append((at, np.full(len(at), number), error[at]))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2))
    frames, joints, errors = zip(*found, strict=True)
    return np.concatenate(frames), np.concatenate(joints), np.concatenate(errors)


def leaning(run: JointRun, moved: np.ndarray) -> JointRun:
    """Return the run with its predictions moved by (T, 2) pixels."""
    return replace(run, predicted=run.predicted + moved)


def leant(
    run: JointRun, here: int, xy: np.ndarray, spread: np.ndarray, agreement: np.ndarray, tuning: PropagationTuning
) -> np.ndarray:
    """Return (T,) bool: frames around `here` (an index) that the drift alone moves, unbroken on each side."""
    away = np.linalg.norm(xy - run.predicted, axis=1)
    near = (agreement >= tuning.lean) & (spread <= tuning.sure * 4 / 3 * run.side) & ~known(run.human)
    moved = np.zeros(len(xy), dtype=bool)
    for step in (-1, 1):
        i = here + step
        while 0 <= i < len(xy) and near[i]:
            moved[i] = bool(away[i] > tuning.lean_apart * run.side[i])
            i += step
    return moved
