"""The engine that the settings ask for, in prediction, scoring and the editor."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

import emc
import emc.engines.accelerate as accelerate
from emc.config import read_settings
from emc.engines import NetworkInEngine
from emc.engines.check import drawn_people
from emc.errors import UsageError
from emc.estimators.nano import NanoEstimator
from emc.pose.records import Role, Sample
from emc.workflow.bench.arms import untrained_arm
from emc.workflow.bench.noise import bench_noise
from emc.workflow.calibration.confidence import fitted_document
from emc.workflow.engine import in_engine
from emc.workflow.scoring import ENOUGH_TO_OPEN, predict_samples


def samples(count: int) -> list[Sample]:
    images, boxes = drawn_people((128, 128))
    nothing = np.full((17, 2), np.nan, np.float32)
    return [
        Sample(images[n % 4], nothing, np.zeros(17, np.int8), np.array(boxes[n % 4][0].xywh, np.float32), "c", "g", n)
        for n in range(count)
    ]


def test_why_pytorch_computes_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    estimator = NanoEstimator()
    assert isinstance(in_engine(estimator, "auto", told=told.append).forward, NetworkInEngine)  # type: ignore[attr-defined]
    assert in_engine(estimator, "torch", told=told.append) is estimator
    assert told == []
    monkeypatch.setattr(accelerate, "engine_at_hand", lambda _: False)
    assert in_engine(estimator, "auto", told=told.append) is estimator
    assert told == ["note: nano computes in PyTorch, for want of ONNX Runtime: pip install onnxruntime"]


def test_many_samples_are_scored_in_an_engine_with_the_weights_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = NanoEstimator()
    few, many = samples(ENOUGH_TO_OPEN - 1), samples(ENOUGH_TO_OPEN)
    opened: list[object] = []
    true_open = accelerate.opened
    monkeypatch.setattr(accelerate, "opened", lambda *given: opened.append(given) or true_open(*given))
    here = predict_samples(estimator, few)
    assert not opened
    there = predict_samples(estimator, many)
    assert len(opened) == 1
    predict_samples(estimator, many, "torch")
    assert len(opened) == 1
    for one, other in zip(here, there, strict=False):
        np.testing.assert_allclose(one.xy, other.xy, atol=0.02)
    estimator.module.load_state_dict(NanoEstimator.untrained(0).module.state_dict())
    changed = predict_samples(estimator, many)
    np.testing.assert_allclose(changed[0].score, predict_samples(estimator, few)[0].score, atol=1e-4)
    assert not np.allclose(changed[0].score, there[0].score, atol=1e-2)


def test_an_engine_that_was_asked_for_predicts_one_sample_too(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    true_open = accelerate.opened
    monkeypatch.setattr(accelerate, "opened", lambda *given: opened.append(given) or true_open(*given))
    predict_samples(NanoEstimator(), samples(1), "onnx")
    assert len(opened) == 1
    monkeypatch.setattr(accelerate, "engine_at_hand", lambda _: False)
    with pytest.raises(UsageError, match="set predict.engine = auto"):
        predict_samples(NanoEstimator(), samples(1), "onnx")


def test_every_prediction_of_labelled_people_is_told_its_engine() -> None:
    """`predict_samples` and `score_samples` are given an engine by all who call them: the settings' one, by type."""
    wanting = [
        f"{path.name}:{call.lineno}"
        for path in Path(emc.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if len(call.args) + len(call.keywords) < {"predict_samples": 3, "score_samples": 4}.get(call.func.id, 0)
        or (call.func.id in ("predict_samples", "score_samples") and "engine" not in ast.unparse(call))
    ]
    assert wanting == []


def test_the_fit_of_the_confidence_and_the_bench_compute_where_the_settings_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accelerate, "engine_at_hand", lambda _: False)
    settings = read_settings(None, EMBEDDED, predict={"engine": "onnx"})
    seen = [replace(s, visibility=np.full(17, 2, np.int8)) for s in samples(2)]
    said = "predict.engine = onnx, but"
    fit = fitted_document(NanoEstimator(), {Role.TARGET: seen}, settings.evaluate, settings.predict.engine)
    assert fit["left_out"]["target"].startswith(said)
    with pytest.raises(UsageError, match=said):
        untrained_arm("base", NanoEstimator(), {"target": seen, "common": seen}, settings)
    with pytest.raises(UsageError, match=said):
        bench_noise(1, settings)
