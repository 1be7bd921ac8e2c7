from __future__ import annotations

import numpy as np
import pytest

from emc.errors import ShapeMismatch, UsageError
from emc.stages.propagate import FlowChain, JointRun, StopReason, propagate

SIDE = 200.0
NOWHERE = np.array([np.nan, np.nan])


def straight(count: int = 41) -> np.ndarray:
    """Return a joint that moves 2 pixels to the right per frame, on a line at y = 100."""
    return np.stack([50.0 + 2.0 * np.arange(count), np.full(count, 100.0)], axis=1)


def run_of(predicted: np.ndarray, confidence: float | np.ndarray = 0.9, **over: np.ndarray) -> JointRun:
    count = len(predicted)
    values = {
        "frames": np.arange(count),
        "predicted": predicted.copy(),
        "confidence": np.broadcast_to(np.asarray(confidence, dtype=float), (count,)).copy(),
        "human": np.full((count, 2), np.nan),
        "hidden": np.zeros(count, bool),
        "side": np.full(count, SIDE),
        "cut": np.zeros(count, bool),
    }
    return JointRun(**(values | over))


def wrong_between(first: int, last: int, off: float = 60.0, count: int = 41) -> JointRun:
    """Return predictions that are right but for frames first..last, which are `off` pixels below, at confidence 0.5."""
    predicted, confidence = straight(count), np.full(count, 0.9)
    predicted[first : last + 1, 1] += off
    confidence[first : last + 1] = 0.5
    return run_of(predicted, confidence)


def fixed(run: JointRun, at: int, xy: np.ndarray | None = None) -> JointRun:
    human = run.human.copy()
    human[at] = straight(len(human))[at] if xy is None else xy
    return run_of(run.predicted, run.confidence, human=human, hidden=run.hidden, cut=run.cut, frames=run.frames)


def perfect_chain(count: int = 41) -> FlowChain:
    return FlowChain(straight(count), np.full(count, 1.0))


def test_one_fix_with_flow_repairs_the_whole_wrong_run_and_nothing_else() -> None:
    run = fixed(wrong_between(16, 24), 20)
    repair = propagate(run, 20, [perfect_chain()])
    wanted = {16, 17, 18, 19, 21, 22, 23, 24}
    assert set(repair.frames[repair.moved].tolist()) == wanted
    np.testing.assert_allclose(repair.xy[repair.moved], straight()[sorted(wanted)], atol=2.0)
    assert (repair.before, repair.after) == (StopReason.AGREES, StopReason.AGREES)


def test_a_fix_where_all_is_right_moves_nothing() -> None:
    repair = propagate(fixed(run_of(straight()), 20), 20, [perfect_chain()])
    assert not repair.moved.any()


def test_the_human_point_is_kept_to_the_last_digit() -> None:
    at = np.array([91.23456789, 99.87654321])
    repair = propagate(fixed(wrong_between(16, 24), 20, at), 20, [perfect_chain()])
    assert repair.xy[20].tolist() == at.tolist()
    assert not repair.moved[20]


def test_it_ends_at_the_neighbouring_human_points_and_never_moves_them() -> None:
    run = fixed(fixed(fixed(wrong_between(5, 35), 12), 28), 20)
    repair = propagate(run, 20, [perfect_chain()])
    assert (repair.frames[0], repair.frames[-1]) == (12, 28)
    assert (repair.before, repair.after) == (StopReason.HUMAN, StopReason.HUMAN)
    assert not repair.moved[[0, 8, 16]].any()
    assert repair.moved.sum() == 14


def test_it_stops_at_a_cut_at_an_occlusion_and_at_its_reach() -> None:
    base = fixed(wrong_between(5, 35), 20)
    cut = np.zeros(41, bool)
    cut[18] = True  # between frames 17 and 18
    hidden = np.zeros(41, bool)
    hidden[24] = True
    run = run_of(base.predicted, base.confidence, human=base.human, cut=cut, hidden=hidden)
    repair = propagate(run, 20, [perfect_chain()])
    assert (repair.frames[0], repair.frames[-1]) == (18, 23)
    assert (repair.before, repair.after) == (StopReason.CUT, StopReason.OCCLUSION)
    short = propagate(base, 20, [perfect_chain()], reach=3)
    assert (short.frames[0], short.frames[-1], short.before, short.after) == (
        17,
        23,
        StopReason.REACH,
        StopReason.REACH,
    )
    whole = propagate(base, 20, [perfect_chain()])
    assert (whole.frames[0], whole.frames[-1]) == (0, 40)


def test_where_flow_is_lost_it_says_so_and_does_not_guess() -> None:
    chain = perfect_chain()
    lost = FlowChain(
        np.where((np.arange(41) > 22)[:, None], np.nan, chain.xy), chain.error, StopReason.END, StopReason.OCCLUSION
    )
    repair = propagate(fixed(wrong_between(16, 40), 20), 20, [lost])
    assert repair.moved[16:20].all()
    assert not repair.moved[23:].any()
    assert repair.after is StopReason.OCCLUSION


def test_confident_predictions_outweigh_a_chain_that_slid_off() -> None:
    slid = straight()
    slid[:, 1] += np.abs(np.arange(41) - 20) * 0.8  # nearly a pixel per frame, away from where the joint is
    error = np.sqrt(1.0 + np.abs(np.arange(41) - 20))
    repair = propagate(fixed(run_of(straight(), 0.95), 20), 20, [FlowChain(slid, error)])
    assert not repair.moved.any()


def test_a_joint_that_was_not_found_is_filled_in() -> None:
    predicted = straight()
    predicted[18:23] = NOWHERE
    repair = propagate(fixed(run_of(predicted), 20), 20, [perfect_chain()])
    assert set(repair.frames[repair.moved].tolist()) == {18, 19, 21, 22}


def test_frames_may_be_apart() -> None:
    base = wrong_between(16, 24)
    run = fixed(run_of(base.predicted, base.confidence, frames=3 * np.arange(41)), 20)
    repair = propagate(run, 60, [perfect_chain()])
    assert (repair.frames[0], repair.frames[-1]) == (15, 105)  # 45 frames to each side
    assert set(repair.frames[repair.moved].tolist()) == {48, 51, 54, 57, 63, 66, 69, 72}


def test_a_frame_without_a_human_point_and_unequal_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="frame 20"):
        propagate(wrong_between(16, 24), 20)
    with pytest.raises(ShapeMismatch, match="41 frames"):
        run_of(straight(), human=np.full((3, 2), np.nan))
