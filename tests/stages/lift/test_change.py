import numpy as np
import pytest

from emc.pose.motion.sequences import LiftedSequence
from emc.pose.skeletons.skeleton import H36M17
from emc.stages.lift.change import motion_change

KNEE, ANKLE = H36M17.index("right_knee"), H36M17.index("right_ankle")


def sequence(frames, bend=0.0, shift=0.0):
    """A right leg whose knee bends by `bend` degrees; everything else at the pelvis; wrists moved by `shift` metres."""
    xyz = np.zeros((len(frames), 17, 3), dtype=np.float32)
    xyz[:, 1], xyz[:, KNEE] = (-0.1, 0, 0), (-0.1, 0.4, 0)
    angle = np.radians(bend)
    xyz[:, ANKLE] = (-0.1, 0.4 + 0.4 * np.cos(angle), 0.4 * np.sin(angle))
    xyz[:, H36M17.index("left_wrist"), 0] = shift
    return LiftedSequence(3, np.asarray(frames), xyz, np.ones(len(frames), dtype=np.float32))


def test_nothing_changed():
    change = motion_change(sequence([0, 1, 2]), sequence([0, 1, 2]))
    assert (change.frames, change.changed, change.mean_mm, change.max_mm) == (3, 0, 0.0, 0.0)
    assert change.angle_degrees["right_knee"] == (0.0, 0.0)


def test_millimetres_and_degrees_over_the_frames_that_both_have():
    change = motion_change(sequence([0, 1, 2, 3]), sequence([2, 3, 4], bend=60))
    assert (change.person, change.frames, change.changed) == (3, 2, 2)
    assert (change.only_before, change.only_after) == (2, 1)
    assert change.max_mm == pytest.approx(400, abs=0.1)
    assert change.joint_mm["right_ankle"] == pytest.approx(400, abs=0.1)
    assert change.mean_mm == pytest.approx(400 / 17, abs=0.1)
    assert change.angle_degrees["right_knee"] == pytest.approx((60, 60), abs=1e-3)
    assert change.as_json()["angle_degrees"]["right_knee"] == {"mean": 60.0, "max": 60.0}


def test_a_tenth_of_a_millimetre_is_no_change():
    assert motion_change(sequence([0, 1]), sequence([0, 1], shift=0.0001)).changed == 0


def test_nothing_in_common():
    change = motion_change(sequence([0, 1]), sequence([5]))
    assert (change.frames, change.mean_mm, change.angle_degrees) == (0, 0.0, {})
