import numpy as np
import pytest

from emc.pose.motion.sequences import LiftedSequence
from emc.pose.records import Alert, AlertReason
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.pose.skeletons.spatial import H36M_PARENTS, STANDARD_LENGTHS
from emc.stages.lift.residual import merge_residual_alerts, reprojection_residual, residual_alerts

SIZE = (801, 601)
KNEE = COCO17.index("left_knee")


def standing(frames=6):
    """A person of 1.70 m, all bones pointing up, 4 m before a camera of 800 pixels focal length, and the 2D joints."""
    xyz = np.zeros((frames, 17, 3), dtype=np.float32)
    for joint in range(1, 17):
        xyz[:, joint] = xyz[:, H36M_PARENTS[joint]] + [0, -STANDARD_LENGTHS[joint], 0]
    root = np.tile(np.array([0.0, 0.0, 4.0], dtype=np.float32), (frames, 1))
    sequence = LiftedSequence(1, np.arange(frames) + 10, xyz, np.ones(frames, dtype=np.float32), root=root)
    xy = np.full((frames, 17, 2), np.nan)
    for joint, name in enumerate(COCO17.joints):
        if name in H36M17.joints:
            place = xyz[:, H36M17.index(name)] + root
            xy[:, joint] = place[:, :2] / place[:, 2:] * 800 + [400, 300]
    return sequence, xy


def test_joints_on_their_rays_have_no_residual_and_faces_none():
    sequence, xy = standing()
    residual = reprojection_residual(sequence, xy, SIZE, 800)
    assert residual[:, 5:] == pytest.approx(0, abs=1e-6)
    assert np.isnan(residual[:, :5]).all()


def test_the_residual_is_a_share_of_stature():
    sequence, xy = standing()
    # 34 pixels at 4 m under a focal length of 800 are 0.17 m, a tenth of 1.70 m.
    xy[2, KNEE] += (34, 0)
    xy[3, KNEE] = np.nan
    residual = reprojection_residual(sequence, xy, SIZE, 800)
    assert residual[2, KNEE] == pytest.approx(0.1, abs=1e-4)
    assert np.isnan(residual[3, KNEE])


def test_without_a_root_nothing_is_known():
    sequence, xy = standing()
    bare = LiftedSequence(1, sequence.frames, sequence.xyz, sequence.confidence)
    assert np.isnan(reprojection_residual(bare, xy, SIZE)).all()


def test_runs_of_a_joint_become_alerts():
    sequence, _ = standing(9)
    residual = np.zeros((9, 17))
    residual[[1, 2, 4, 8], KNEE] = (0.06, 0.15, 0.08, 0.07)
    residual[5, 0] = np.nan
    confidence = np.full((9, 17), 0.9)
    confidence[2, KNEE] = 0.5
    found = residual_alerts("clip", sequence, residual, confidence, 0.05, gap=2)
    assert [(a.first, a.last, a.joint, a.person, a.reason) for a in found] == [
        (11, 14, KNEE, 1, AlertReason.LIFT_RESIDUAL),
        (18, 18, KNEE, 1, AlertReason.LIFT_RESIDUAL),
    ]
    # 1 - 0.5 x 0.05 / (0.15 + 0.05); 1 - 0.9 x 0.05 / (0.07 + 0.05)
    assert [a.severity for a in found] == pytest.approx([0.875, 0.625])


def test_a_limit_of_0_finds_nothing():
    sequence, _ = standing()
    assert residual_alerts("clip", sequence, np.ones((6, 17)), np.ones((6, 17)), 0.0) == []


def alert(first, last, joint=KNEE, reason=AlertReason.LOST, severity=0.5, person=1):
    return Alert("clip", person, joint, first, last, reason, severity)


def test_new_residuals_replace_old_ones_and_tell_nothing_twice():
    lost, old = alert(10, 14), alert(30, 31, reason=AlertReason.LIFT_RESIDUAL)
    inside = alert(12, 13, reason=AlertReason.LIFT_RESIDUAL, severity=0.9)
    beside = alert(15, 16, reason=AlertReason.LIFT_RESIDUAL, severity=0.7)
    other = alert(12, 13, person=2, reason=AlertReason.LIFT_RESIDUAL, severity=0.2)
    assert merge_residual_alerts([lost, old], [inside, beside, other]) == [beside, lost, other]
