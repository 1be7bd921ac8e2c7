"""The path of one joint from predictions, human points and flow, and which predictions it bears out.

The path is a constant-velocity motion with random accelerations. What is known of it is weighed by how sure it is: a
human point (all but exact, and never moved), the flow's steps along a chain from a human point, and the predictions,
each of which is right with some probability or else says nothing. Whether a prediction is right is not known, but wrong
ones come in runs; a two-state chain over time carries that, and path and states are found in turn (expectation
maximisation). For given states the path is that of a Kalman filter with a Rauch-Tung-Striebel smoother, solved at once
in information form, which for a hundred frames is faster than the two passes.

Sources: Rauch, Tung, Striebel, AIAA Journal 1965 (smoother); Rabiner, Proc. IEEE 1989 (forward-backward).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from emc.stages.propagate.run import FlowChain, JointRun, PropagationTuning

# At 2 pixels a fix pulls too weakly: it repairs 1.19 frames instead of 1.87 (benchmarks/editor/propagate_constants.py).
HUMAN_SPREAD = 0.3
"""Pixels: how exactly a person clicks. The human point itself is kept to the last digit."""
_TINY = 1e-12


def fuse(
    run: JointRun, chains: Sequence[FlowChain], tuning: PropagationTuning
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the path (T, 2) and its spread (T,) in pixels, and P(right) (T,) of the predictions.

    Human points come back exactly. A run without any observation comes back NaN with infinite spread.
    """
    side = float(np.median(run.side))
    placed = known(run.human)
    seen = known(run.predicted) & ~placed
    prior = np.where(seen, np.clip(run.confidence, 0.02, 0.98), 0.0)
    precision, pull = _fixed_terms(run, chains, placed, side, tuning)
    right = prior.copy()
    if not placed.any() and not seen.any():
        return np.full((len(run.frames), 2), np.nan), np.full(len(run.frames), np.inf), right
    predicted = np.where(seen[:, None], run.predicted, 0.0)
    xy = predicted
    variance = np.zeros(len(run.frames))
    for spread in _cooling(tuning) * side:
        weight = right / spread**2
        matrix = precision + np.diag(weight + _TINY)
        covariance = np.linalg.inv(matrix)
        xy = covariance @ (pull + weight[:, None] * predicted)
        variance = np.diag(covariance)
        right = _right(run, xy, variance, spread, prior, placed, tuning)
    xy[placed] = run.human[placed]
    return xy, np.sqrt(np.where(placed, 0.0, variance)), right


def known(places: np.ndarray) -> np.ndarray:
    """Return (T,) bool: whether each of (T, 2) places is finite."""
    return np.asarray(np.isfinite(places).all(axis=1))


def _cooling(tuning: PropagationTuning) -> np.ndarray:
    """Return the spread of right predictions round by round: wide first, so that no early guess is final."""
    factors = np.maximum(6.0 / 2.0 ** np.arange(tuning.rounds), 1.0)
    return factors * tuning.right


def _fixed_terms(
    run: JointRun, chains: Sequence[FlowChain], placed: np.ndarray, side: float, tuning: PropagationTuning
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (T, T) precision and (T, 2) pull of motion, human points and flow: what no state changes."""
    count = len(run.frames)
    precision = np.zeros((count, count))
    pull = np.zeros((count, 2))
    _add_motion(precision, run, side, tuning)
    human = 1.0 / HUMAN_SPREAD**2
    precision[placed, placed] += human
    pull[placed] += human * run.human[placed]
    for chain in chains:
        _add_steps(precision, pull, chain)
    return precision, pull


def _add_motion(precision: np.ndarray, run: JointRun, side: float, tuning: PropagationTuning) -> None:
    """Add the random accelerations; steps of unequal length count by their velocities."""
    if len(run.frames) < 3:
        return
    step = np.diff(run.frames).astype(np.float64)
    here, after = 1 / step[:-1], 1 / step[1:]
    spread = _acceleration(run, tuning) * side * np.sqrt((step[:-1] + step[1:]) / 2)
    weight = 1 / spread**2
    terms = (here, -here - after, after)
    # Each change of velocity ties three frames: five diagonals, added without a product of whole matrices.
    rows = np.arange(len(weight))
    for i, one in enumerate(terms):
        for j, other in enumerate(terms):
            precision[rows + i, rows + j] += weight * one * other


def _acceleration(run: JointRun, tuning: PropagationTuning) -> float:
    """Return the spread of this joint's changes of velocity, as a share of the side, from its sure predictions."""
    low, high = tuning.acceleration
    sure = np.where((run.confidence > 0.5)[:, None], run.predicted, np.nan) / run.side[:, None]
    change = np.abs(np.diff(sure, 2, axis=0))
    found = change[known(change)]
    if len(found) < 8:
        return high
    return float(np.clip(1.48 * np.median(found.max(axis=1)), low, high))


def _add_steps(precision: np.ndarray, pull: np.ndarray, chain: FlowChain) -> None:
    followed = known(chain.xy)
    here = np.flatnonzero(followed[1:] & followed[:-1])
    there = here + 1
    weight = 1.0 / np.maximum(chain.error[there], 1e-3) ** 2
    step = weight[:, None] * (chain.xy[there] - chain.xy[here])
    precision[here, here] += weight
    precision[there, there] += weight
    precision[here, there] -= weight
    precision[there, here] -= weight
    pull[here] -= step
    pull[there] += step


def _right(
    run: JointRun,
    xy: np.ndarray,
    variance: np.ndarray,
    spread: float,
    prior: np.ndarray,
    placed: np.ndarray,
    tuning: PropagationTuning,
) -> np.ndarray:
    """Return P(right) of each prediction: near the path, confident, and in the company of right ones."""
    found = known(run.predicted)
    away = np.where(placed[:, None], run.human, xy) - np.where(found[:, None], run.predicted, xy)
    blur = spread**2 + np.where(placed, 0.0, variance)
    near = np.exp(-0.5 * (away**2).sum(axis=1) / blur) / (2 * np.pi * blur)
    far = 1.0 / (np.pi * (tuning.wrong * run.side) ** 2)
    trust = np.where(placed, 0.5, prior)
    odds = np.where(found, np.log(near * trust + 1e-30) - np.log(far * (1 - trust)), 0.0)
    chance = _chain(np.clip(odds, -30.0, 30.0), tuning.stay)
    return np.where(found & ~placed, chance, 0.0)


def _chain(odds: np.ndarray, stay: float) -> np.ndarray:
    """Return P(state 1) (T,) of a two-state chain from the log-odds (T,) of each observation."""
    forward = _pass(odds, stay)
    backward = _pass(odds[::-1], stay)[::-1]
    return 1.0 / (1.0 + np.exp(-(forward + backward + odds)))


def _pass(odds: np.ndarray, stay: float) -> np.ndarray:
    """Return the log-odds that the observations before each one give it."""
    told = [0.0]
    for seen in odds[:-1].tolist():
        chance = 1.0 / (1.0 + math.exp(-(told[-1] + seen)))
        chance = chance * stay + (1 - chance) * (1 - stay)
        told.append(math.log(chance / (1 - chance)))
    return np.array(told[: len(odds)])
