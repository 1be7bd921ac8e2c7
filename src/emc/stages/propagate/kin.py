"""Joints that move as one: where the model puts the nose beside the nose, it puts the eyes beside the eyes.

Errors of nose and eyes go together (correlations of 0.8 to 0.9 for `nano` on rendered kicks, 0.7 to 0.8 for MoveNet);
those of other joints, left and right of a pair among them, do not, or not with one sign. So a fix of one of the three
moves the other two as well, as long as no person has said anything of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.stages.propagate.carry import bound
from emc.stages.propagate.drift import drift, leaning, leant
from emc.stages.propagate.run import JointRun, PropagationTuning, Repair, StopReason
from emc.stages.propagate.smoother import known

AS_ONE = (("nose", "left_eye", "right_eye"),)


def kin_of(joints: Sequence[str], joint: int) -> tuple[int, ...]:
    """Return the joints (indices) whose errors are alike those of `joint` in a skeleton with these joints."""
    name = joints[joint] if 0 <= joint < len(joints) else ""
    return tuple(
        i for group in AS_ONE if name in group for i, other in enumerate(joints) if other in group and i != joint
    )


def follow_kin(run: JointRun, at: int, reach: int = 45, tuning: PropagationTuning | None = None) -> Repair | None:
    """Move a joint that nobody placed by what a person's fix of its kin on frame `at` tells; None where nothing does.

    Frames on this side of cuts, of hidden frames and within the reach are looked at; those are moved that lie in an
    unbroken stretch around `at` for which the fix speaks.
    """
    tuning = tuning or PropagationTuning()
    middle = int(np.searchsorted(run.frames, at))
    here = middle < len(run.frames) and run.frames[middle] == at
    if not here or run.hidden[middle] or known(run.human).any() or not run.kin:
        return None
    first, before = bound(run, middle, -1, reach)
    last, after = bound(run, middle, 1, reach)
    part = run.part(first, last)
    offset, agreement = drift(part, tuning)
    xy, spread = leaning(part, offset).predicted, np.zeros(len(part.frames))
    moved = leant(part, middle - first, xy, spread, agreement, tuning)
    away = np.linalg.norm(xy - part.predicted, axis=1)
    moved[middle - first] = bool(away[middle - first] > tuning.lean_apart * part.side[middle - first])
    ends = [stop if agreement[end] >= tuning.lean else StopReason.AGREES for end, stop in ((0, before), (-1, after))]
    return Repair(part.frames, xy, spread, part.confidence, moved, ends[0], ends[1]) if moved.any() else None
