from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import SMALL, TINY

from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.estimators.keypoint_rcnn.export import crop_box, crop_size
from emc.estimators.keypoint_rcnn.heatmaps import decode
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2, TORCHVISION, Recipe
from emc.estimators.onnx.export import export_form_of, write_onnx

THEIRS = replace(DETECTRON2, short_side=128, long_side=224)


def test_sizes_by_hand() -> None:
    assert crop_size(TORCHVISION) == (288, 384)
    assert crop_box((288, 384)) == pytest.approx((28.8, 38.4, 259.2, 345.6))


@pytest.mark.parametrize("recipe", [SMALL, THEIRS])
def test_the_graph_reads_a_crop_as_the_network_reads_its_middle(recipe: Recipe) -> None:
    estimator = KeypointRcnnEstimator.untrained(2, TINY, recipe)
    form = export_form_of(estimator)
    width, height = form.size
    levels = np.random.default_rng(1).uniform(0, 255, (3, 3, height, width)).astype(np.float32)
    spread = np.array(form.std)[:, None, None]
    crops = torch.from_numpy(((levels - np.array(form.mean)[:, None, None]) / spread).astype(np.float32))
    with torch.inference_mode():
        places, scores = form.head(crops)
        seen = crops.flip(1) if recipe.bgr else crops
        boxes = torch.tensor([crop_box(form.size)]).expand(3, 4)
        regions = torch.cat([torch.arange(3.0)[:, None], boxes], dim=1)
        expected = decode(estimator.module(seen, regions), boxes)
    assert np.allclose(places.numpy(), expected.xy - recipe.half_pixel, atol=1e-4)
    assert np.allclose(scores.numpy(), expected.confidence, atol=1e-6)


def test_means_are_told_in_rgb() -> None:
    form = export_form_of(KeypointRcnnEstimator.untrained(2, TINY, THEIRS))
    assert tuple(form.mean) == (123.675, 116.28, 103.53)
    assert form.skeleton == "coco17"


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [SMALL, THEIRS])
def test_one_file_computes_the_same(recipe: Recipe, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    form = export_form_of(KeypointRcnnEstimator.untrained(2, TINY, recipe))
    done = write_onnx(form, tmp_path / "keypointrcnn.onnx", "simcc", 1)
    assert done.difference < 1e-2
