from __future__ import annotations

import pytest

from emc.pose.skeletons.maps import skeleton_map
from emc.pose.skeletons.sides import joint_word, mirror_joint, plain_name
from emc.pose.skeletons.skeleton import COCO17, SKELETONS, build_skeleton


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("left_hip", "left_hip"), ("Left Hip", "left_hip"), ("LeftHip", "left_hip"), ("leftHip", "left_hip"),
        ("LHip", "l_hip"), ("hip.L", "hip_l"), ("Hip_Left", "hip_left"), ("hip-left", "hip_left"), ("HipL", "hip_l"),
        ("LBigToe", "l_big_toe"), ("LHIP", "lhip"), ("nose", "nose"), ("MCP1", "mcp1"), ("C7", "c7"),
    ],
)  # fmt: skip
def test_names_become_words(written: str, word: str) -> None:
    assert joint_word(written) == word
    assert joint_word(word) == word


@pytest.mark.parametrize(
    ("left", "right", "plain"),
    [
        ("left_hip", "right_hip", "left_hip"), ("l_hip", "r_hip", "left_hip"), ("hip_left", "hip_right", "left_hip"),
        ("hip_l", "hip_r", "left_hip"), ("lhip", "rhip", "left_hip"), ("hipl", "hipr", "left_hip"),
        ("lefthip", "righthip", "left_hip"), ("hipleft", "hipright", "left_hip"),
        ("front_left_paw", "front_right_paw", "left_front_paw"), ("l_big_toe", "r_big_toe", "left_big_toe"),
    ],
)  # fmt: skip
def test_mirror_joints_are_found_as_people_write_them(left: str, right: str, plain: str) -> None:
    joints = ("nose", left, right)
    assert (mirror_joint(left, joints), mirror_joint(right, joints), mirror_joint("nose", joints)) == (
        right, left, "nose",
    )  # fmt: skip
    assert plain_name(left, joints) == plain
    assert build_skeleton("s", joints, ()).flip == (0, 2, 1)


def test_a_letter_is_no_side_where_the_other_side_is_missing() -> None:
    joints = ("lip", "l_antenna", "rear", "tail", "left")
    assert [mirror_joint(joint, joints) for joint in joints] == list(joints)
    assert [plain_name(joint, joints) for joint in joints] == list(joints)
    assert not build_skeleton("s", joints, ()).mirrors


def test_built_in_skeletons_keep_their_pairs() -> None:
    for skeleton in SKELETONS.values():
        for joint, other in zip(skeleton.joints, skeleton.flip, strict=True):
            swapped = joint.replace("left_", "RIGHT_").replace("right_", "left_").replace("RIGHT_", "right_")
            assert skeleton.joints[other] == swapped


def test_joints_written_otherwise_are_the_same_joints() -> None:
    own = build_skeleton("own", ("nose", "l_hip", "r_hip", "knee_left", "knee_right", "lankle", "rankle"), ())
    mapping = skeleton_map(own, COCO17)
    assert mapping.same == (
        "nose", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    )  # fmt: skip
    assert own.parts["leg"] == (1, 2, 3, 4, 5, 6)
