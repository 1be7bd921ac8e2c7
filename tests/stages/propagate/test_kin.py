"""A fix of the nose tells of the eyes, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emc.pose.skeletons.skeleton import COCO17
from emc.stages.propagate import JointRun, PropagationTuning, StopReason, follow_kin, kin_of
from emc.stages.propagate.drift import drift

BESIDE = np.array([5.0, -3.0])


def eye(told: list[int], count: int = 31) -> JointRun:
    """An eye that nobody placed; on the frames `told` a person moved the nose by `BESIDE`."""
    error = np.full((count, 2), np.nan)
    error[told] = BESIDE
    nowhere = np.full((count, 2), np.nan)
    nothing = np.zeros(count, bool)
    return JointRun(
        np.arange(count),
        np.column_stack([np.linspace(50, 80, count), np.full(count, 60.0)]),
        np.full(count, 0.97),
        nowhere,
        nothing,
        np.full(count, 200.0),
        nothing.copy(),
        nowhere.copy(),
        (error,),
    )


def test_nose_and_eyes_move_as_one_and_other_joints_alone() -> None:
    nose, left, right = (COCO17.index(name) for name in ("nose", "left_eye", "right_eye"))
    assert kin_of(COCO17.joints, nose) == (left, right)
    assert kin_of(COCO17.joints, left) == (nose, right)
    assert all(kin_of(COCO17.joints, joint) == () for joint in range(3, 17))
    assert kin_of((), 0) == ()


def test_an_eye_follows_the_nose_by_the_correlation_of_their_errors() -> None:
    run = eye([15])
    repair = follow_kin(run, 15)
    assert repair is not None
    at = int(np.flatnonzero(repair.frames == 15)[0])
    assert repair.moved[at]
    assert repair.xy[at] - run.predicted[15] == pytest.approx(0.9 * BESIDE / 1.02)
    assert set(range(11, 20)) <= set(repair.frames[repair.moved].tolist())
    assert not repair.moved[[0, -1]].any()
    assert (repair.before, repair.after) == (StopReason.AGREES, StopReason.AGREES)


def test_what_two_kin_say_is_not_counted_twice() -> None:
    run = eye([15])
    both = replace(run, kin=(run.kin[0], run.kin[0]))
    moved = drift(both, PropagationTuning())[0][15]
    assert np.linalg.norm(moved) <= np.linalg.norm(BESIDE)
    assert np.linalg.norm(moved) > np.linalg.norm(drift(run, PropagationTuning())[0][15])


def test_it_stays_where_a_person_placed_it_and_stops_at_a_cut() -> None:
    run = eye([15])
    run.human[3] = (1.0, 2.0)
    assert follow_kin(run, 15) is None
    cut = eye([15])
    cut.cut[17] = True
    repair = follow_kin(cut, 15)
    assert repair is not None
    assert repair.frames.max() == 16
    assert repair.after is StopReason.CUT


def test_without_a_fix_of_its_kin_nothing_follows() -> None:
    assert follow_kin(eye([]), 15) is None
    assert follow_kin(eye([15]), 99) is None
