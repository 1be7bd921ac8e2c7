"""Which engine a file gets: what is asked for, what is installed, what it can read."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.estimators.onnx.onnx_models import simcc_model

import emc.engines.choice as onnx_choice
import emc.engines.runtime as onnx_runtime
from emc.engines.choice import engines_in_turn, open_engine
from emc.errors import UsageError, WeightsError

needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="needs OpenVINO: pip install 'emc-pose[openvino]'"
)


def whole_numbers_in(path: Path) -> Path:
    """Write a graph that takes int64, which no pose model does."""
    given, made = (helper.make_tensor_value_info(name, TensorProto.INT64, ["n"]) for name in ("ids", "same"))
    graph = helper.make_graph([helper.make_node("Identity", ["ids"], ["same"])], "whole", [given], [made])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


@pytest.fixture
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(onnx_choice.VARIABLE, raising=False)


@needs_openvino
@pytest.mark.usefixtures("nothing_asked")
def test_openvino_comes_first_where_it_is_installed(tmp_path: Path) -> None:
    assert open_engine(simcc_model(tmp_path / "m.onnx")).name.startswith("OpenVINO 20")
    assert [name.split(" ")[0] for name in engines_in_turn()][-2:] == ["OpenVINO", "ONNX"]


@pytest.mark.usefixtures("nothing_asked")
def test_without_openvino_it_is_onnx_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_choice, "_has_openvino", lambda: False)
    assert open_engine(simcc_model(tmp_path / "m.onnx")).name.startswith("ONNX Runtime ")
    assert engines_in_turn() == [onnx_runtime.version()]


@needs_openvino
@pytest.mark.usefixtures("nothing_asked")
def test_what_openvino_cannot_run_goes_to_onnx_runtime(tmp_path: Path) -> None:
    engine = open_engine(whole_numbers_in(tmp_path / "ids.onnx"))
    assert engine.name == onnx_runtime.version()
    (same,) = engine.run(["same"], {"ids": np.arange(3)})
    np.testing.assert_array_equal(same, [0, 1, 2])


@needs_openvino
@pytest.mark.parametrize(("asked", "name"), [("openvino", "OpenVINO"), ("onnxruntime", "ONNX Runtime")])
def test_an_engine_can_be_asked_for(asked: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(onnx_choice.VARIABLE, asked)
    assert open_engine(simcc_model(tmp_path / "m.onnx")).name.startswith(name)
    assert len(engines_in_turn()) == 1


@needs_openvino
def test_the_engine_asked_for_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(onnx_choice.VARIABLE, "openvino")
    with pytest.raises(WeightsError, match=r"ids\.onnx \(\d+ bytes\) is not a model that OpenVINO .*takes i64"):
        open_engine(whole_numbers_in(tmp_path / "ids.onnx"))


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(onnx_choice.VARIABLE, "tensorrt")
    with pytest.raises(UsageError, match="EMC_ONNX_ENGINE=tensorrt is unknown: use onnxruntime or openvino"):
        open_engine(Path("m.onnx"))


def test_an_engine_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(onnx_choice.VARIABLE, "openvino")
    monkeypatch.setattr(onnx_choice, "_has_openvino", lambda: False)
    with pytest.raises(UsageError, match=r"OpenVINO is not installed: pip install 'emc-pose\[openvino\]'"):
        open_engine(Path("m.onnx"))
