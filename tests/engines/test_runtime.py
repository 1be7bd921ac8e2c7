"""A file in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.estimators.onnx.onnx_models import simcc_model

from emc.engines.runtime import RuntimeEngine


def test_it_tells_names_and_shapes_and_runs_what_is_asked_for(tmp_path: Path) -> None:
    engine = RuntimeEngine(simcc_model(tmp_path / "m.onnx", size=(96, 64)))
    assert engine.name.startswith("ONNX Runtime 1.")
    assert dict(engine.shapes.inputs) == {"input": (None, 3, 64, 96)}
    (y,) = engine.run(["simcc_y"], {"input": np.zeros((2, 3, 64, 96), np.float32)})
    assert y.shape == (2, 17, 128)
