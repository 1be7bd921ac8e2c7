from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import SMALL, TINY, tiny_estimator

import emc.plugins as plugins
from emc.errors import ShapeMismatch
from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.estimators.keypoint_rcnn.heatmaps import decode
from emc.estimators.keypoint_rcnn.published import Detectron2R50, Detectron2R50Short, KeypointRcnnDetector
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2
from emc.interfaces import Detector, Distillable, Estimator, Layered, Trainable
from emc.pose.records import Box, Sample
from emc.pose.skeletons.skeleton import COCO17


def picture(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height // 6, width // 6, 3), dtype=np.uint8).repeat(6, 0).repeat(6, 1)


def sample(seed: int = 0) -> Sample:
    xy = np.random.default_rng(seed).uniform([32, 12], [78, 78], (17, 2)).astype(np.float32)
    seen = np.full(17, 2)
    seen[3], xy[3] = 0, np.nan
    return Sample(picture(seed), xy, seen, np.array([30.0, 10, 50, 70]), "clip", "group", seed)


@pytest.fixture(scope="module")
def estimator() -> KeypointRcnnEstimator:
    return tiny_estimator()


def test_offers_what_the_interfaces_ask(estimator: KeypointRcnnEstimator) -> None:
    for protocol in (Estimator, Trainable, Layered, Distillable, Detector):
        assert isinstance(estimator, protocol)
    assert estimator.skeleton is COCO17


def test_one_prediction_per_box_in_order(estimator: KeypointRcnnEstimator) -> None:
    boxes = [
        [Box(4, (30, 10, 50, 70), track=2), Box(4, (0, 0, 40, 80), track=5)],
        [],
        [Box(6, (60, 5, 50, 60), track=2)],
    ]
    found = estimator.predict([picture(0), picture(1), picture(2)], boxes)
    assert [(p.frame, p.person) for p in found] == [(4, 2), (4, 5), (6, 2)]
    for prediction, box in zip(found, [*boxes[0], *boxes[2]], strict=True):
        x, y, width, height = box.xywh
        assert prediction.box.tolist() == list(box.xywh)
        assert (prediction.xy >= [x, y]).all()
        assert (prediction.xy <= [x + width, y + height]).all()
        assert (prediction.confidence >= 0).all()
        assert (prediction.confidence <= 1).all()
        assert prediction.features is not None
        assert prediction.features.shape == (17, 4)


def test_what_comes_out_does_not_depend_on_what_else_was_asked(estimator: KeypointRcnnEstimator) -> None:
    images = [picture(0), picture(1, 60, 140), picture(2), picture(3)]
    boxes = [[Box(i, (10 + i, 5, 40, 50), track=0), Box(i, (20, 8, 30, 45), track=1)] for i in range(4)]
    together = estimator.predict(images, boxes)
    alone = [p for image, own in zip(images, boxes, strict=True) for p in estimator.predict([image], [own])]
    for one, other in zip(together, alone, strict=True):
        assert np.allclose(one.xy, other.xy, atol=1e-3)
        assert np.allclose(one.score, other.score, atol=1e-3)


def test_a_box_is_cut_to_its_image_and_one_outside_of_it_has_no_joints(estimator: KeypointRcnnEstimator) -> None:
    boxes = [Box(0, (-30, -20, 90, 80)), Box(0, (0, 0, 60, 60)), Box(0, (130, 10, 40, 40)), Box(0, (20, -50, 30, 50))]
    reaching, inside, right, above = estimator.predict([picture(0)], [boxes])
    assert np.allclose(reaching.xy, inside.xy)
    assert reaching.box.tolist() == [-30, -20, 90, 80]
    for outside in (right, above):
        assert np.isnan(outside.xy).all()
        assert (outside.confidence == 0).all()
        assert (outside.score == 0).all()


def test_a_box_without_extent_is_a_pixel(estimator: KeypointRcnnEstimator) -> None:
    found = estimator.predict([picture(0)], [[Box(0, (50, 40, 0, 0))]])[0]
    assert np.abs(found.xy - [50.5, 40.5]).max() <= 0.51


def test_images_and_boxes_must_agree(estimator: KeypointRcnnEstimator) -> None:
    with pytest.raises(ShapeMismatch, match="1 images came with 2 box lists"):
        estimator.predict([picture(0)], [[], []])
    assert estimator.predict([], []) == []


def test_the_recipe_says_which_score_and_which_frame() -> None:
    ours = KeypointRcnnEstimator.untrained(0, TINY, SMALL)
    theirs = KeypointRcnnEstimator.untrained(0, TINY, replace(SMALL, score="softmax", half_pixel=0.5))
    box = [[Box(0, (30, 10, 50, 70))]]
    logit, share = ours.predict([picture(0)], box)[0], theirs.predict([picture(0)], box)[0]
    assert np.allclose(logit.xy - share.xy, 0.5, atol=1e-4)
    assert logit.features is not None
    assert np.array_equal(logit.score, logit.features[:, 0])
    assert np.array_equal(share.score, logit.features[:, 1])
    assert np.array_equal(logit.confidence, share.confidence)


def test_the_same_seed_gives_the_same_network() -> None:
    state, same, other = (tiny_estimator(seed).module.state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(state[name], same[name]) for name in state)
    assert not torch.equal(state["backbone.body.conv1.weight"], other["backbone.body.conv1.weight"])


def test_untrained_is_of_the_class_s_model(monkeypatch: pytest.MonkeyPatch) -> None:
    import emc.estimators.keypoint_rcnn.estimator as keypoint_rcnn

    monkeypatch.setattr(keypoint_rcnn, "initialise", lambda network: None)
    network = Detectron2R50.untrained(0).module
    assert network.recipe == DETECTRON2
    assert sum(value.numel() for name, value in network.named_parameters() if ".bn" not in name) > 59_000_000


def test_an_exact_batch_is_what_predict_sees(estimator: KeypointRcnnEstimator) -> None:
    one = sample()
    batch = estimator.collate([one, sample(1)], None)
    assert batch["image"].shape == (2, 3, 128, 192)
    assert batch["regions"].shape == (2, 5)
    assert batch["weight"].sum(dim=1).tolist() == [16, 16]
    assert batch["maps"].sum(dim=(2, 3))[0].tolist() == [1, 1, 1, 0] + [1] * 13
    with torch.inference_mode():
        maps = estimator.module(batch["image"], batch["regions"])
    found = decode(maps, batch["regions"][:, 1:])
    predicted = estimator.predict([one.image], [[Box(0, (30, 10, 50, 70))]])[0]
    assert np.allclose(found.xy[0] / [170 / 120, 128 / 90], predicted.xy, atol=1e-3)


def test_exact_targets_decode_to_the_labels(estimator: KeypointRcnnEstimator) -> None:
    one = sample()
    batch = estimator.collate([one], None)
    found = decode(batch["maps"] * 30, batch["regions"][:, 1:]).xy[0] / [170 / 120, 128 / 90]
    apart = np.abs(found - one.xy)[np.asarray(one.visibility) > 0]
    assert apart.max() <= 1.5


def test_changed_batches_hold_every_label_where_it_is_seen() -> None:
    estimator = tiny_estimator()
    one = sample()
    image = np.zeros_like(one.image)
    place = (60, 50)
    image[place[1] - 2 : place[1] + 3, place[0] - 2 : place[0] + 3] = 255
    marked = replace(one, image=image, xy=np.tile(np.array(place, np.float32), (17, 1)))
    estimator.augmentation = replace(estimator.augmentation, colour=0.0, cutout=0.0)
    batch = estimator.collate([marked] * 6, np.random.default_rng(1))
    assert batch["image"].shape == (6, 3, 96, 96)
    assert batch["regions"].shape == (18, 5)
    assert batch["regions"][:, 0].tolist() == [i for i in range(6) for _ in range(3)]
    for number in range(18):
        row, x0, y0, x1, y1 = batch["regions"][number].tolist()
        assert 0 <= x0 < x1 <= 96
        assert 0 <= y0 < y1 <= 96
        bright = batch["image"][int(row), 0]
        rows, columns = torch.nonzero(bright > (bright.max() + bright.min()) / 2, as_tuple=True)
        seen = np.array([columns.float().mean().item(), rows.float().mean().item()])
        found = decode(batch["maps"][number : number + 1] * 30, batch["regions"][number : number + 1, 1:]).xy[0, 0]
        assert np.abs(found - seen).max() < 2.0


def test_mirrored_labels_change_sides() -> None:
    estimator = tiny_estimator()
    still = {"rotation": 0.0, "scale": (0.5, 0.5), "shift": 0.0, "colour": 0.0, "cutout": 0.0}
    one = sample()
    batches = []
    for flip in (0.0, 1.0):
        estimator.augmentation = replace(estimator.augmentation, flip=flip, **still)
        batches.append(estimator.collate([one], np.random.default_rng(0)))
    plain, mirrored = batches
    assert torch.allclose(plain["image"].flip(-1), mirrored["image"], atol=0.1)
    assert mirrored["labelled"][0].tolist() == [True] * 4 + [False] + [True] * 12
    places = [decode(b["maps"][:1] * 30, b["regions"][:1, 1:]).xy[0] for b in batches]
    assert np.abs(places[0][5, 0] + places[1][6, 0] - 96).max() < 3


def test_batches_follow_from_the_seed() -> None:
    estimator = tiny_estimator()
    one, same, other = (estimator.collate([sample()], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["image"], other["image"])


def test_samples_of_other_skeletons_are_refused(estimator: KeypointRcnnEstimator) -> None:
    wrong = replace(sample(), xy=np.zeros((14, 2)), visibility=np.full(14, 2))
    with pytest.raises(ShapeMismatch, match=r"\(14, 2\)"):
        estimator.collate([wrong], None)


def test_gradients_reach_what_calibration_moves_and_nothing_else() -> None:
    estimator = tiny_estimator()
    estimator.module.train()
    estimator.loss(estimator.collate([sample()], np.random.default_rng(0))).backward()
    moved = {name for name, p in estimator.module.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert "backbone.body.conv1.weight" in moved
    assert "roi_heads.keypoint_predictor.kps_score_lowres.weight" in moved
    assert not any(name.startswith(("rpn.", "roi_heads.box")) for name in moved)


def calibrated(estimator: KeypointRcnnEstimator, samples: list[Sample], **chosen: Any) -> list[float]:
    from emc.config import CalibrateSettings
    from emc.stages.calibrate import Progressed, train

    values: Mapping[str, Any] = {"steps": 24, "batch": 4, "ladder": 1, "lr": 2e-3, "save_every": 100, "warmup": 0.0}
    settings = CalibrateSettings.model_validate({**values, **chosen})
    events = list(train(estimator, samples, samples, settings))
    return [event.loss for event in events if isinstance(event, Progressed)]


def test_calibrates_through_the_loop(tmp_path: Path) -> None:
    trained = tiny_estimator()
    trained.save(tmp_path / "base")
    estimator = KeypointRcnnEstimator(tmp_path / "base")
    samples = [sample(seed) for seed in range(2)]
    still = {name: value.clone() for name, value in estimator.module.state_dict().items() if "rpn" in name}
    exact = estimator.collate(samples, None)
    with torch.no_grad():
        before = float(estimator.loss(exact))
    calibrated(estimator, samples, steps=32, lr=5e-3, distil=0.1, fill=0.1, layer_decay=0.9, ema=0.5)
    with torch.no_grad():
        after = float(estimator.loss(exact))
    # Better than before, and than a network that knows nothing: all cells alike.
    assert after < before - 0.3
    assert after < np.log(56 * 56) - 0.05
    state = estimator.module.state_dict()
    assert all(torch.equal(state[name], value) for name, value in still.items())
    assert not estimator.module.training


def test_starts_from_nothing(tmp_path: Path) -> None:
    losses = calibrated(tiny_estimator(5), [sample()], strategy="initial", steps=16)
    assert np.mean(losses[-3:]) < losses[0] - 0.3


def test_a_calibrated_model_is_opened_by_its_folder(tmp_path: Path) -> None:
    estimator = tiny_estimator()
    estimator.save(tmp_path / "chosen", {"ladder_step": 9})
    again = plugins.estimator_for(str(tmp_path / "chosen"))
    assert isinstance(again, KeypointRcnnEstimator)
    box = [[Box(0, (30, 10, 50, 70))]]
    assert np.array_equal(again.predict([picture(0)], box)[0].xy, estimator.predict([picture(0)], box)[0].xy)


def test_a_clone_is_independent(estimator: KeypointRcnnEstimator) -> None:
    copy = estimator.clone()
    with torch.no_grad():
        copy.module.backbone["body"].conv1.weight.zero_()
    assert estimator.module.backbone["body"].conv1.weight.abs().sum() > 0


def test_plug_ins_have_their_names() -> None:
    assert plugins.load_plugin("estimators", "keypointrcnn") is KeypointRcnnEstimator
    assert plugins.load_plugin("estimators", "detectron2-r50-1x") is Detectron2R50Short
    detector = plugins.make_plugin("detectors", "detectron2-r101")
    assert isinstance(detector, KeypointRcnnDetector)
    info = detector.describe()
    assert (info.kind, info.trainable, info.notes) == ("detector", False, "box AP 56.4 (persons, COCO)")
