"""D-FINE and RT-DETRv2 on small random models of the same configuration; what transformers says is the reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="needs transformers: pip install 'emc-pose[vitpose]'")

import transformers
from safetensors.torch import load_file, save_file

import emc.plugins as plugins
from emc.detectors.transformer.detector import TransformerDetector, persons, pixels
from emc.detectors.transformer.published import DETECTORS
from emc.errors import InputError, ShapeMismatch, UsageError, WeightsError
from emc.interfaces import Detector

SHARED: dict[str, Any] = {
    "encoder_in_channels": [24, 32, 40], "feat_strides": [8, 16, 32], "encoder_hidden_dim": 32,
    "encoder_ffn_dim": 64, "encoder_attention_heads": 4, "d_model": 32, "decoder_in_channels": [32, 32, 32],
    "decoder_ffn_dim": 64, "decoder_layers": 2, "decoder_attention_heads": 4, "num_queries": 30,
}  # fmt: skip
RESNET = {
    "model_type": "rt_detr_resnet", "embedding_size": 16, "hidden_sizes": [16, 24, 32, 40], "depths": [1, 1, 1, 1],
    "layer_type": "basic", "out_features": ["stage2", "stage3", "stage4"],
}  # fmt: skip
HGNET = {
    "model_type": "hgnet_v2", "stem_channels": [3, 8, 8], "stage_in_channels": [8, 16, 24, 32],
    "stage_mid_channels": [8, 8, 16, 16], "stage_out_channels": [16, 24, 32, 40], "stage_num_blocks": [1, 1, 1, 1],
    "stage_downsample": [False, True, True, True], "stage_light_block": [False, False, True, True],
    "stage_kernel_size": [3, 3, 5, 5], "stage_numb_of_layers": [2, 2, 2, 2], "depths": [1, 1, 1, 1],
    "out_features": ["stage2", "stage3", "stage4"], "hidden_sizes": [16, 24, 32, 40], "embedding_size": 8,
}  # fmt: skip


def saved(folder: Path, family: str, **changes: Any) -> Any:
    """A small model of transformers with random weights, saved by transformers; half of its queries see persons."""
    labels = {0: "person"} | {number: f"thing {number}" for number in range(1, 80)}
    options = SHARED | {"num_labels": 80, "id2label": labels} | changes
    torch.manual_seed(3)
    if family == "d_fine":
        model = transformers.DFineForObjectDetection(transformers.DFineConfig(backbone_config=HGNET, **options))
    else:
        config = transformers.RTDetrV2Config(backbone_config=RESNET, **options)
        model = transformers.RTDetrV2ForObjectDetection(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "class_embed" in name and name.endswith("bias"):
                parameter[0] = 0.0
    model.eval().save_pretrained(folder)
    return model


@pytest.fixture(scope="module", params=["d_fine", "rt_detr_v2"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp(request.param)
    return folder, saved(folder, request.param)


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_boxes_are_those_of_transformers_own_post_processing(model: tuple[Path, Any]) -> None:
    folder, theirs = model
    images = [picture(320, 200), picture(640, 640, 1)]
    detector = TransformerDetector(folder, threshold=0.4)
    found = detector.detect(images, [7, 8])
    with torch.inference_mode():
        output = theirs(pixel_values=pixels(images))
    processor = transformers.RTDetrImageProcessorPil()
    sizes = [(image.shape[0], image.shape[1]) for image in images]
    # Their list is of classes and queries together, at most as many as there are queries; persons are compared.
    expected = processor.post_process_object_detection(output, threshold=0.4, target_sizes=sizes)
    for boxes, theirs_of_one, frame, (height, width) in zip(found, expected, (7, 8), sizes, strict=True):
        person = theirs_of_one["labels"] == 0
        assert len(boxes) == int(person.sum()) > 0
        assert {box.frame for box in boxes} == {frame}
        assert [box.score for box in boxes] == pytest.approx(theirs_of_one["scores"][person].tolist(), abs=1e-6)
        corners = theirs_of_one["boxes"][person].numpy()
        limit = np.array([width, height, width, height])
        mine = np.array([[x, y, x + w, y + h] for x, y, w, h in (box.xywh for box in boxes)])
        np.testing.assert_allclose(mine, np.clip(corners, 0, limit) - 0.5, atol=1e-3)


def test_an_image_gives_the_same_alone_and_in_a_batch(model: tuple[Path, Any]) -> None:
    detector = TransformerDetector(model[0], threshold=0.4)
    images = [picture(200, 300, seed) for seed in range(3)]
    together = detector.detect(images, [0, 1, 2])
    alone = detector.detect(images[1:2], [1])[0]
    np.testing.assert_allclose([box.xywh for box in together[1]], [box.xywh for box in alone], atol=1e-2)


def test_it_is_a_detector_and_describes_itself(model: tuple[Path, Any]) -> None:
    detector = TransformerDetector(model[0])
    assert isinstance(detector, Detector)
    info = detector.describe()
    assert (info.name, info.kind, info.trainable, info.weights) == ("transformer", "detector", False, str(model[0]))
    assert info.parameters == sum(parameter.numel() for parameter in model[1].parameters())
    assert detector.detect([], []) == []


def test_decoding_by_hand() -> None:
    scores = np.array([0.2, 0.9, 0.6, 0.5])
    boxes = np.array([[0.5, 0.5, 1, 1], [0.5, 0.5, 0.2, 0.4], [0.0, 0.5, 0.5, 0.5], [0.5, 0.5, 0.001, 0.5]])
    found = persons(scores, boxes, (200, 100), 4, 0.3)
    assert [(box.frame, box.score) for box in found] == [(4, 0.9), (4, 0.6)]
    assert found[0].xywh == pytest.approx((79.5, 29.5, 40, 40))
    assert found[1].xywh == pytest.approx((-0.5, 24.5, 50, 50))  # cut at the border


@pytest.mark.parametrize(
    ("name", "repository", "ap"),
    [
        ("dfine-s", "ustc-community/dfine-small-coco", 48.5),
        ("dfine-m", "ustc-community/dfine-medium-coco", 52.3),
        ("rtdetrv2-s", "PekingU/rtdetr_v2_r18vd", 48.1),
        ("rtdetrv2-m", "PekingU/rtdetr_v2_r34vd", 49.9),
    ],
)
def test_published_models_are_plug_ins_that_describe_without_loading(
    name: str, repository: str, ap: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMC_MODELS", str(tmp_path))
    info = plugins.make_plugin("detectors", name).describe()
    assert (info.name, info.licence, info.extra["box_ap"]) == (name, "Apache-2.0", ap)
    assert repository in info.weights
    assert "not here" in info.weights


def test_every_published_model_is_pinned_to_a_commit() -> None:
    assert len(DETECTORS) == 4
    assert all(len(one.revision) == 40 and int(one.revision, 16) for one in DETECTORS.values())


def test_a_folder_in_the_users_models_is_the_published_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "rtdetrv2-s", "rt_detr_v2")
    monkeypatch.setenv("EMC_MODELS", str(tmp_path))
    detector = plugins.make_plugin("detectors", "rtdetrv2-s")
    assert detector.describe().weights == str(tmp_path / "rtdetrv2-s")
    assert len(detector.detect([picture(64, 64)], [0])) == 1
    assert detector.describe().name == "rtdetrv2-s"


def test_wrong_input_is_named(model: tuple[Path, Any]) -> None:
    detector = TransformerDetector(model[0])
    with pytest.raises(ShapeMismatch, match="1 images and 2 frame numbers"):
        detector.detect([picture(8, 8)], [0, 1])
    with pytest.raises(InputError, match=r"frame 3 is float64"):
        detector.detect([np.zeros((8, 8, 3))], [3])
    with pytest.raises(UsageError, match="threshold 1"):
        TransformerDetector(model[0], threshold=1)


def test_weights_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    saved(tmp_path, "rt_detr_v2")
    state = load_file(tmp_path / "model.safetensors")
    name = next(key for key in state if "backbone" in key and key.endswith("weight"))
    save_file({key: value for key, value in state.items() if key != name}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="1 tensors missing"):
        TransformerDetector(tmp_path)
    save_file(state | {name: state[name] * float("nan")}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="not finite"):
        TransformerDetector(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "vitpose"}))
    with pytest.raises(WeightsError, match="model type 'vitpose'"):
        TransformerDetector(tmp_path)
    with pytest.raises(WeightsError, match="neither a folder nor a hub name"):
        TransformerDetector("nowhere at all")


def test_a_detector_of_other_things_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, "rt_detr_v2", num_labels=2, id2label={0: "cat", 1: "dog"}, label2id={"cat": 0, "dog": 1})
    with pytest.raises(WeightsError, match="no class 'person' among its 2"):
        TransformerDetector(tmp_path)


def test_a_download_that_fails_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMC_MODELS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=r"dfine-s is not on .*hf download ustc-community/\S+ --revision f79e65b5"):
        plugins.make_plugin("detectors", "dfine-s").detect([picture(8, 8)], [0])
