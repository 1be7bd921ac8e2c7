from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emc.errors import WeightsError
from emc.estimators.model_skeleton import grown_rows, grown_table, skeleton_entries, skeleton_in_card
from emc.estimators.nano.estimator import NanoEstimator
from emc.interfaces import Growable, Trainable
from emc.plugins import estimator_for
from emc.pose.records import Box, Sample
from emc.pose.skeletons.file import skeleton_from_toml
from emc.pose.skeletons.skeleton import BODY25, COCO17, HALPE26

OWN = skeleton_from_toml(
    f"""
name = "kicker"
joints = ["head_top", {", ".join(f'"{joint}"' for joint in reversed(COCO17.joints))}, "left_toe", "right_toe"]
limbs = [["left_ankle", "left_toe"], ["right_ankle", "right_toe"]]
"""
)


def tiny_vitpose() -> Trainable:
    pytest.importorskip("transformers", reason="ViTPose needs transformers")
    from emc.estimators.vitpose.estimator import VitPoseEstimator

    return VitPoseEstimator.untrained(3)


@pytest.fixture(params=["nano", "vitpose", "vitpose-classic"])
def estimator(request: pytest.FixtureRequest) -> Trainable:
    if request.param == "nano":
        return NanoEstimator()
    made = tiny_vitpose()
    if request.param == "vitpose-classic":
        from emc.estimators.vitpose.variants import configuration

        made = type(made).untrained(4, configuration(hidden=96, layers=2, heads=3, simple_head=False, size=(128, 96)))
    return made


def crops() -> tuple[list[np.ndarray], list[list[Box]]]:
    rng = np.random.default_rng(5)
    images = [rng.integers(0, 255, (150, 120, 3), dtype=np.uint8) for _ in range(2)]
    return images, [[Box(0, (10, 12, 80, 110), track=0)], [Box(1, (30, 20, 60, 100), track=1)]]


@pytest.mark.parametrize("skeleton", [HALPE26, BODY25, OWN], ids=lambda s: s.name)
def test_old_joints_stay_the_same_before_training(estimator: Trainable, skeleton) -> None:  # noqa: ANN001
    assert isinstance(estimator, Growable)
    grown = estimator.with_skeleton(skeleton)
    assert grown.skeleton is skeleton
    assert grown.describe().skeleton == skeleton.name
    images, boxes = crops()
    pairs = [(i, skeleton.joints.index(joint)) for i, joint in enumerate(COCO17.joints) if joint in skeleton.joints]
    assert len(pairs) == 17
    old, new = [i for i, _ in pairs], [j for _, j in pairs]
    for before, after in zip(estimator.predict(images, boxes), grown.predict(images, boxes), strict=True):
        assert after.xy.shape == (len(skeleton), 2)
        assert np.allclose(after.xy[new], before.xy[old], atol=1e-3, equal_nan=True)
        assert np.allclose(after.score[new], before.score[old], atol=1e-5)
        assert np.allclose(after.confidence[new], before.confidence[old], atol=1e-5)
    # The estimator that was grown is as it was.
    assert estimator.skeleton is COCO17
    assert estimator.predict(images, boxes)[0].xy.shape == (17, 2)


def test_channels_are_copied_bit_by_bit(estimator: Trainable) -> None:
    assert isinstance(estimator, Growable)
    grown = estimator.with_skeleton(HALPE26)
    ours, theirs = dict(estimator.module.state_dict()), dict(grown.module.state_dict())
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        per_joint = theirs[name].shape[0] // 26 if theirs[name].shape != value.shape else 0
        assert torch.equal(theirs[name][: 17 * per_joint] if per_joint else theirs[name], value), name


def test_new_joints_start_where_they_should(estimator: Trainable) -> None:
    assert isinstance(estimator, Growable)
    grown = estimator.with_skeleton(HALPE26)
    size = (128, 128) if isinstance(estimator, NanoEstimator) else (128, 96)
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        old, new = estimator.module.eval()(image)[0], grown.module.eval()(image)[0]
    toe, hips = HALPE26.index("left_big_toe"), HALPE26.index("mid_hip")
    assert torch.allclose(new[toe], old[COCO17.index("left_ankle")], atol=1e-4)
    middle = (old[COCO17.index("left_hip")] + old[COCO17.index("right_hip")]) / 2
    assert torch.allclose(new[hips], middle, atol=1e-4)


def samples(joints: int, count: int = 4) -> list[Sample]:
    """People whose joint j shines at (20 + 3 j, 40 + 2 j)."""
    made: list[Sample] = []
    for number in range(count):
        image = np.zeros((140, 140, 3), np.uint8)
        xy = np.array([[20 + 3 * j, 40 + 2 * j] for j in range(joints)], np.float32)
        for x, y in xy.astype(int):
            image[y - 2 : y + 3, x - 2 : x + 3] = 255
        seen = np.full(joints, 2, np.int8)
        made.append(Sample(image, xy, seen, np.array([10, 20, 110, 110], np.float32), "c", "g", number))
    return made


def test_it_is_trained_and_saved_with_its_skeleton(estimator: Trainable, tmp_path: Path) -> None:
    assert isinstance(estimator, Growable)
    grown = estimator.with_skeleton(OWN)
    batch = grown.collate(samples(len(OWN)), np.random.default_rng(0))
    assert batch["target"].shape[1] == len(OWN)
    # A mirrored crop has the own skeleton's mirror joints in each other's place.
    grown.module.train()
    optimizer = torch.optim.SGD(grown.module.parameters(), lr=1e-2)
    first = grown.loss(batch)
    for _ in range(3):
        optimizer.zero_grad()
        grown.loss(batch).backward()
        optimizer.step()
    assert float(grown.loss(batch)) < float(first)
    grown.module.eval()
    grown.save(tmp_path / "saved", {"ladder_step": 3})
    again = estimator_for(str(tmp_path / "saved"))
    assert again.skeleton == OWN
    images, boxes = crops()
    for a, b in zip(grown.predict(images, boxes), again.predict(images, boxes), strict=True):
        assert np.array_equal(a.xy, b.xy, equal_nan=True)
    # And back to fewer joints, without a trace of the own skeleton.
    back = again.with_skeleton(COCO17)
    back.save(tmp_path / "back")
    assert estimator_for(str(tmp_path / "back")).skeleton is COCO17


def test_fresh_weights_keep_the_joints() -> None:
    grown = NanoEstimator().with_skeleton(OWN)
    fresh = grown.reinitialised(3)
    assert fresh.skeleton is OWN
    assert not torch.equal(fresh.module.stem[0][0].weight, grown.module.stem[0][0].weight)


def test_mirrored_readings_and_crops_follow_the_own_flip_pairs() -> None:
    grown = NanoEstimator().with_skeleton(OWN)
    grown.augmentation = type(grown.augmentation)(0.0, (1.0, 1.0), 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    (sample,) = samples(len(OWN), 1)
    exact = grown.collate([sample], None)["target"][0]
    mirrored = grown.collate([sample], np.random.default_rng(0))["target"][0]
    left, right = OWN.index("left_toe"), OWN.index("right_toe")
    assert torch.allclose(mirrored[left], exact[right].flip(-1), atol=1e-3)


def test_rows_and_tables() -> None:
    rows = torch.arange(8.0).reshape(4, 2)
    start = np.array([[0.0, 1.0], [0.5, 0.5]])
    assert grown_rows(rows, start, 2).tolist() == [[4, 5], [6, 7], [2, 3], [4, 5]]
    assert grown_rows(rows[:2], start).tolist() == [[2, 3], [1, 2]]
    table = {"peak": [0, 1], "right": [[0.2, 0.4], [0.4, 1.0]]}
    assert grown_table(table, start) == {"peak": [0, 1], "right": [[0.4, 1.0], [0.3, 0.7]]}
    assert grown_table(None, start) is None


def test_skeletons_in_cards() -> None:
    assert skeleton_entries(HALPE26) == {"skeleton": "halpe26"}
    assert skeleton_in_card({}, "card") is COCO17
    assert skeleton_in_card(skeleton_entries(OWN), "card") == OWN
    with pytest.raises(WeightsError, match="card has the skeleton 'dog'"):
        skeleton_in_card({"skeleton": "dog"}, "card")
    with pytest.raises(WeightsError, match="card needs a list 'joints'.*skeleton_toml"):
        skeleton_in_card({"skeleton": "dog", "skeleton_toml": "joints = []"}, "card")
