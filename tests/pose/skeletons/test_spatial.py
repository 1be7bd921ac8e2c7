import numpy as np
import pytest

from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.pose.skeletons.spatial import (
    BONE_GROUPS,
    H36M_PARENTS,
    HINGES,
    SHARED_COCO,
    SHARED_H36M,
    STANDARD_LENGTHS,
    bone_lengths,
    bone_vectors,
    length_spread,
    pelvis_axes,
    stature_of,
    swing_forward,
)


def test_every_bone_is_a_limb_and_in_one_group():
    limbs = {frozenset(limb) for limb in H36M17.limbs}
    assert {frozenset((H36M_PARENTS[j], j)) for j in range(1, 17)} == limbs
    assert sorted(bone for group in BONE_GROUPS for bone in group) == list(range(1, 17))
    for group in BONE_GROUPS:
        assert {H36M17.flip[bone] for bone in group} == set(group)


def test_shared_joints_have_the_same_names():
    assert [H36M17.joints[i] for i in SHARED_H36M] == [COCO17.joints[i] for i in SHARED_COCO]
    assert len(SHARED_H36M) == 12


def test_hinges_are_knees_and_elbows():
    assert [H36M17.joints[h.joint] for h in HINGES] == ["right_knee", "left_knee", "left_elbow", "right_elbow"]


def test_bones_of_points_on_a_line():
    xyz = np.zeros((1, 17, 3))
    xyz[0, :, 0] = np.arange(17)
    assert bone_vectors(xyz)[0, 3].tolist() == [1, 0, 0]
    assert bone_lengths(xyz)[0].tolist() == [0, 1, 1, 1, 4, 1, 1, 7, 1, 1, 1, 3, 1, 1, 6, 1, 1]


def test_spread_is_relative():
    xyz = np.zeros((2, 17, 3))
    xyz[:, 7, 1] = (0.9, 1.1)
    assert length_spread(xyz)[7] == pytest.approx(0.1)
    assert length_spread(xyz)[0] == 0


def test_standard_lengths_are_of_a_person_of_170():
    assert stature_of(STANDARD_LENGTHS) == pytest.approx(1.70)
    assert stature_of(STANDARD_LENGTHS * 1.1) == pytest.approx(1.87)


def test_standard_lengths_are_the_package_figures():
    from emc.synth.body.rig import BodyShape
    from emc.synth.motion.motions import generate_motion

    motion = generate_motion("stand", 0.5, 10.0, BodyShape(height=1.70), np.random.default_rng(0))
    assert bone_lengths(motion.h36m)[0] == pytest.approx(STANDARD_LENGTHS, abs=0.012)


def test_pelvis_axes_of_a_person_who_faces_z():
    xyz = np.zeros((17, 3))
    xyz[4], xyz[1], xyz[8] = (0.1, 0, 0), (-0.1, 0, 0), (0, 0.5, 0.1)
    left, up, forward = pelvis_axes(xyz)
    assert left.tolist() == [1, 0, 0]
    assert up == pytest.approx([0, 0.98058, 0.19612], abs=1e-5)
    assert forward == pytest.approx([0, -0.19612, 0.98058], abs=1e-5)


def test_forward_swings_with_the_limb():
    axes = np.eye(3)
    assert swing_forward(axes, np.array([0, -1.0, 0])) == pytest.approx([0, 0, 1])
    # A thigh that points ahead: what was ahead of it is now above.
    assert swing_forward(axes, np.array([0, 0, 2.0])) == pytest.approx([0, 1, 0])
    assert swing_forward(axes, np.array([3.0, 0, 0])) == pytest.approx([0, 0, 1])
    assert swing_forward(axes, np.array([0, 1.0, 0])).tolist() == [0, 0, 0]
