"""The `vitpose` estimator: predictions equal to transformers', training, saving, and its names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="ViTPose needs transformers: pip install 'emc-pose[vitpose]'")

from tests.estimators.vitpose.vitpose_reference import blob_sample, processor

import emc.plugins as plugins
from emc.config import CalibrateSettings
from emc.errors import ShapeMismatch
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.estimators.vitpose.heatmaps import FEATURES
from emc.estimators.vitpose.published import VitPoseS
from emc.estimators.vitpose.variants import VITPOSE_VARIANTS, configuration
from emc.interfaces import Distillable, Layered, Trainable
from emc.pose.records import Box, Sample
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.calibrate import Progressed, train

SEEN = (Box(0, (12.0, 16.0, 96.0, 128.0)),)


@pytest.fixture(scope="module")
def tiny() -> VitPoseEstimator:
    return VitPoseEstimator.untrained(3)


@pytest.fixture(scope="module")
def small() -> VitPoseEstimator:
    """ViTPose-S in its real shape, random weights."""
    return VitPoseS.untrained(0)


def pictures(count: int) -> list[Sample]:
    rng = np.random.default_rng(0)
    return [blob_sample(rng) for _ in range(count)]


def test_it_is_all_that_calibration_asks_for(tiny: VitPoseEstimator) -> None:
    info = tiny.describe()
    assert isinstance(tiny, Trainable)
    assert isinstance(tiny, Layered)
    assert isinstance(tiny, Distillable)
    assert (info.name, info.kind, info.skeleton, info.input_size) == ("vitpose", "estimator", "coco17", (96, 128))
    assert info.parameters == 540_785


def test_random_weights_follow_the_seed() -> None:
    first, again, other = (VitPoseEstimator.untrained(s).module.model.head.conv.weight for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_real_shape_of_s_predicts_as_transformers_does(small: VitPoseEstimator) -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 256, (9, 12, 3), dtype=np.uint8).repeat(40, axis=0).repeat(40, axis=1) for _ in range(2)]
    boxes = [[[20.0, 30.0, 90.0, 200.0], [200.0, -20.0, 120.0, 300.0]], [[300.0, 100.0, 250.0, 240.0]]]
    reference = processor()
    inputs = reference(images=images, boxes=boxes, return_tensors="pt")
    with torch.inference_mode():
        outputs = small.module.model(inputs["pixel_values"])
    theirs = [p for image in reference.post_process_pose_estimation(outputs, boxes=boxes) for p in image]
    small.mirror = False
    ours = small.predict(images, [[Box(0, tuple(box)) for box in listed] for listed in boxes])
    small.mirror = True
    assert len(ours) == 3
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.score, other["scores"].numpy(), atol=2e-3)
        # Random weights give maps without a clear top, where a crop's last grey level moves the place.
        clear = (one.confidence > 0) & np.isfinite(one.xy).all(axis=1)
        apart = np.abs(one.xy - other["keypoints"].numpy()).max(axis=1)[clear]
        assert np.median(apart) < 0.05


def test_predictions_come_image_by_image_in_box_order(tiny: VitPoseEstimator) -> None:
    images = [np.zeros((50, 70, 3), np.uint8), np.zeros((300, 200, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)]
    boxes = [[Box(4, (-20, -10, 60, 90), track=2), Box(4, (5, 5, 10, 10), track=1)], [], [Box(9, (0, 0, 40, 40))]]
    found = tiny.predict(images, boxes)
    assert [(p.frame, p.person) for p in found] == [(4, 2), (4, 1), (9, -1)]
    assert all(p.xy.shape == (17, 2) and p.xy.dtype == np.float32 for p in found)
    assert all(((p.confidence >= 0) & (p.confidence <= 1)).all() for p in found)
    assert all(p.features is not None and p.features.shape == (17, len(FEATURES)) for p in found)
    np.testing.assert_array_equal(found[0].box, np.array([-20, -10, 60, 90], np.float32))


def test_predict_wants_one_box_list_per_image(tiny: VitPoseEstimator) -> None:
    with pytest.raises(ShapeMismatch, match="2 images came with 1 box lists"):
        tiny.predict([np.zeros((9, 9, 3), np.uint8)] * 2, [[]])
    assert tiny.predict([np.zeros((9, 9, 3), np.uint8)], [[]]) == []


def test_the_company_in_a_batch_changes_nothing(tiny: VitPoseEstimator) -> None:
    images = [sample.image for sample in pictures(20)]
    together = tiny.predict(images, [SEEN] * 20)
    alone = tiny.predict(images[18:19], [SEEN])
    np.testing.assert_allclose(together[18].score, alone[0].score, atol=1e-5)


def test_a_mirrored_picture_gives_mirrored_predictions(tiny: VitPoseEstimator) -> None:
    sample = pictures(1)[0]
    # Width 120: column x becomes 119 - x, so the box 12..108 becomes 11..107.
    plain = tiny.predict([sample.image], [SEEN])[0]
    turned = tiny.predict([np.ascontiguousarray(sample.image[:, ::-1])], [[Box(0, (11.0, 16.0, 96.0, 128.0))]])[0]
    np.testing.assert_allclose(turned.score[list(COCO17.flip)], plain.score, atol=1e-3)
    assert plain.features is not None
    assert plain.features[:, FEATURES.index("mirror_distance")].max() > 0


def test_exact_batches_hold_what_predict_sees(tiny: VitPoseEstimator) -> None:
    sample = pictures(1)[0]
    batch = tiny.collate([sample], None)
    assert batch["image"].shape == (1, 3, 128, 96)
    assert batch["target"].shape == (1, 17, 32, 24)
    # The window is 120 x 160 about (60, 80): 0.79 of a pixel of the crop per pixel of the picture, four per cell.
    x = (sample.xy[7, 0] - 0) / 120 * 23
    y = (sample.xy[7, 1] - 0) / 160 * 31
    peak = batch["target"][0, 7].flatten().argmax()
    assert (int(peak) // 24, int(peak) % 24) == (round(y), round(x))


def test_augmented_batches_follow_the_seed(tiny: VitPoseEstimator) -> None:
    samples = pictures(4)
    first, again, other = (tiny.collate(samples, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["image"], other["image"])


def test_mirrored_labels_change_sides(tiny: VitPoseEstimator) -> None:
    sample = pictures(1)[0]
    sample.visibility[:] = 0
    sample.visibility[COCO17.index("left_knee")] = 2
    knees = [COCO17.index("left_knee"), COCO17.index("right_knee")]
    seen = [tiny.collate([sample], np.random.default_rng(seed))["weight"][0, knees].tolist() for seed in range(12)]
    assert [1.0, 0.0] in seen
    assert [0.0, 1.0] in seen


def test_training_learns_and_what_it_learned_survives(tmp_path: Path) -> None:
    samples = pictures(4)
    estimator = VitPoseEstimator.untrained(1, configuration(48, 2, 3, simple_head=True, size=(128, 96)))
    settings = CalibrateSettings(
        strategy="initial", steps=40, batch=4, ladder=1, lr=3e-3, ema=0.5, precision="float32", layer_decay=0.9
    )
    losses = [event.loss for event in train(estimator, samples, [], settings) if isinstance(event, Progressed)]
    assert len(losses) == 40
    assert np.mean(losses[-10:]) < 0.3 * np.mean(losses[:3])
    estimator.save(tmp_path / "tuned", {"ladder_step": 40})
    again = plugins.estimator_for(str(tmp_path / "tuned"))
    image = [samples[0].image]
    first, second = estimator.predict(image, [SEEN])[0], again.predict(image, [SEEN])[0]
    np.testing.assert_array_equal(first.xy, second.xy)
    np.testing.assert_array_equal(first.score, second.score)


def test_calibration_uses_both_populations_and_the_base_as_teacher() -> None:
    samples = pictures(6)
    estimator = VitPoseEstimator.untrained(2, configuration(48, 2, 3, size=(64, 48)))
    estimator.module.live_statistics = False
    before = {name: value.clone() for name, value in estimator.module.state_dict().items()}
    settings = CalibrateSettings(
        steps=3, batch=5, ladder=1, lr=1e-3, precision="float32", distil=0.5, fill=0.5, layer_decay=0.75
    )
    losses = [e.loss for e in train(estimator, samples[:3], samples[3:], settings) if isinstance(e, Progressed)]
    assert len(losses) == 3
    changed = {name for name, value in estimator.module.state_dict().items() if not torch.equal(value, before[name])}
    assert "model.head.conv.bias" in changed
    assert "model.head.batchnorm1.running_mean" not in changed


@pytest.mark.parametrize("name", ["vitpose", *VITPOSE_VARIANTS])
def test_every_name_is_a_plug_in(name: str) -> None:
    estimator = plugins.estimator_for(name)
    assert estimator.describe().name == ("vitpose-plus-s" if name == "vitpose" else name)
    assert estimator.describe().trainable


def test_from_scratch_means_the_shape_of_the_class(small: VitPoseEstimator) -> None:
    assert sum(p.numel() for p in small.module.parameters()) == VITPOSE_VARIANTS["vitpose-s"].parameters


def test_a_copy_is_independent(tiny: VitPoseEstimator) -> None:
    other = tiny.clone()
    with torch.no_grad():
        other.module.model.head.conv.bias.add_(1)
    assert not torch.equal(other.module.model.head.conv.bias, tiny.module.model.head.conv.bias)
