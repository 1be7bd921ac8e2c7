"""A Keypoint R-CNN that is given joints which it lacks keeps those that it knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import tiny_estimator

from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.interfaces import Growable
from emc.plugins import estimator_for
from emc.pose.records import Box, Sample
from emc.pose.skeletons.file import skeleton_from_toml
from emc.pose.skeletons.skeleton import COCO17, HALPE26, Skeleton

OWN = skeleton_from_toml(
    f"""
name = "kicker"
joints = ["head_top", {", ".join(f'"{joint}"' for joint in reversed(COCO17.joints))}, "left_toe", "right_toe"]
limbs = [["left_ankle", "left_toe"], ["right_ankle", "right_toe"]]
"""
)
LAST = "roi_heads.keypoint_predictor.kps_score_lowres"


@pytest.fixture(scope="module")
def estimator() -> KeypointRcnnEstimator:
    return tiny_estimator(3)


def seen() -> tuple[list[np.ndarray], list[list[Box]]]:
    rng = np.random.default_rng(5)
    images = [rng.integers(0, 255, (90, 120, 3), dtype=np.uint8) for _ in range(2)]
    return images, [[Box(0, (10, 12, 60, 70), track=0)], [Box(1, (30, 20, 60, 60), track=1)]]


@pytest.mark.parametrize("skeleton", [HALPE26, OWN], ids=lambda s: s.name)
def test_old_joints_and_found_persons_stay_the_same(estimator: KeypointRcnnEstimator, skeleton: Skeleton) -> None:
    assert isinstance(estimator, Growable)
    grown = estimator.with_skeleton(skeleton)
    assert grown.skeleton is skeleton
    assert grown.describe().skeleton == skeleton.name
    images, boxes = seen()
    new = [skeleton.joints.index(joint) for joint in COCO17.joints]
    for before, after in zip(estimator.predict(images, boxes), grown.predict(images, boxes), strict=True):
        assert after.xy.shape == (len(skeleton), 2)
        np.testing.assert_allclose(after.xy[new], before.xy, atol=1e-3)
        np.testing.assert_allclose(after.score[new], before.score, atol=1e-5)
        np.testing.assert_allclose(after.confidence[new], before.confidence, atol=1e-5)
    assert grown.detect(images, [0, 1]) == estimator.detect(images, [0, 1])
    assert estimator.skeleton is COCO17
    assert estimator.module.shape.joints == 17


def test_channels_are_copied_bit_by_bit_and_new_ones_start_where_they_should(estimator: KeypointRcnnEstimator) -> None:
    grown = estimator.with_skeleton(HALPE26)
    ours, theirs = dict(estimator.module.state_dict()), dict(grown.module.state_dict())
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        if not name.startswith(LAST):
            assert torch.equal(theirs[name], value), name
    weight, bias = theirs[f"{LAST}.weight"], theirs[f"{LAST}.bias"]
    assert torch.equal(weight[:, :17], ours[f"{LAST}.weight"])
    assert torch.equal(bias[:17], ours[f"{LAST}.bias"])
    toe, hips = HALPE26.index("left_big_toe"), HALPE26.index("mid_hip")
    assert torch.equal(weight[:, toe], weight[:, COCO17.index("left_ankle")])
    middle = (weight[:, COCO17.index("left_hip")] + weight[:, COCO17.index("right_hip")]) / 2
    assert torch.allclose(weight[:, hips], middle)
    still = {name for name, one in grown.module.named_parameters() if not one.requires_grad}
    assert still == {name for name, one in estimator.module.named_parameters() if not one.requires_grad}


def person() -> Sample:
    image = np.zeros((90, 120, 3), np.uint8)
    xy = np.array([[30 + 2 * j, 15 + 3 * j] for j in range(len(OWN))], np.float32)
    for x, y in xy.astype(int):
        image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return Sample(image, xy, np.full(len(OWN), 2, np.int8), np.array([20, 8, 70, 75], np.float32), "c", "g", 0)


def test_it_is_trained_and_saved_with_its_skeleton(estimator: KeypointRcnnEstimator, tmp_path: Path) -> None:
    grown = estimator.with_skeleton(OWN)
    batch = grown.collate([person()], np.random.default_rng(0))
    assert batch["maps"].shape[1] == len(OWN)
    optimizer = torch.optim.SGD([p for p in grown.module.parameters() if p.requires_grad], lr=1e-2)
    first = grown.loss(batch)
    for _ in range(3):
        optimizer.zero_grad()
        grown.loss(batch).backward()
        optimizer.step()
    assert float(grown.loss(batch).detach()) < float(first.detach())
    grown.save(tmp_path / "saved", {"ladder_step": 3})
    again = estimator_for(str(tmp_path / "saved"))
    assert again.skeleton == OWN
    images, boxes = seen()
    for a, b in zip(grown.predict(images, boxes), again.predict(images, boxes), strict=True):
        np.testing.assert_array_equal(a.xy, b.xy)
    back = again.with_skeleton(COCO17)
    back.save(tmp_path / "back")
    assert estimator_for(str(tmp_path / "back")).skeleton is COCO17


def test_mirrored_images_follow_the_own_flip_pairs(estimator: KeypointRcnnEstimator) -> None:
    grown = estimator.with_skeleton(OWN)
    plain = replace(grown.augmentation, rotation=0.0, shift=0.0, colour=0.0, cutout=0.0, scale=(0.4, 0.4))
    left, right = OWN.index("left_toe"), OWN.index("right_toe")
    columns = []
    for flip in (0.0, 1.0):
        grown.augmentation = replace(plain, flip=flip)
        maps = grown.collate([person()], np.random.default_rng(0))["maps"][0]
        columns.append([int(maps[joint].sum(dim=0).argmax()) for joint in (left, right)])
    (left_column, right_column), mirrored = columns
    assert left_column != right_column
    assert mirrored == pytest.approx([55 - right_column, 55 - left_column], abs=1)
