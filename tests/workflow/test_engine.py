"""The engine that the settings ask for, in prediction, scoring and the editor."""

from __future__ import annotations

import numpy as np
import pytest

import emc.engines.accelerate as accelerate
from emc.engines import NetworkInEngine
from emc.engines.check import drawn_people
from emc.estimators.nano import NanoEstimator
from emc.pose.records import Sample
from emc.workflow.engine import in_engine
from emc.workflow.scoring import ENOUGH_TO_OPEN, predict_samples


def samples(count: int) -> list[Sample]:
    images, boxes = drawn_people((128, 128))
    nothing = np.full((17, 2), np.nan, np.float32)
    return [
        Sample(images[n % 4], nothing, np.zeros(17, np.int8), np.float32(boxes[n % 4][0].xywh), "c", "g", n)
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
