from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from emc.pose.records import Clip, Pose, Provenance, Role, Visibility
from emc.workflow.samples.cut import CUT_LIMIT, cut_sample, guessed_torso
from emc.workflow.samples.eligible import is_labelled, label_visibility
from emc.workflow.samples.extras import LabelExtra

CLIP = Clip("kick", "kick.mp4", Role.TARGET, "anna", frames=3, width=1000, height=800)


def pose_of(xy: np.ndarray, provenance: Provenance = Provenance.HUMAN) -> Pose:
    joints = len(xy)
    return Pose(
        frame=1,
        person=0,
        xy=xy.astype(np.float32),
        visibility=np.full(joints, Visibility.VISIBLE, np.int8),
        provenance=np.full(joints, provenance, np.int8),
    )


def spread(low: float, high: float) -> np.ndarray:
    return np.linspace([low, low], [high, high], 17)


def test_only_joints_that_a_person_vouched_for_are_labels() -> None:
    pose = pose_of(spread(100, 200))
    pose.provenance[:] = Provenance.MODEL
    pose.provenance[3] = Provenance.HUMAN
    pose.provenance[4] = Provenance.CONFIRMED
    pose.provenance[5] = Provenance.PROPAGATED
    pose.visibility[4] = Visibility.OCCLUDED
    expected = np.zeros(17)
    expected[3], expected[4] = 2, 1
    assert_allclose(label_visibility(pose), expected)
    assert is_labelled(pose)
    assert not is_labelled(pose_of(spread(1, 2), Provenance.MODEL))


def test_the_cut_keeps_labels_on_the_same_picture_content() -> None:
    image = np.zeros((800, 1000, 3), np.uint8)
    xy = spread(450, 550)
    for x, y in xy.round().astype(int):
        image[y, x] = 255
    sample = cut_sample(image, pose_of(xy.round()), CLIP, LabelExtra(head=20.0))
    assert sample.scale == 1.0
    assert sample.head == 20.0
    for x, y in sample.xy.round().astype(int):
        assert sample.image[y, x, 0] == 255
    # The box is the joints' 100 px plus a tenth on each side, the cut 1.6 times that.
    assert sample.image.shape[0] in (192, 193)


def test_large_persons_are_shrunk_with_everything_that_has_a_length() -> None:
    image = np.zeros((800, 1000, 3), np.uint8)
    pose = pose_of(spread(100, 700))
    sample = cut_sample(image, pose, CLIP, LabelExtra(head=60.0, area=90_000.0))
    factor = 1 / sample.scale
    assert max(sample.image.shape[:2]) == CUT_LIMIT
    assert factor < 1
    assert_allclose(sample.head, 60.0 * factor)
    assert_allclose(sample.area, 90_000.0 * factor**2)
    assert_allclose(np.ptp(sample.xy[:, 0]), 600 * factor, rtol=1e-5)


def test_a_person_at_the_edge_gives_a_smaller_cut() -> None:
    image = np.zeros((800, 1000, 3), np.uint8)
    sample = cut_sample(image, pose_of(spread(0, 100)), CLIP, LabelExtra())
    assert sample.image.shape[0] < 192
    assert_allclose(sample.xy[0], [0.0, 0.0])


def test_a_torso_that_is_not_labelled_is_taken_from_where_the_model_sees_it() -> None:
    xy = spread(100, 100)
    xy[6], xy[11] = (130, 200), (100, 240)  # right shoulder, left hip: 50 pixels apart
    pose = pose_of(xy, Provenance.MODEL)
    pose.provenance[13] = Provenance.HUMAN
    assert guessed_torso(pose, label_visibility(pose)) == 50.0
    sample = cut_sample(np.zeros((800, 1000, 3), np.uint8), pose, CLIP, LabelExtra(box=(0, 0, 400, 400)))
    assert sample.torso * sample.scale == pytest.approx(50.0)


def test_a_labelled_torso_needs_no_guess_and_an_unknown_one_has_none() -> None:
    pose = pose_of(spread(100, 200))
    assert math.isnan(guessed_torso(pose, label_visibility(pose)))
    lost = pose_of(spread(100, 200), Provenance.MODEL)
    lost.xy[[5, 6]] = np.nan
    assert math.isnan(guessed_torso(lost, label_visibility(lost)))
