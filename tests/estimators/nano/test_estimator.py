"""The `nano` estimator: its size, its crops and labels, saving and loading, and that it learns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from emc.errors import ShapeMismatch, WeightsError
from emc.estimators.nano.estimator import NanoEstimator, map_confidence
from emc.interfaces import Trainable
from emc.pose.records import Box, Sample
from emc.pose.skeletons.skeleton import COCO17, build_skeleton
from emc.weights.saved_files import CARD_FILE, WEIGHTS_FILE


def blob_sample(rng: np.random.Generator) -> Sample:
    """A picture with one coloured disc per joint, each joint in its own colour."""
    image = np.full((160, 160, 3), 90, np.uint8)
    xy = rng.uniform(30, 130, (17, 2)).round()
    for joint, (x, y) in enumerate(xy.astype(int)):
        colour = (15 * joint, 255 - 15 * joint, (67 * joint) % 255)
        image[y - 4 : y + 5, x - 4 : x + 5] = colour
    box = np.array([16, 16, 128, 128], np.float32)
    return Sample(image, xy, np.full(17, 2, np.int8), box, "blobs", "blobs", 0)


@pytest.fixture(scope="module")
def untrained() -> NanoEstimator:
    return NanoEstimator.untrained(3)


@pytest.fixture(scope="module")
def embedded() -> NanoEstimator:
    return NanoEstimator()


def count_macs(network: nn.Module) -> int:
    """Multiply-accumulates of the convolutions for one 128 x 128 image, seen by hooks as the image passes."""
    total = 0

    def hook(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        total += output[0].numel() * layer.weight[0].numel()

    hooks = [layer.register_forward_hook(hook) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, 128, 128))
    for handle in hooks:
        handle.remove()
    return total


def test_the_network_is_small(untrained: NanoEstimator) -> None:
    assert untrained.describe().parameters <= 3_000_000
    assert 80e6 < count_macs(untrained.module) < 120e6


def test_it_is_a_trainable_and_describes_itself(untrained: NanoEstimator) -> None:
    info = untrained.describe()
    assert isinstance(untrained, Trainable)
    assert (info.name, info.skeleton, info.input_size, info.trainable) == ("nano", "coco17", (128, 128), True)
    assert info.licence.startswith("Apache-2.0")


def test_untrained_weights_follow_the_seed() -> None:
    first, again, other = (NanoEstimator.untrained(s).module.stem[0][0].weight for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_predictions_come_image_by_image_in_box_order(untrained: NanoEstimator) -> None:
    images = [np.zeros((50, 70, 3), np.uint8), np.zeros((300, 200, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)]
    boxes = [[Box(4, (-20, -10, 60, 90), track=2), Box(4, (5, 5, 10, 10), track=1)], [], [Box(9, (0, 0, 40, 40))]]
    found = untrained.predict(images, boxes)
    assert [(p.frame, p.person) for p in found] == [(4, 2), (4, 1), (9, -1)]
    assert all(p.xy.shape == (17, 2) and p.xy.dtype == np.float32 and np.isfinite(p.xy).all() for p in found)
    assert all(((p.confidence >= 0) & (p.confidence <= 1)).all() for p in found)
    assert all(p.features is not None and p.features.shape == (17, 4) for p in found)
    np.testing.assert_array_equal(found[0].box, np.array([-20, -10, 60, 90], np.float32))


def test_predict_wants_one_box_list_per_image(untrained: NanoEstimator) -> None:
    with pytest.raises(ShapeMismatch, match="2 images came with 1 box lists"):
        untrained.predict([np.zeros((9, 9, 3), np.uint8)] * 2, [[]])


def test_no_boxes_no_predictions(untrained: NanoEstimator) -> None:
    assert untrained.predict([np.zeros((9, 9, 3), np.uint8)], [[]]) == []


def test_predictions_do_not_depend_on_the_company_in_the_batch(embedded: NanoEstimator) -> None:
    rng = np.random.default_rng(0)
    samples = [blob_sample(rng) for _ in range(3)]
    boxes = [[Box(0, (16, 16, 128, 128))]] * 3
    together = embedded.predict([s.image for s in samples], boxes)
    alone = embedded.predict([samples[2].image], boxes[:1])
    np.testing.assert_allclose(together[2].score, alone[0].score, atol=1e-5)


def test_a_mirrored_picture_gives_mirrored_predictions(embedded: NanoEstimator) -> None:
    sample = blob_sample(np.random.default_rng(8))
    plain = embedded.predict([sample.image], [[Box(0, (16, 16, 128, 128))]])[0]
    # Width 160: column x becomes 159 - x, so the box 16..144 becomes 15..143.
    turned = embedded.predict([np.ascontiguousarray(sample.image[:, ::-1])], [[Box(0, (15, 16, 128, 128))]])[0]
    back = turned.xy[list(COCO17.flip)]
    np.testing.assert_allclose(turned.score[list(COCO17.flip)], plain.score, atol=0.02)
    np.testing.assert_allclose(159 - back[:, 0], plain.xy[:, 0], atol=0.5)


def test_one_reading_alone_says_nothing_of_disagreement(embedded: NanoEstimator) -> None:
    once = embedded.clone()
    once.mirror = False
    sample = blob_sample(np.random.default_rng(9))
    box = [[Box(0, (16, 16, 128, 128))]]
    single, double = once.predict([sample.image], box)[0], embedded.predict([sample.image], box)[0]
    assert single.features is not None
    assert double.features is not None
    assert (single.features[:, 3] == 0).all()
    assert (double.features[:, 3] > 0).any()


def test_collate_without_rng_is_the_prediction_crop(untrained: NanoEstimator) -> None:
    # Box 100 x 80 at (20, 30): square of side 125 about (70, 70); 127 steps over 125 px is a scale of 1.016.
    xy = np.full((17, 2), np.nan)
    xy[0], xy[5] = (70, 70), (20, 30)
    visibility = np.zeros(17, np.int8)
    visibility[[0, 5]] = 2
    image = np.zeros((160, 160, 3), np.uint8)
    image[70, 70] = 255
    batch = untrained.collate([Sample(image, xy, visibility, np.array([20, 30, 100, 80]), "c", "g", 0)], None)
    assert batch["image"].shape == (1, 3, 128, 128)
    assert batch["target"].shape == (1, 17, 32, 32)
    assert batch["weight"][0].nonzero().flatten().tolist() == [0, 5]
    brightest = batch["image"][0, 0].flatten().argmax().item()
    assert abs(brightest // 128 - 63.5) <= 0.5
    assert abs(brightest % 128 - 63.5) <= 0.5
    cell = (63.5 - 50 * 1.016) / (127 / 31)
    columns = (batch["target"][0, 5].sum(0) * torch.arange(32)).sum().item()
    assert columns == pytest.approx(cell, abs=0.05)


def test_collate_refuses_another_skeleton(untrained: NanoEstimator) -> None:
    sample = Sample(np.zeros((9, 9, 3), np.uint8), np.zeros((14, 2)), np.ones(14), np.array([0, 0, 9, 9]), "c", "g", 3)
    with pytest.raises(ShapeMismatch, match=r"c:3 has joints \(14, 2\)"):
        untrained.collate([sample], None)


def test_collate_with_rng_is_seeded(untrained: NanoEstimator) -> None:
    sample = blob_sample(np.random.default_rng(1))
    first, again, other = (untrained.collate([sample] * 2, np.random.default_rng(s)) for s in (1, 1, 2))
    assert torch.equal(first["image"], again["image"])
    assert torch.equal(first["target"], again["target"])
    assert not torch.equal(first["image"], other["image"])


def test_the_loss_ignores_joints_without_a_label(untrained: NanoEstimator) -> None:
    sample = blob_sample(np.random.default_rng(2))
    visibility = np.zeros(17, np.int8)
    visibility[11] = 2
    moved = sample.xy.copy()
    moved[:11] += 25
    one = untrained.collate([Sample(sample.image, sample.xy, visibility, sample.box, "c", "g", 0)], None)
    two = untrained.collate([Sample(sample.image, moved, visibility, sample.box, "c", "g", 0)], None)
    untrained.module.eval()
    assert untrained.loss(one).item() == pytest.approx(untrained.loss(two).item(), abs=1e-6)


def test_the_loss_follows_the_weights_of_a_sample(untrained: NanoEstimator) -> None:
    sample = blob_sample(np.random.default_rng(3))
    weight = np.zeros(17)
    weight[4] = 0.5
    batch = untrained.collate(
        [Sample(sample.image, sample.xy, sample.visibility, sample.box, "c", "g", 0, weight=weight)], None
    )
    assert batch["weight"][0].tolist() == [0.5 if j == 4 else 0.0 for j in range(17)]


def test_a_batch_without_any_label_costs_nothing(untrained: NanoEstimator) -> None:
    sample = blob_sample(np.random.default_rng(4))
    blank = Sample(sample.image, sample.xy, np.zeros(17, np.int8), sample.box, "c", "g", 0)
    assert untrained.loss(untrained.collate([blank], None)).item() == 0.0


def test_training_lowers_the_loss() -> None:
    estimator = NanoEstimator.untrained(1)
    rng = np.random.default_rng(5)
    batch = estimator.collate([blob_sample(rng) for _ in range(6)], None)
    optimizer = torch.optim.AdamW(estimator.module.parameters(), lr=3e-3)
    estimator.module.train()
    losses = []
    for _ in range(15):
        loss = estimator.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(np.log(32 * 32), abs=0.3)
    assert losses[-1] < losses[0] - 0.7


def test_frozen_statistics_do_not_move_in_training(embedded: NanoEstimator) -> None:
    frozen, live = embedded.clone(), NanoEstimator.untrained(0)
    batch = frozen.collate([blob_sample(np.random.default_rng(6))] * 2, None)
    for estimator, same in ((frozen, True), (live, False)):
        before = estimator.module.stem[0][1].running_mean.clone()
        estimator.module.train()
        estimator.loss(batch)
        assert torch.equal(before, estimator.module.stem[0][1].running_mean) is same


def test_save_and_load_give_the_same_predictions(tmp_path: Path) -> None:
    estimator = NanoEstimator.untrained(7)
    estimator.save(tmp_path / "saved", {"ladder_step": 300, "scores": {"target": 0.5}})
    loaded = NanoEstimator(tmp_path / "saved")
    sample = blob_sample(np.random.default_rng(7))
    box = [[Box(0, (16, 16, 128, 128))]]
    one, two = estimator.predict([sample.image], box)[0], loaded.predict([sample.image], box)[0]
    np.testing.assert_array_equal(one.xy, two.xy)
    np.testing.assert_array_equal(one.score, two.score)
    card = json.loads((tmp_path / "saved" / CARD_FILE).read_text())
    assert card["estimator"] == "nano"
    assert card["skeleton"] == "coco17"
    assert card["ladder_step"] == 300
    assert card["preprocessing"]["input"] == [128, 128]
    assert loaded.describe().weights == str(tmp_path / "saved")


def test_a_calibrated_model_remembers_its_base(embedded: NanoEstimator, tmp_path: Path) -> None:
    embedded.save(tmp_path / "tuned")
    assert embedded.describe().extra["base_hash"]
    assert NanoEstimator(tmp_path / "tuned").describe().extra == embedded.describe().extra


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=CARD_FILE):
        NanoEstimator(tmp_path / "nowhere")
    NanoEstimator.untrained(0).save(tmp_path)
    (tmp_path / WEIGHTS_FILE).unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors is missing"):
        NanoEstimator(tmp_path)


@pytest.mark.parametrize("content", [b"", b"garbage that is no tensor file", b"\xff" * 400])
def test_damaged_weights_are_named(tmp_path: Path, content: bytes) -> None:
    NanoEstimator.untrained(0).save(tmp_path)
    (tmp_path / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(WeightsError, match=r"model\.safetensors is not a readable"):
        NanoEstimator(tmp_path)


def test_weights_of_another_network_are_refused_and_the_old_ones_stay(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    estimator = NanoEstimator.untrained(0)
    estimator.save(tmp_path)
    state = {name: value.contiguous() for name, value in estimator.module.state_dict().items()}
    before = state["head.weight"].clone()
    save_file({**state, "head.weight": torch.zeros(5, 96, 1, 1)}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(WeightsError, match=r"head\.weight of shape \(5, 96, 1, 1\), nano needs \(17, 96, 1, 1\)"):
        estimator.load(tmp_path)
    save_file({"other.weight": torch.zeros(3)}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(WeightsError, match="does not fit nano: "):
        estimator.load(tmp_path)
    save_file({**state, "head.bias": torch.full((17,), float("nan"))}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(WeightsError, match=r"not finite in head\.bias"):
        estimator.load(tmp_path)
    assert torch.equal(estimator.module.state_dict()["head.weight"], before)


@pytest.mark.parametrize("text", ["{", "[]", '{"estimator": "vitpose"}'])
def test_a_card_of_another_model_is_refused(tmp_path: Path, text: str) -> None:
    NanoEstimator.untrained(0).save(tmp_path)
    (tmp_path / CARD_FILE).write_text(text)
    with pytest.raises(WeightsError, match=CARD_FILE):
        NanoEstimator(tmp_path)


def test_confidence_table_is_read_joint_by_joint() -> None:
    table = {"peak": [0.0, 0.5, 1.0], "right": [[0.0, 0.2, 0.8], [0.1, 0.9, 0.9]]}
    found = map_confidence(np.array([[0.25, 0.25], [0.75, 1.0]]), table)
    np.testing.assert_allclose(found, [[0.1, 0.5], [0.5, 0.9]], atol=1e-6)
    np.testing.assert_allclose(map_confidence(np.array([[0.3]]), None), [[0.3]], atol=1e-6)


def test_embedded_weights_ship_small_with_their_card(embedded: NanoEstimator) -> None:
    import emc.assets

    folder = Path(emc.assets.__file__).parent / "nano"
    assert (folder / WEIGHTS_FILE).stat().st_size <= 6_000_000
    assert "provenance" in (folder / "MODEL_CARD.md").read_text().lower()
    card = json.loads((folder / CARD_FILE).read_text())
    assert len(card["confidence"]["right"]) == len(COCO17)
    assert embedded.describe().weights == "embedded"


def test_embedded_weights_find_the_joints_of_a_rendered_person(embedded: NanoEstimator) -> None:
    from emc.synth.motion.motions import COMMON_MOTIONS
    from emc.synth.scene.scene import sample_frame

    right, total = 0, 0
    for seed in range(8):
        frame = sample_frame(np.random.default_rng([77, seed]), motions=COMMON_MOTIONS, size=(192, 192), cut=0.0)
        x, y, w, h = (float(v) for v in frame.box)
        found = embedded.predict([frame.image], [[Box(0, (x, y, w, h))]])[0]
        head = np.linalg.norm(frame.neck_xy - frame.head_top_xy)
        seen = frame.visibility == 2
        right += int((np.linalg.norm(found.xy - frame.xy, axis=1)[seen] <= 0.5 * head).sum())
        total += int(seen.sum())
    assert right / total > 0.7


@pytest.mark.shared_data
def test_embedded_weights_keep_their_score_on_real_photos(embedded: NanoEstimator, shared_data: Path) -> None:
    import cv2

    content = json.loads((shared_data / "lspe" / "common_test.json").read_text())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    knees = [COCO17.index("right_knee"), COCO17.index("left_knee")]
    right, total = 0, 0
    for note in content["annotations"][:100]:
        image = cv2.cvtColor(cv2.imread(str(shared_data / "lspe" / names[note["image_id"]])), cv2.COLOR_BGR2RGB)
        label = np.array(note["keypoints"]).reshape(14, 3)
        if not (label[[1, 4, 3, 8], 2] > 0).all():
            continue
        torso = np.linalg.norm(label[8, :2] - label[3, :2])
        found = embedded.predict([image], [[Box(0, tuple(note["bbox"]))]])[0]
        right += int((np.linalg.norm(found.xy[knees] - label[[1, 4], :2], axis=1) <= 0.2 * torso).sum())
        total += 2
    assert total > 100
    assert right / total > 0.35


def test_without_mirror_joints_a_crop_is_read_once(untrained: NanoEstimator) -> None:
    names = tuple(f"point{j}" for j in range(17))
    points = untrained.with_skeleton(build_skeleton("points", names, ()))
    crops = torch.rand(2, 3, 128, 128)
    read: list[int] = []
    hook = points.module.register_forward_hook(lambda *_: read.append(1))
    points.decode_crops(crops)
    hook.remove()
    assert (points.mirror, len(read)) == (True, 1)
