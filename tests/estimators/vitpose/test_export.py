"""ViTPose as a graph that decodes itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="ViTPose needs transformers: pip install 'emc-pose[vitpose]'")

from emc.estimators.onnx.card import card_path, write_card
from emc.estimators.onnx.estimator import OnnxEstimator
from emc.estimators.onnx.export import ExportForm, card_of, export_form_of, write_onnx
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.estimators.vitpose.heatmaps import decode


@pytest.fixture(scope="module", params=[True, False])
def estimator(request: pytest.FixtureRequest) -> VitPoseEstimator:
    estimator = VitPoseEstimator.untrained(4)
    estimator.mirror = request.param
    return estimator


def test_it_reads_crops_as_the_estimator_does(estimator: VitPoseEstimator) -> None:
    form = estimator.export_form()
    width, height = form.size
    crops = torch.from_numpy(np.random.default_rng(2).normal(0, 1, (4, 3, height, width)).astype(np.float32))
    with torch.inference_mode():
        places, score = form.head(crops)
    maps, _ = estimator.heatmaps(crops)
    expected = decode(maps)
    grid = np.array([maps.shape[3], maps.shape[2]])
    cells = places.numpy() / (np.array(form.size) - 1) * (grid - 1)
    np.testing.assert_allclose(score.numpy(), expected.score, atol=1e-5)
    # Random maps are flat: where the refinement leaves its cell's neighbourhood, it magnifies the last bit.
    near = (expected.offset < 1) & (expected.score > 0)
    assert near.sum() > 10
    assert np.abs(cells - expected.cells)[near].max() < 0.05


def test_its_form_says_how_crops_are_made(estimator: VitPoseEstimator) -> None:
    form = estimator.export_form()
    assert isinstance(form, ExportForm)
    assert (form.size, form.padding, form.border, form.pixels) == ((96, 128), 1.25, 0.0, "centres")


@pytest.mark.slow
def test_one_file_reads_as_the_graph_and_loads_again(estimator: VitPoseEstimator, tmp_path: Path) -> None:
    form = export_form_of(estimator)
    done = write_onnx(form, tmp_path / "vitpose.onnx", "simcc", 1)
    assert done.difference < 1e-3
    write_card(card_path(done.file), card_of(form, "simcc", 1))
    info = OnnxEstimator(done.file).describe()
    assert (info.input_size, info.skeleton) == ((96, 128), "coco17")
