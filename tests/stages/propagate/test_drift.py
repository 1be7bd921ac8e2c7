"""A fix tells how far the model is beside the joint, and frames around it lean the same way."""

from __future__ import annotations

import numpy as np
import pytest

from emc.stages.propagate import JointRun, PropagationTuning, propagate
from emc.stages.propagate.drift import drift

SIDE = 200.0
BESIDE = np.array([8.0, 0.0])


def sure_run(placed: dict[int, np.ndarray], count: int = 31, known: bool = True) -> tuple[JointRun, np.ndarray]:
    """A joint on a straight way; the model is sure of itself and eight pixels beside it everywhere."""
    truth = np.column_stack([np.linspace(50, 80, count), np.full(count, 60.0)])
    said = truth + BESIDE
    human = np.full((count, 2), np.nan)
    for frame, off in placed.items():
        human[frame] = truth[frame] + off
    by_hand = np.isfinite(human).all(axis=1)
    seen = np.where(by_hand[:, None], said, np.nan)
    run = JointRun(
        frames=np.arange(count),
        predicted=np.where(by_hand[:, None], np.nan, said),
        confidence=np.full(count, 0.97),
        human=human,
        hidden=np.zeros(count, bool),
        side=np.full(count, SIDE),
        cut=np.zeros(count, bool),
        seen=seen if known else None,
    )
    return run, truth


def test_the_drift_is_the_error_at_the_fix_and_fades_with_time() -> None:
    run, _ = sure_run({15: np.zeros(2)})
    moved, agreement = drift(run, PropagationTuning(drift=10.0))
    assert moved[15] == pytest.approx(-BESIDE / 1.02)
    assert moved[25] == pytest.approx(-BESIDE * np.exp(-1.0) / 1.02)
    assert agreement[25] == pytest.approx(np.exp(-2.0) / 1.02)


def test_between_two_fixes_it_is_trusted_more_than_beside_one() -> None:
    run, _ = sure_run({10: np.zeros(2), 20: np.zeros(2)})
    _, agreement = drift(run, PropagationTuning())
    alone, _ = sure_run({10: np.zeros(2)})
    assert agreement[15] > drift(alone, PropagationTuning())[1][15]


def test_a_fix_moves_sure_predictions_around_it_by_what_they_are_beside_the_joint() -> None:
    run, truth = sure_run({15: np.zeros(2)})
    repair = propagate(run, 15)
    assert set(range(12, 19)) - {15} <= set(repair.frames[repair.moved].tolist())
    near = repair.moved & (np.abs(repair.frames - 15) <= 3)
    off = np.linalg.norm(repair.xy[near] - truth[repair.frames[near]], axis=1)
    assert off.max() < 0.4 * 8.0


def test_without_what_the_model_said_nothing_is_moved() -> None:
    run, _ = sure_run({15: np.zeros(2)}, known=False)
    assert not propagate(run, 15).moved.any()


def test_a_place_far_away_is_no_drift() -> None:
    run, _ = sure_run({15: np.array([60.0, 0.0])})
    moved, agreement = drift(run, PropagationTuning())
    assert not moved.any()
    assert not agreement.any()


def test_where_the_model_is_right_a_fix_moves_nothing() -> None:
    run, _ = sure_run({15: BESIDE})
    assert not propagate(run, 15).moved.any()
