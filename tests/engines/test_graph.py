"""Files in an engine: shapes, batch sizes, and what is said of files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.estimators.onnx.onnx_models import simcc_model

from emc.engines.graph import OnnxGraph
from emc.errors import ShapeMismatch, WeightsError

OUTPUTS = ["simcc_x", "simcc_y"]


def noise(persons: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, (persons, 3, 64, 96)).astype(np.float32)


def test_shapes_in_the_graphs_order(tmp_path: Path) -> None:
    graph = OnnxGraph(simcc_model(tmp_path / "m.onnx", size=(96, 64)))
    assert dict(graph.shapes.inputs) == {"input": (None, 3, 64, 96)}
    assert dict(graph.shapes.outputs) == {"simcc_x": (None, 17, 192), "simcc_y": (None, 17, 128)}
    assert graph.fixed_batch is None
    assert len(graph.sha256) == 64


def test_dimensions_left_open_by_the_exporter_are_measured(tmp_path: Path) -> None:
    graph = OnnxGraph(simcc_model(tmp_path / "m.onnx", size=(96, 64), open_joints=True))
    assert graph.shapes.outputs["simcc_x"][1] is None
    assert graph.measured_shapes().outputs["simcc_x"] == (None, 17, 192)


@pytest.mark.parametrize("fixed", [1, 2, 4])
def test_a_fixed_batch_size_gives_the_same_as_any(tmp_path: Path, fixed: int) -> None:
    any_size = OnnxGraph(simcc_model(tmp_path / "any.onnx", size=(96, 64)))
    graph = OnnxGraph(simcc_model(tmp_path / "fixed.onnx", batch=fixed, size=(96, 64)))
    assert graph.fixed_batch == fixed
    batch = noise(5)
    for found, expected in zip(graph.run(batch, "input", OUTPUTS), any_size.run(batch, "input", OUTPUTS), strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.onnx is missing"):
        OnnxGraph(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match=r"bad\.onnx \(11 bytes\) is not a model that ONNX Runtime"):
        OnnxGraph(tmp_path / "bad.onnx")


def test_a_wrong_shape_is_told_with_the_file(tmp_path: Path) -> None:
    graph = OnnxGraph(simcc_model(tmp_path / "m.onnx", size=(96, 64)))
    with pytest.raises(ShapeMismatch, match=r"m\.onnx cannot be run on input \(1, 3, 10, 10\)"):
        graph.run(np.zeros((1, 3, 10, 10), np.float32), "input", OUTPUTS)
