from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import R50, R101, detectron2_arrays
from torch import Tensor
from torch.nn import functional

from emc.errors import WeightsError
from emc.estimators.keypoint_rcnn.detectron2.weights import convert_detectron2, detectron2_name, is_detectron2, own_name
from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.estimators.keypoint_rcnn.network import RESNET50, RESNET101, KeypointRcnnNetwork, Shape
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2
from emc.pose.records import Box


def zoo_file(path: Path, arrays: dict[str, np.ndarray], **more: Any) -> Path:
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "Detectron2 Model Zoo", **more}, protocol=2))
    return path


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("backbone.bottom_up.stem.conv1.weight", "backbone.body.conv1.weight"),
        ("backbone.bottom_up.stem.conv1.norm.running_var", "backbone.body.bn1.running_var"),
        ("backbone.bottom_up.res2.0.shortcut.weight", "backbone.body.layer1.0.downsample.0.weight"),
        ("backbone.bottom_up.res5.0.shortcut.norm.bias", "backbone.body.layer4.0.downsample.1.bias"),
        ("backbone.bottom_up.res4.22.conv3.weight", "backbone.body.layer3.22.conv3.weight"),
        ("backbone.bottom_up.res3.1.conv2.norm.weight", "backbone.body.layer2.1.bn2.weight"),
        ("backbone.fpn_lateral2.weight", "backbone.fpn.inner_blocks.0.0.weight"),
        ("backbone.fpn_output5.bias", "backbone.fpn.layer_blocks.3.0.bias"),
        ("proposal_generator.rpn_head.conv.weight", "rpn.head.conv.0.0.weight"),
        ("proposal_generator.rpn_head.objectness_logits.bias", "rpn.head.cls_logits.bias"),
        ("proposal_generator.rpn_head.anchor_deltas.weight", "rpn.head.bbox_pred.weight"),
        ("roi_heads.box_head.fc1.weight", "roi_heads.box_head.fc6.weight"),
        ("roi_heads.box_predictor.cls_score.bias", "roi_heads.box_predictor.cls_score.bias"),
        ("roi_heads.keypoint_head.conv_fcn8.weight", "roi_heads.keypoint_head.14.weight"),
        ("roi_heads.keypoint_head.score_lowres.weight", "roi_heads.keypoint_predictor.kps_score_lowres.weight"),
    ],
)
def test_names(theirs: str, ours: str) -> None:
    assert own_name(theirs) == ours
    assert detectron2_name(ours) == theirs


@pytest.mark.parametrize(("blocks", "shape"), [(R50, RESNET50), (R101, RESNET101)])
def test_every_tensor_of_both_models_is_accounted_for(blocks: tuple[int, ...], shape: Shape) -> None:
    theirs = set(detectron2_arrays(blocks))
    with torch.device("meta"):
        ours = set(KeypointRcnnNetwork(shape, DETECTRON2).state_dict())
    assert {own_name(name) for name in theirs} == ours
    assert {detectron2_name(name) for name in ours} == theirs


@pytest.mark.parametrize(
    "name", ["roi_heads.mask_head.predictor.weight", "backbone.bottom_up.res6.0.conv1.weight", "x"]
)
def test_names_without_a_meaning(name: str) -> None:
    assert own_name(name) is None
    with pytest.raises(WeightsError, match="no tensor of a Keypoint R-CNN"):
        detectron2_name(name)


def test_the_verdict_s_rows_change_places_and_the_background_gets_a_box() -> None:
    held = {name: torch.from_numpy(value) for name, value in detectron2_arrays((1, 1, 1, 1)).items()}
    state = convert_detectron2(held, Path("a.pkl"))
    score, offsets = held["roi_heads.box_predictor.cls_score.bias"], held["roi_heads.box_predictor.bbox_pred.weight"]
    assert state["roi_heads.box_predictor.cls_score.bias"].tolist() == [score[1], score[0]]
    assert torch.all(state["roi_heads.box_predictor.bbox_pred.weight"][:4] == 0)
    assert torch.equal(state["roi_heads.box_predictor.bbox_pred.weight"][4:], offsets)


@pytest.mark.parametrize(("blocks", "ending"), [(R50, "pkl"), (R101, "pkl"), (R50, "pth")])
def test_files_load_and_predict(tmp_path: Path, blocks: tuple[int, ...], ending: str) -> None:
    arrays = detectron2_arrays(blocks)
    path = tmp_path / f"model.{ending}"
    if ending == "pkl":
        zoo_file(path, arrays)
    else:
        tensors = {name: torch.from_numpy(value) for name, value in arrays.items()}
        torch.save({"model": tensors, "iteration": 9, "optimizer": {"state": {}, "param_groups": []}}, path)
    estimator = KeypointRcnnEstimator(path)
    assert estimator.module.shape == Shape(blocks, width=4, pyramid=8, hidden=8, head=8)  # type: ignore[arg-type]
    assert estimator.module.recipe == DETECTRON2
    estimator.module.recipe = replace(DETECTRON2, short_side=128, long_side=224)  # the published size takes seconds
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    found = estimator.predict([image], [[Box(3, (5, 4, 20, 30), track=1)]])
    assert found[0].xy.shape == (17, 2)
    assert np.isfinite(found[0].xy).all()
    licence = estimator.describe().licence
    assert licence.startswith("CC BY-SA 3.0" if ending == "pkl" else "not told")


def reference_heatmaps(held: dict[str, Tensor], image: Tensor, box: list[float]) -> Tensor:
    """Detectron2's keypoint branch written down once more, with its own names: the maps of one box that pyramid
    level 2 (stride 4) takes."""

    def convolution(name: str, seen: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        seen = functional.conv2d(seen, held[f"{name}.weight"], held.get(f"{name}.bias"), stride, padding)
        if f"{name}.norm.weight" not in held:
            return seen
        mean, variance, weight, bias = (
            held[f"{name}.norm.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(seen, mean, variance, weight, bias, eps=1e-5)

    up = "backbone.bottom_up."
    seen = functional.max_pool2d(convolution(up + "stem.conv1", image, 2, 3).relu(), 3, 2, 1)
    stages: list[Tensor] = []
    for stage in range(2, 6):
        block = 0
        while f"{up}res{stage}.{block}.conv1.weight" in held:
            name, stride = f"{up}res{stage}.{block}", 2 if stage > 2 and block == 0 else 1
            inner = convolution(name + ".conv1", seen, stride).relu()  # the stride is in the 1 x 1
            inner = convolution(name + ".conv3", convolution(name + ".conv2", inner, 1, 1).relu())
            seen = (inner + (convolution(name + ".shortcut", seen, stride) if block == 0 else seen)).relu()
            block += 1
        stages.append(seen)
    top = convolution("backbone.fpn_lateral5", stages[3])
    for stage in (4, 3, 2):
        top = convolution(f"backbone.fpn_lateral{stage}", stages[stage - 2]) + functional.interpolate(
            top, scale_factor=2.0
        )
    level = convolution("backbone.fpn_output2", top, 1, 1)
    # ROIAlign, aligned, of a box whose bins are one cell wide and high: one point per bin.
    rows = torch.arange(14) + box[1] / 4
    columns = torch.arange(14) + box[0] / 4
    assert torch.equal(rows, rows.round())
    assert torch.equal(columns, columns.round())
    region = level[:, :, rows.long()[:, None], columns.long()[None]]
    for number in range(1, 9):
        region = convolution(f"roi_heads.keypoint_head.conv_fcn{number}", region, 1, 1).relu()
    head = "roi_heads.keypoint_head.score_lowres"
    maps = functional.conv_transpose2d(region, held[f"{head}.weight"], held[f"{head}.bias"], 2, 1)
    return functional.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)


def test_the_network_computes_what_detectron2_s_would(tmp_path: Path) -> None:
    arrays = detectron2_arrays(R50)
    network = KeypointRcnnEstimator(zoo_file(tmp_path / "a.pkl", arrays)).module
    held = {name: torch.from_numpy(value) for name, value in arrays.items()}
    image = torch.randn(1, 3, 128, 160, generator=torch.Generator().manual_seed(1)) * 50
    box = [24.0, 8.0, 80.0, 64.0]
    with torch.no_grad():
        found = network(image, torch.tensor([[0.0, *box]]))
        expected = reference_heatmaps(held, image, box)
    assert expected.std() > 0.01
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_statistics_that_old_files_lack_are_those_of_folded_norms() -> None:
    arrays = {n: v for n, v in detectron2_arrays((1, 1, 1, 1)).items() if "running_" not in n}
    state = convert_detectron2({name: torch.from_numpy(v) for name, v in arrays.items()}, Path("a.pkl"))
    assert state["backbone.body.bn1.running_mean"].tolist() == [0, 0, 0, 0]
    assert state["backbone.body.layer4.0.downsample.1.running_var"].tolist() == [1.0] * 128


def test_buffers_of_older_files_are_checked(tmp_path: Path) -> None:
    arrays = detectron2_arrays((1, 1, 1, 1))
    arrays["pixel_mean"] = np.array([103.53, 116.28, 123.675], np.float32).reshape(3, 1, 1)
    arrays["pixel_std"] = np.ones((3, 1, 1), np.float32)
    arrays["proposal_generator.anchor_generator.cell_anchors.0"] = np.array(
        [
            [-22.627417, -11.313708, 22.627417, 11.313708],
            [-16, -16, 16, 16],
            [-11.313708, -22.627417, 11.313708, 22.627417],
        ]
    )
    KeypointRcnnEstimator(zoo_file(tmp_path / "old.pkl", arrays))
    arrays["pixel_std"] = np.full((3, 1, 1), 57.375, np.float32)
    with pytest.raises(WeightsError, match=r"other\.pkl was trained with another pixel_std"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "other.pkl", arrays))


def test_missing_tensors_are_named_as_the_file_would_have_them(tmp_path: Path) -> None:
    arrays = detectron2_arrays((1, 1, 1, 1))
    del arrays["backbone.fpn_output3.bias"]
    del arrays["roi_heads.box_head.fc2.weight"]
    with pytest.raises(WeightsError, match=r"2 missing: backbone\.fpn_output3\.bias, roi_heads\.box_head\.fc2\.weight"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "a.pkl", arrays))


def test_unexpected_tensors_are_named(tmp_path: Path) -> None:
    arrays = detectron2_arrays((1, 1, 1, 1)) | {"roi_heads.mask_head.deconv.weight": np.ones(2, np.float32)}
    with pytest.raises(WeightsError, match=r"1 tensors .* \(roi_heads\.mask_head\.deconv\.weight\)"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "a.pkl", arrays))
    arrays = detectron2_arrays((1, 1, 1, 1)) | {"backbone.bottom_up.res2.0.conv1.bias": np.ones(4, np.float32)}
    with pytest.raises(WeightsError, match=r"1 unexpected: backbone\.bottom_up\.res2\.0\.conv1\.bias"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "b.pkl", arrays))


def test_other_models_of_detectron2_are_told_apart(tmp_path: Path) -> None:
    arrays = detectron2_arrays((1, 1, 1, 1))
    arrays["roi_heads.box_predictor.cls_score.weight"] = np.zeros((81, 8), np.float32)
    with pytest.raises(WeightsError, match="81 rows instead of 2"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "a.pkl", arrays))
    faster = {n: v for n, v in detectron2_arrays((1, 1, 1, 1)).items() if "keypoint_head" not in n}
    with pytest.raises(WeightsError, match=r"roi_heads\.keypoint_head\.conv_fcn1\.weight"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "b.pkl", faster))
    (tmp_path / "c2.pkl").write_bytes(pickle.dumps({"blobs": {"conv1_w": np.zeros(3)}}, protocol=2))
    with pytest.raises(WeightsError, match="no entry 'model'"):
        KeypointRcnnEstimator(tmp_path / "c2.pkl")


def test_damaged_values(tmp_path: Path) -> None:
    arrays = detectron2_arrays((1, 1, 1, 1))
    arrays["backbone.fpn_output3.bias"][2] = np.nan
    with pytest.raises(WeightsError, match=r"not finite in backbone\.fpn_output3\.bias"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "a.pkl", arrays))
    arrays = detectron2_arrays((1, 1, 1, 1)) | {"backbone.fpn_output3.bias": np.zeros(5, np.float32)}
    with pytest.raises(WeightsError, match=r"fpn_output3\.bias of shape \(5,\)"):
        KeypointRcnnEstimator(zoo_file(tmp_path / "b.pkl", arrays))


def test_is_detectron2() -> None:
    assert is_detectron2(detectron2_arrays((1, 1, 1, 1)))
    assert not is_detectron2(["backbone.body.conv1.weight", "roi_heads.box_head.fc6.weight"])
