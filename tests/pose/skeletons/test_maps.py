from __future__ import annotations

import itertools

import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.records import Prediction
from emc.pose.skeletons.file import skeleton_from_toml
from emc.pose.skeletons.maps import channel_start, skeleton_map
from emc.pose.skeletons.skeleton import BODY25, COCO17, COCO18, H36M17, HALPE26, LSP14, MPII16, SKELETONS, Skeleton

PLUS = skeleton_from_toml(
    """
name = "plus"
joints = ["left_knee", "nose", "pelvis", "left_ankle", "left_toe", "racket", "hook"]
limbs = [["left_knee", "left_ankle"], ["left_ankle", "left_toe"], ["racket", "left_toe"]]
"""
)


def points(skeleton: Skeleton) -> np.ndarray:
    return np.random.default_rng(len(skeleton)).uniform(0, 100, (len(skeleton), 2))


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SKELETONS.values(), repeat=2)), ids=lambda s: s.name)
def test_any_two_skeletons(a: Skeleton, b: Skeleton) -> None:
    mapping = skeleton_map(a, b)
    assert sorted((*mapping.same, *mapping.derived, *mapping.absent)) == sorted(b.joints)
    sums = mapping.weights.sum(axis=1)
    for joint, total in zip(b.joints, sums, strict=True):
        assert total == pytest.approx(0.0 if joint in mapping.absent else 1.0)
    # Mirroring first or last comes to the same.
    flipped = mapping.weights[list(b.flip)][:, list(a.flip)]
    assert np.array_equal(flipped, mapping.weights)
    limbs = [j for j in a.joints if j.endswith(("knee", "ankle", "wrist", "elbow"))]
    assert set(limbs) <= set(mapping.same)


def test_a_skeleton_to_itself_changes_nothing() -> None:
    for skeleton in SKELETONS.values():
        assert np.array_equal(skeleton_map(skeleton, skeleton).weights, np.eye(len(skeleton)))


def test_coco_to_lsp_derives_the_neck_and_lacks_the_head_top() -> None:
    mapping = skeleton_map(COCO17, LSP14)
    xy = points(COCO17)
    out = mapping.places(xy)
    shoulders = [COCO17.index("left_shoulder"), COCO17.index("right_shoulder")]
    assert np.allclose(out[LSP14.index("neck")], xy[shoulders].mean(axis=0))
    assert np.array_equal(out[LSP14.index("right_ankle")], xy[COCO17.index("right_ankle")])
    assert np.isnan(out[LSP14.index("head_top")]).all()
    assert mapping.absent == ("head_top",)
    assert mapping.derived == ("neck",)
    assert mapping.say() == (
        "coco17 to lsp14: 12 of 14 joints are the same; neck = mean of left_shoulder and right_shoulder; "
        "absent: head_top"
    )


def test_coco_to_body25_and_back() -> None:
    there = skeleton_map(COCO17, BODY25)
    assert there.derived == ("neck", "mid_hip")
    assert set(there.absent) == {f"{s}_{j}" for s in ("left", "right") for j in ("big_toe", "small_toe", "heel")}
    back = skeleton_map(BODY25, COCO17)
    assert back.absent == ()
    xy = points(COCO17)
    assert np.array_equal(back.places(there.places(xy)), xy)


def test_coco_to_h36m_means_of_means() -> None:
    mapping = skeleton_map(COCO17, H36M17)
    row = dict(zip(COCO17.joints, mapping.weights[H36M17.index("spine")], strict=True))
    assert {k: v for k, v in row.items() if v} == {
        "left_shoulder": 0.25, "right_shoulder": 0.25, "left_hip": 0.25, "right_hip": 0.25,
    }  # fmt: skip
    neck_nose = dict(zip(COCO17.joints, mapping.weights[H36M17.index("neck_nose")], strict=True))
    assert {k: v for k, v in neck_nose.items() if v} == {"nose": 0.5, "left_shoulder": 0.25, "right_shoulder": 0.25}
    assert mapping.absent == ("head_top",)
    assert "neck_nose = 0.5 nose + 0.25 left_shoulder + 0.25 right_shoulder" in mapping.say()


def test_necks_are_not_all_the_same_place() -> None:
    assert "neck" in skeleton_map(LSP14, BODY25).derived
    assert "neck" in skeleton_map(BODY25, COCO18).same
    assert "upper_neck" in skeleton_map(LSP14, MPII16).same
    assert "pelvis" in skeleton_map(HALPE26, MPII16).same
    assert "thorax" in skeleton_map(HALPE26, H36M17).same


def test_missing_sources_make_a_joint_missing() -> None:
    mapping = skeleton_map(COCO17, LSP14)
    xy = points(COCO17).astype(np.float32)
    xy[COCO17.index("left_shoulder")] = np.nan
    confidence = np.linspace(0.2, 1.0, 17, dtype=np.float32)
    features = np.arange(34, dtype=np.float32).reshape(17, 2)
    found = mapping.prediction(Prediction(3, 1, xy, confidence * 2, confidence, np.zeros(4, np.float32), features))
    neck, top, ankle = (LSP14.index(j) for j in ("neck", "head_top", "left_ankle"))
    assert np.isnan(found.xy[[neck, top]]).all()
    assert found.confidence[neck] == found.confidence[top] == 0
    assert found.score[neck] == 0
    assert found.confidence[ankle] == confidence[COCO17.index("left_ankle")]
    assert found.features is not None
    assert found.features.shape == (14, 2)
    assert list(found.features[top]) == [0, 0]
    assert (found.xy.dtype, found.confidence.dtype) == (np.float32, np.float32)
    assert (found.frame, found.person) == (3, 1)


def test_labels_keep_the_least_visibility() -> None:
    mapping = skeleton_map(COCO17, LSP14)
    seen = np.full(17, 2, dtype=np.int8)
    seen[COCO17.index("left_shoulder")] = 1
    seen[COCO17.index("left_hip")] = 0
    xy, visibility = mapping.labels(points(COCO17), seen)
    assert visibility[LSP14.index("neck")] == 1
    assert visibility[LSP14.index("left_hip")] == 0
    assert np.isnan(xy[LSP14.index("left_hip")]).all()
    assert visibility[LSP14.index("head_top")] == 0
    assert visibility[LSP14.index("left_knee")] == 2


def test_many_poses_at_once_and_wrong_shapes() -> None:
    mapping = skeleton_map(COCO17, COCO18)
    many = np.stack([points(COCO17), points(COCO17) + 1])
    assert np.array_equal(mapping.places(many)[1], mapping.places(many[1]))
    assert mapping.least(np.ones((2, 3, 17))).shape == (2, 3, 18)
    with pytest.raises(ShapeMismatch, match="17"):
        mapping.places(np.zeros((16, 2)))


def test_own_rules_come_before_the_built_in_ones() -> None:
    own = skeleton_from_toml(
        'name = "own"\njoints = ["neck", "wing"]\n[derived]\nneck = ["nose"]\nwing = ["left_wrist", "left_elbow"]'
    )
    mapping = skeleton_map(COCO17, own)
    assert mapping.derived == ("neck", "wing")
    assert mapping.weights[0, COCO17.index("nose")] == 1
    assert mapping.weights[1, COCO17.index("left_wrist")] == 0.5
    # A joint that the source has needs no rule.
    assert skeleton_map(own, own).same == ("neck", "wing")


def test_channels_of_new_joints_start_at_their_neighbours() -> None:
    start = channel_start(COCO17, PLUS)
    ankle = np.eye(17)[COCO17.index("left_ankle")]
    assert np.array_equal(start[PLUS.index("left_ankle")], ankle)
    assert np.array_equal(start[PLUS.index("left_toe")], ankle)
    assert np.array_equal(start[PLUS.index("racket")], ankle)
    assert np.allclose(start[PLUS.index("hook")], 1 / 17)
    hips = start[PLUS.index("pelvis")]
    assert hips[COCO17.index("left_hip")] == hips[COCO17.index("right_hip")] == 0.5
    assert np.allclose(start.sum(axis=1), 1)


def test_channels_of_a_robot_start_at_the_mean_of_all() -> None:
    robot = skeleton_from_toml('name = "robot"\njoints = ["base", "grip"]\nlimbs = [["base", "grip"]]')
    assert np.allclose(channel_start(COCO17, robot), 1 / 17)
