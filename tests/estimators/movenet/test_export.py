"""MoveNet as a file that decodes itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emc.estimators.movenet.decode import SOFT, read_places
from emc.estimators.movenet.estimator import MoveNetLightning
from emc.estimators.movenet.network import split
from emc.estimators.onnx import OnnxEstimator, card_of, card_path, write_card, write_onnx

pytest.importorskip("onnxscript", reason="export needs the extra onnx: pip install 'emc-pose[onnx]'")


def test_its_graph_reads_crops_as_the_estimator_does() -> None:
    estimator = MoveNetLightning.untrained(3)
    form = estimator.export_form()
    assert (form.size, form.skeleton) == ((192, 192), "coco17")
    crops = torch.from_numpy(np.random.default_rng(2).uniform(-1, 1, (3, 3, 192, 192)).astype(np.float32))
    with torch.inference_mode():
        places, score = form.head(crops)
        expected = read_places(split(estimator.module(crops)), torch.full((3,), SOFT))
    np.testing.assert_array_equal(places.numpy(), expected.xy.numpy())
    np.testing.assert_array_equal(score.numpy(), expected.score.numpy())


def test_one_file_reads_as_the_graph_and_loads_again(tmp_path: Path) -> None:
    form = MoveNetLightning.untrained(3).export_form()
    done = write_onnx(form, tmp_path / "lightning.onnx", "simcc", 1)
    assert done.difference < 1e-3
    write_card(card_path(done.file), card_of(form, "simcc", 1))
    info = OnnxEstimator(done.file).describe()
    assert (info.input_size, info.skeleton) == ((192, 192), "coco17")
