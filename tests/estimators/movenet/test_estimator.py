"""The MoveNet estimators: contracts, crops, saving, growing, export; real weights where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import emc.plugins as plugins
from emc.errors import ShapeMismatch, WeightsError
from emc.estimators.movenet import MoveNetLightning, MoveNetThunder
from emc.interfaces import Distillable, Folded, Growable, Layered, PerJoint, Trainable
from emc.pose.picture_part import Part
from emc.pose.records import Box, Sample
from emc.pose.skeletons import COCO17, Skeleton
from emc.weights.published import local

KNEES = Skeleton("knees", ("left_knee", "right_knee", "pole_tip"), (), (1, 0, 2))


def blob_sample(rng: np.random.Generator) -> Sample:
    """A picture with one coloured square per joint, each joint in its own colour."""
    image = np.full((160, 160, 3), 90, np.uint8)
    xy = rng.uniform(30, 130, (17, 2)).round()
    for joint, (x, y) in enumerate(xy.astype(int)):
        image[y - 4 : y + 5, x - 4 : x + 5] = (15 * joint, 255 - 15 * joint, (67 * joint) % 255)
    box = np.array([16, 16, 128, 128], np.float32)
    return Sample(image, xy, np.full(17, 2, np.int8), box, "blobs", "blobs", 0)


@pytest.fixture(scope="module")
def untrained() -> MoveNetLightning:
    return MoveNetLightning.untrained(3)  # pyright: ignore[reportReturnType]


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EMC_OFFLINE", "1")


def test_it_keeps_every_contract_of_calibration(untrained: MoveNetLightning) -> None:
    for contract in (Trainable, Layered, Folded, PerJoint, Distillable, Growable):
        assert isinstance(untrained, contract), contract.__name__


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize(("name", "side"), [("movenet-lightning", 192), ("movenet-thunder", 256)])
def test_describing_needs_no_weights(name: str, side: int) -> None:
    info = plugins.make_plugin("estimators", name).describe()
    assert (info.name, info.skeleton, info.input_size, info.trainable) == (name, "coco17", (side, side), True)
    assert "Apache-2.0" in info.licence
    assert "MIT" in info.licence
    assert info.weights.startswith(f"not here: `emc models get {name}`")


@pytest.mark.usefixtures("nothing_here")
def test_without_weights_it_says_how_to_get_them() -> None:
    with pytest.raises(WeightsError, match="unset EMC_OFFLINE, or copy movenet-lightning.json"):
        _ = MoveNetLightning().module


def test_untrained_weights_follow_the_seed() -> None:
    first, again, other = (MoveNetLightning.untrained(s).module.stem.conv.weight for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_predictions_come_image_by_image_in_box_order(untrained: MoveNetLightning) -> None:
    images = [np.zeros((50, 70, 3), np.uint8), np.zeros((300, 200, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)]
    boxes = [[Box(4, (-20, -10, 60, 90), track=2), Box(4, (5, 5, 10, 10), track=1)], [], [Box(9, (0, 0, 40, 40))]]
    found = untrained.predict(images, boxes)
    assert [(p.frame, p.person) for p in found] == [(4, 2), (4, 1), (9, -1)]
    assert all(p.xy.shape == (17, 2) and p.xy.dtype == np.float32 and np.isfinite(p.xy).all() for p in found)
    assert all(((p.confidence >= 0) & (p.confidence <= 1)).all() for p in found)
    assert all(p.features is not None and p.features.shape == (17, 4) for p in found)
    np.testing.assert_array_equal(found[0].box, np.array([-20, -10, 60, 90], np.float32))


def test_predict_wants_one_box_list_per_image(untrained: MoveNetLightning) -> None:
    with pytest.raises(ShapeMismatch, match="2 images came with 1 box lists"):
        untrained.predict([np.zeros((9, 9, 3), np.uint8)] * 2, [[]])
    assert untrained.predict([np.zeros((9, 9, 3), np.uint8)], [[]]) == []


def test_parts_are_read_as_the_whole_picture(untrained: MoveNetLightning) -> None:
    image = np.random.default_rng(1).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    box = Box(0, (300, 200, 400, 400))
    x0, y0, x1, y1 = untrained.reach(np.array([box.xywh]))[0].astype(int)
    part = Part(np.ascontiguousarray(image[y0:y1, x0:x1]), (x0, y0), (1200, 900))
    whole, seen = untrained.predict([image], [[box]])[0], untrained.predict_parts([part], [[box]])[0]
    np.testing.assert_array_equal(seen.xy, whole.xy)
    np.testing.assert_array_equal(seen.score, whole.score)


def test_neighbours_choose_the_decoding(untrained: MoveNetLightning) -> None:
    sample = blob_sample(np.random.default_rng(4))
    own, other = Box(0, (16, 16, 128, 128)), Box(0, (100, 16, 60, 128))
    pulls: list[list[float]] = []
    watched = untrained.clone()
    watched.decode_crops = lambda crops, pull: (pulls.append(pull.tolist()), untrained.decode_crops(crops, pull))[1]
    watched.predict([sample.image] * 2, [[own], [own, other]])
    watched.pull = 3.0
    watched.predict([sample.image], [[own]])
    assert pulls == [[pytest.approx(7.2, abs=1e-3), *[pytest.approx(1.8, abs=1e-3)] * 2], [3.0]]


def test_a_batch_is_what_predict_sees_and_labels_in_its_cells(untrained: MoveNetLightning) -> None:
    sample = blob_sample(np.random.default_rng(5))
    batch = untrained.collate([sample], None)
    assert batch["image"].shape == (1, 3, 192, 192)
    assert batch["target"].shape == (1, 17, 48, 48)
    # The crop is 160 pixels around the middle (80, 80), so image x is crop x 191 / 160, and a cell 191 / 48 pixels.
    np.testing.assert_allclose(batch["place"][0, :, 1].numpy(), sample.xy[:, 0] * 48 / 160, rtol=1e-4)
    assert batch["weight"].tolist() == [[1.0] * 17]


def test_mirrored_crops_have_mirrored_labels(untrained: MoveNetLightning) -> None:
    sample = blob_sample(np.random.default_rng(6))
    turned = untrained.clone()
    turned.augmentation = type(turned.augmentation)(0.0, (1.0, 1.0), 0.0, 1.0, 0.0, 0.0)
    plain, mirrored = untrained.collate([sample], None), turned.collate([sample], np.random.default_rng(0))
    flip = list(COCO17.flip)
    np.testing.assert_allclose(48 - mirrored["place"][0, flip, 1].numpy(), plain["place"][0, :, 1].numpy(), atol=1e-4)
    np.testing.assert_allclose(mirrored["image"][0].flip(-1).numpy(), plain["image"][0].numpy(), atol=0.1)


def test_a_few_steps_learn_one_picture() -> None:
    estimator = MoveNetLightning.untrained(1)
    batch = estimator.collate([blob_sample(np.random.default_rng(7))], None)
    optimizer = torch.optim.AdamW(estimator.module.parameters(), lr=3e-3)
    first = float(estimator.loss(batch).detach())
    for _ in range(15):
        optimizer.zero_grad()
        estimator.loss(batch).backward()
        optimizer.step()
    assert float(estimator.loss(batch).detach()) < 0.8 * first


def test_the_calibration_loop_trains_it_with_a_teacher_and_hard_joints() -> None:
    from emc.config import CalibrateSettings
    from emc.stages.calibrate import Progressed, train

    rng = np.random.default_rng(10)
    samples = [blob_sample(rng) for _ in range(2)]
    estimator = MoveNetLightning.untrained(1)
    before = {name: value.clone() for name, value in estimator.module.state_dict().items()}
    settings = CalibrateSettings(
        steps=2,
        batch=2,
        lr=1e-4,
        warmup=0.0,
        distil=0.2,
        fill=0.5,
        hard_joints=4,
        layer_decay=0.9,
        workers=0,
    )
    losses = [e.loss for e in train(estimator, samples, samples, settings) if isinstance(e, Progressed)]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    changed = [name for name, value in estimator.module.state_dict().items() if not torch.equal(value, before[name])]
    # The centre's head has no loss, and nothing decays: a crop's person is nothing to correct.
    assert {name.split(".")[1] for name in changed if name.startswith("heads")} == {
        "kpt_heatmap",
        "kpt_regress",
        "kpt_offset",
    }


def test_the_loss_is_the_mean_of_the_joints(untrained: MoveNetLightning) -> None:
    batch = untrained.collate([blob_sample(np.random.default_rng(8))], None)
    batch["weight"][0, 1:4] = 0.0
    losses, weight = untrained.joint_losses(batch)
    assert float(untrained.loss_mass(batch)) == 14.0
    assert float(untrained.loss(batch)) == pytest.approx(float((losses * weight).sum() / 14), rel=1e-6)


def test_a_saved_model_comes_back(untrained: MoveNetLightning, tmp_path: Path) -> None:
    untrained.save(tmp_path, {"step": 7})
    card = json.loads((tmp_path / "emc.json").read_text())
    assert (card["estimator"], card["step"], card["preprocessing"]["input"]) == ("movenet-lightning", 7, [192, 192])
    again = plugins.estimator_for(str(tmp_path))
    assert again.describe().weights == str(tmp_path)
    sample = blob_sample(np.random.default_rng(2))
    boxes = [[Box(0, (16, 16, 128, 128))]]
    np.testing.assert_array_equal(
        again.predict([sample.image], boxes)[0].xy, untrained.predict([sample.image], boxes)[0].xy
    )
    with pytest.raises(WeightsError, match="belongs to estimator 'movenet-lightning', not 'movenet-thunder'"):
        MoveNetThunder(tmp_path)


def test_known_joints_stay_as_they_are_when_others_come(untrained: MoveNetLightning, tmp_path: Path) -> None:
    grown = untrained.with_skeleton(KNEES)
    sample = blob_sample(np.random.default_rng(3))
    boxes = [[Box(0, (16, 16, 128, 128))]]
    before, after = untrained.predict([sample.image], boxes)[0], grown.predict([sample.image], boxes)[0]
    knees = [COCO17.index("left_knee"), COCO17.index("right_knee")]
    np.testing.assert_allclose(after.xy[:2], before.xy[knees], atol=1e-4)
    np.testing.assert_allclose(after.score[:2], before.score[knees], atol=1e-6)
    grown.save(tmp_path)
    assert plugins.estimator_for(str(tmp_path)).skeleton.joints == KNEES.joints


def test_its_export_reads_crops_as_it_does(untrained: MoveNetLightning) -> None:
    form = untrained.export_form()
    assert (form.size, form.padding, form.border, form.skeleton) == ((192, 192), 1.25, 0.0, "coco17")
    np.testing.assert_allclose(form.mean, [127.5] * 3, rtol=1e-3)
    crops = torch.from_numpy(np.random.default_rng(2).uniform(-1, 1, (2, 3, 192, 192)).astype(np.float32))
    with torch.inference_mode():
        places, score = form.head(crops)
    expected = untrained.decode_crops(crops, torch.full((2,), 7.2))
    np.testing.assert_allclose(places.numpy(), expected.xy.numpy(), atol=1e-4)
    np.testing.assert_allclose(score.numpy(), expected.score.numpy(), atol=1e-6)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "floor"),
    [("movenet-lightning", 0.60), pytest.param("movenet-thunder", 0.68, marks=pytest.mark.slow)],
)
def test_the_published_network_knows_everyday_poses(name: str, floor: float, shared_data: Path) -> None:
    """PCKh of the legs on 60 photos of a training split: about 0.7 and 0.75 by full measurements."""
    from emc.config import EvaluateSettings
    from emc.workflow.progress import Silent
    from emc.workflow.samples.lspe import read_lspe_split
    from emc.workflow.scoring import score_samples

    if local(name) is None:
        pytest.skip(f"the weights of {name} are not here: run `emc models get {name}`")
    samples = read_lspe_split(shared_data / "lspe", "common_train", Silent())[:60]
    scores = score_samples(plugins.make_plugin("estimators", name), samples, EvaluateSettings())
    assert scores is not None
    assert scores.document["pckh"]["leg"]["value"] > floor  # pyright: ignore[reportIndexIssue]
