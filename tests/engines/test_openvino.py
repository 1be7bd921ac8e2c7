"""A file in OpenVINO: the same names, shapes and results as in ONNX Runtime, from several threads at once too."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from tests.estimators.onnx.onnx_models import heatmap_model, picture, simcc_model

from emc.engines.engine import Engine
from emc.engines.graph import OnnxGraph
from emc.engines.runtime import RuntimeEngine
from emc.errors import WeightsError
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.onnx.card import card_path, write_card
from emc.estimators.onnx.estimator import OnnxEstimator
from emc.estimators.onnx.export import card_of, export_form_of, write_onnx
from emc.pose.records import Box, Prediction

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'emc-pose[openvino]'")
SIZE = (96, 64)
OUTPUTS = ["simcc_x", "simcc_y"]
PLACES = [(20.0, 10.0, 200.0, 220.0), (-30.0, 40.0, 90.0, 150.0), (150.0, 60.0, 160.0, 120.0)]
Made = TypeVar("Made")


def opened(path: Path) -> Engine:
    from emc.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(path)


def in_each(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Made]) -> list[Made]:
    """Return what is made in ONNX Runtime and what in OpenVINO."""
    made = []
    for name in ("onnxruntime", "openvino"):
        monkeypatch.setenv("EMC_ONNX_ENGINE", name)
        made.append(make())
    return made


def noise(persons: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (persons, 3, SIZE[1], SIZE[0])).astype(np.float32)


def people(estimator: OnnxEstimator) -> list[Prediction]:
    return estimator.predict([picture(6)], [[Box(0, place) for place in PLACES]])


@pytest.mark.parametrize("batch", ["batch", 2])
@pytest.mark.parametrize("open_joints", [False, True])
def test_names_shapes_and_results_are_those_of_onnx_runtime(
    tmp_path: Path, batch: str | int, open_joints: bool
) -> None:
    path = simcc_model(tmp_path / "m.onnx", batch=batch, size=SIZE, open_joints=open_joints)
    runtime, ours = RuntimeEngine(path), opened(path)
    assert list(ours.shapes.outputs) == OUTPUTS
    assert ours.shapes.inputs == runtime.shapes.inputs
    for name in OUTPUTS:
        # Each leaves open what it has not worked out.
        pairs = zip(runtime.shapes.outputs[name], ours.shapes.outputs[name], strict=True)
        assert all(None in pair or pair[0] == pair[1] for pair in pairs)
    expected = runtime.run(OUTPUTS, {"input": noise(2)})
    for found, value in zip(ours.run(OUTPUTS, {"input": noise(2)}), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-5)
    (alone,) = ours.run(OUTPUTS[1:], {"input": noise(2)})
    np.testing.assert_allclose(alone, expected[1], rtol=1e-5, atol=1e-5)


def test_calls_from_several_threads_keep_their_own_results(tmp_path: Path) -> None:
    ours = opened(simcc_model(tmp_path / "m.onnx", size=SIZE))
    batches = [noise(1 + seed % 4, seed) for seed in range(40)]
    alone = [ours.run(OUTPUTS, {"input": batch}) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: ours.run(OUTPUTS, {"input": batch}), batches))
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shape", [(1, 3, 10, 10), (1, 1, 64, 96), (3, 64, 96)])
def test_another_shape_is_refused_not_computed(tmp_path: Path, shape: tuple[int, ...]) -> None:
    ours = opened(simcc_model(tmp_path / "m.onnx", size=SIZE))
    with pytest.raises(ValueError, match=r"input has the shape \[\?, 3, 64, 96\]"):
        ours.run(OUTPUTS, {"input": np.zeros(shape, np.float32)})


def test_a_damaged_file_is_told_without_a_word_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(WeightsError, match=r"bad\.onnx \(11 bytes\) is not a model that OpenVINO .* \(it is no ONNX"):
        opened(tmp_path / "bad.onnx")
    assert capfd.readouterr().err == ""


def test_measured_shapes_and_any_number_of_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = simcc_model(tmp_path / "m.onnx", batch=2, size=SIZE, open_joints=True)
    theirs, ours = in_each(monkeypatch, lambda: OnnxGraph(path))
    assert ours.measured_shapes() == theirs.measured_shapes()
    pairs = zip(ours.run(noise(5), "input", OUTPUTS), theirs.run(noise(5), "input", OUTPUTS), strict=True)
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_an_exported_nano_gives_the_same_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, form = tmp_path / "nano.onnx", export_form_of(NanoEstimator())
    write_onnx(form, path, "simcc", 2)
    write_card(card_path(path), card_of(form, "simcc", 2))
    theirs, ours = in_each(monkeypatch, lambda: OnnxEstimator(path))
    assert ours.describe().name == theirs.describe().name
    assert [one.describe().extra["engine"].split(" ")[0] for one in (theirs, ours)] == ["ONNX", "OpenVINO"]
    for a, b in zip(people(ours), people(theirs), strict=True):
        np.testing.assert_allclose(a.xy, b.xy, atol=1e-3)
        np.testing.assert_allclose(a.score, b.score, atol=1e-4)


def test_heatmaps_give_the_same_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = heatmap_model(tmp_path / "m.onnx")
    theirs, ours = in_each(monkeypatch, lambda: OnnxEstimator(path))
    for a, b in zip(people(ours), people(theirs), strict=True):
        # Flat random maps: a step between cells magnifies the last bit.
        np.testing.assert_allclose(a.xy, b.xy, atol=2e-2)
        np.testing.assert_allclose(a.score, b.score, rtol=1e-5)


def test_another_process_opens_the_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMC_ONNX_ENGINE", "openvino")
    estimator = OnnxEstimator(simcc_model(tmp_path / "m.onnx"))
    again = pickle.loads(pickle.dumps(estimator))
    for a, b in zip(people(again), people(estimator), strict=True):
        np.testing.assert_array_equal(a.xy, b.xy)


@pytest.mark.shared_data
def test_movenet_gives_the_same_places(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_data / "weights" / "movenet_mbv3.onnx"
    theirs, ours = in_each(monkeypatch, lambda: OnnxEstimator(path))
    for a, b in zip(people(ours), people(theirs), strict=True):
        np.testing.assert_allclose(a.xy, b.xy, atol=1e-3)
        np.testing.assert_allclose(a.score, b.score, atol=1e-4)
