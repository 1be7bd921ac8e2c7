import numpy as np
import pytest

from emc.errors import InputError, ShapeMismatch, UsageError
from emc.pose.records import Clip, JointChange, Pose, Provenance, Role, Visibility
from emc.pose.skeletons.skeleton import COCO17, build_skeleton
from emc.stages.edits import Label, confirm, edit_from_labels, place_joint, set_visibility, swap_left_right

LEGS = build_skeleton("legs", ("nose", "left_ankle", "right_ankle"), ())
CLIP = Clip("kick_03", "kick_03.mp4", Role.TARGET, "anna", frames=10, width=200, height=100)
NAN = float("nan")


def pose(frame=4, person=0, xy=((50, 10), (30, 90), (70, 90)), visibility=(2, 2, 1), provenance=(0, 0, 0)):
    return Pose(
        frame,
        person,
        np.array(xy, np.float32),
        np.array(visibility, np.int8),
        np.array(provenance, np.int8),
    )


def label(xy, visibility, frame=4, person=0):
    return Label(frame, person, np.array(xy, np.float32), np.array(visibility, np.int8))


def test_placing_a_joint_is_one_change_by_a_human():
    edit = place_joint(CLIP, LEGS, 4, 1, "left_ankle", (33.5, 80), author="mia", seconds=1.5)
    assert edit.changes == (JointChange(4, 1, 1, 33.5, 80.0, Visibility.VISIBLE, Provenance.HUMAN),)
    assert (edit.clip, edit.kind, edit.author, edit.seconds) == ("kick_03", "drag", "mia", 1.5)


@pytest.mark.parametrize("xy", [(-50, 0), (249, 149)])
def test_a_joint_may_lie_a_little_outside_the_picture(xy):
    assert place_joint(CLIP, LEGS, 0, 0, 0, xy).changes[0].x == xy[0]


@pytest.mark.parametrize(
    ("frame", "joint", "xy", "said"),
    [
        (10, 0, (1, 1), "clip kick_03 has no frame 10: use 0 to 9"),
        (-1, 0, (1, 1), "no frame -1"),
        (0, "toe", (1, 1), "unknown joint 'toe' in skeleton legs: use one of nose"),
        (0, 3, (1, 1), "unknown joint 3 in skeleton legs: use 0 to 2"),
        (0, -1, (1, 1), "unknown joint -1"),
        (0, 0, (NAN, 1), "nose: .nan, 1. is no place"),
        (0, 0, (float("inf"), 1), "is no place"),
        (0, 0, (-51, 0), "far outside the 200 x 100 frame"),
        (0, 0, (0, 150), "far outside"),
    ],
)
def test_a_place_that_cannot_be_is_refused(frame, joint, xy, said):
    with pytest.raises(UsageError, match=said):
        place_joint(CLIP, LEGS, frame, 0, joint, xy)


def test_visibility_keeps_the_place():
    edit = set_visibility(CLIP, LEGS, [pose()], ["left_ankle"], Visibility.OCCLUDED)
    assert edit.changes == (JointChange(4, 0, 1, 30.0, 90.0, Visibility.OCCLUDED, Provenance.HUMAN),)
    absent = set_visibility(CLIP, LEGS, [pose()], ["left_ankle"], Visibility.ABSENT)
    assert (absent.changes[0].x, absent.changes[0].visibility) == (30.0, Visibility.ABSENT)


def test_a_joint_without_a_place_can_be_absent_and_nothing_else():
    lost = pose(xy=((NAN, NAN), (30, 90), (70, 90)))
    assert np.isnan(set_visibility(CLIP, LEGS, [lost], [0], Visibility.ABSENT).changes[0].x)
    with pytest.raises(UsageError, match="nose has no place, so it cannot be visible: place it first"):
        set_visibility(CLIP, LEGS, [lost], [0], Visibility.VISIBLE)


def test_swapping_exchanges_place_and_visibility_of_every_pair():
    edit = swap_left_right(CLIP, LEGS, [pose(3), pose(4), pose(5), pose(4, person=1)], 0, 4, 5)
    assert edit.changes == (
        JointChange(4, 0, 1, 70.0, 90.0, Visibility.OCCLUDED, Provenance.HUMAN),
        JointChange(4, 0, 2, 30.0, 90.0, Visibility.VISIBLE, Provenance.HUMAN),
        JointChange(5, 0, 1, 70.0, 90.0, Visibility.OCCLUDED, Provenance.HUMAN),
        JointChange(5, 0, 2, 30.0, 90.0, Visibility.VISIBLE, Provenance.HUMAN),
    )


@pytest.mark.parametrize(
    ("limb", "joints"),
    [
        ("leg", {11, 12, 13, 14, 15, 16}),
        ("arm", {5, 6, 7, 8, 9, 10}),
        ("knee", {13, 14}),
        ("body", set(range(1, 17))),
    ],
)
def test_a_limb_is_swapped_alone(limb, joints):
    whole = Pose(0, 0, np.ones((17, 2), np.float32), np.full(17, 2, np.int8), np.zeros(17, np.int8))
    edit = swap_left_right(CLIP, COCO17, [whole], 0, 0, 0, limb)
    assert {change.joint for change in edit.changes} == joints


def test_a_swap_of_nothing_is_refused():
    with pytest.raises(UsageError, match="no pose of person 7 on frames 0 to 9"):
        swap_left_right(CLIP, LEGS, [pose()], 7, 0, 9)
    with pytest.raises(UsageError, match="run backwards"):
        swap_left_right(CLIP, LEGS, [pose()], 0, 5, 4)
    with pytest.raises(UsageError, match="no frame 10"):
        swap_left_right(CLIP, LEGS, [pose()], 0, 0, 10)
    with pytest.raises(UsageError, match="unknown part 'tail'"):
        swap_left_right(CLIP, LEGS, [pose()], 0, 0, 1, "tail")


def test_confirming_says_that_the_places_are_right():
    lost = pose(xy=((NAN, NAN), (30, 90), (NAN, NAN)), visibility=(0, 2, 0), provenance=(0, 0, 2))
    edit = confirm(CLIP, LEGS, [lost])
    # The nose was merely not found; of the right ankle a human said that it is absent.
    assert [(c.joint, c.visibility, c.provenance) for c in edit.changes] == [
        (1, Visibility.VISIBLE, Provenance.CONFIRMED),
        (2, Visibility.ABSENT, Provenance.CONFIRMED),
    ]
    with pytest.raises(UsageError, match="no placed joint to confirm"):
        confirm(CLIP, LEGS, [lost], ["nose"])


def test_labels_become_one_edit():
    labels = [label(((50, 10), (NAN, NAN), (70, 90)), (2, 0, 1)), label(((1, 2), (3, 4), (5, 6)), (2, 2, 0), frame=5)]
    edit = edit_from_labels(labels, CLIP, LEGS)
    assert edit.kind == "import"
    assert edit.changes == (
        JointChange(4, 0, 0, 50.0, 10.0, Visibility.VISIBLE, Provenance.HUMAN),
        JointChange(4, 0, 2, 70.0, 90.0, Visibility.OCCLUDED, Provenance.HUMAN),
        JointChange(5, 0, 0, 1.0, 2.0, Visibility.VISIBLE, Provenance.HUMAN),
        JointChange(5, 0, 1, 3.0, 4.0, Visibility.VISIBLE, Provenance.HUMAN),
        JointChange(5, 0, 2, 5.0, 6.0, Visibility.ABSENT, Provenance.HUMAN),
    )


def test_labels_may_come_from_a_machine():
    edit = edit_from_labels([label(((1, 2), (3, 4), (5, 6)), (2, 2, 2))], CLIP, LEGS, "fill", Provenance.PROPAGATED)
    assert {change.provenance for change in edit.changes} == {Provenance.PROPAGATED}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (label(((1, 2), (3, 4), (5, 6)), (2, 2, 2), frame=10), "frame 10, person 0: the clip has frames 0 to 9"),
        (label(((1, 2), (3, 4), (NAN, 6)), (2, 2, 2)), "frame 4, person 0, right_ankle: .nan, 6.0. is no place"),
        (label(((1, 2), (3, 4), (999, 6)), (2, 2, 2)), "right_ankle: .999.0, 6.0. is far outside the 200 x 100"),
        (label(((1, 2), (3, 4), (5, 6)), (2, 2, 3)), "right_ankle: visibility is 3: use 0"),
        (label(((NAN, NAN),) * 3, (0, 0, 0)), "no labelled joint for clip kick_03"),
    ],
)
def test_labels_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        edit_from_labels([wrong], CLIP, LEGS)


def test_labels_of_another_skeleton_are_refused():
    with pytest.raises(ShapeMismatch, match=r"xy \(2, 2\) and visibility \(2,\), skeleton legs needs \(3, 2\)"):
        edit_from_labels([label(((1, 2), (3, 4)), (2, 2))], CLIP, LEGS)


def test_labels_may_say_whose_word_each_joint_is():
    own = label([(10, 20), (NAN, NAN), (30, 40)], (2, 0, 1))._replace(provenance=np.array([0, 2, 1], np.int8))
    edit = edit_from_labels([own], CLIP, LEGS)
    assert [(c.joint, c.visibility, c.provenance) for c in edit.changes] == [
        (1, Visibility.ABSENT, Provenance.HUMAN),
        (2, Visibility.OCCLUDED, Provenance.PROPAGATED),
    ]
    assert np.isnan(edit.changes[0].x)
