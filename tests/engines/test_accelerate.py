"""Estimators in an engine: the same predictions, PyTorch where that cannot be."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from tools.graphs import shipped

import emc.detectors.movenet.detector as detector
import emc.engines.accelerate as accelerate
import emc.engines.check as check
from emc.detectors.movenet.detector import FORM, MoveNetDetector
from emc.engines import POSE, NetworkInEngine, accelerated
from emc.engines.check import Difference, difference, drawn_people
from emc.engines.choice import VARIABLE
from emc.engines.graphs import cached, graph_key, graphs_at_hand, write_whole
from emc.errors import UsageError
from emc.estimators.movenet import MoveNetLightning
from emc.estimators.nano import NanoEstimator
from emc.estimators.rotation import rotation_ensemble
from emc.networks.movenet import build_movenet
from emc.pose.skeletons import build_skeleton


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMC_GRAPHS", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


@pytest.mark.parametrize("estimator", [NanoEstimator(), MoveNetLightning.untrained(0)], ids=["nano", "movenet"])
def test_it_predicts_the_same_in_an_engine(estimator: NanoEstimator | MoveNetLightning) -> None:
    done = accelerated(estimator)
    assert (done.engine[:12], done.reason) == ("ONNX Runtime", "")
    assert isinstance(done.estimator.forward, NetworkInEngine)
    assert estimator.forward is None
    images, boxes = drawn_people(estimator.describe().input_size)
    for here, there in zip(estimator.predict(images, boxes), done.estimator.predict(images, boxes), strict=True):
        np.testing.assert_allclose(there.xy, here.xy, atol=0.02)
        np.testing.assert_allclose(there.score, here.score, atol=1e-4)
        np.testing.assert_allclose(there.features, here.features, atol=1e-3)


def test_drawn_people_are_seen_and_no_two_alike() -> None:
    images, boxes = drawn_people((128, 128))
    found = NanoEstimator().predict(images, boxes)
    assert np.mean([one.confidence >= check.SEEN for one in found]) > 0.8
    assert len({one.xy.tobytes() for one in found}) == len(images)


def test_a_rotation_ensemble_has_its_network_in_the_engine() -> None:
    ensemble = rotation_ensemble(inner=NanoEstimator(), rotations=2, zooms=0)
    done = accelerated(ensemble)
    assert done.engine.startswith("ONNX Runtime")
    assert isinstance(done.estimator.inner.forward, NetworkInEngine)
    assert (done.estimator.rotations, ensemble.inner.forward) == (2, None)
    images, boxes = drawn_people((128, 128))
    for here, there in zip(ensemble.predict(images, boxes), done.estimator.predict(images, boxes), strict=True):
        np.testing.assert_allclose(there.xy, here.xy, atol=0.02)


def test_a_copy_of_it_is_trained_in_pytorch() -> None:
    assert accelerated(NanoEstimator()).estimator.clone().forward is None


def test_other_weights_of_the_same_network_need_no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerate, "new_graph", lambda *_: pytest.fail("exported"))
    estimator = NanoEstimator()
    with torch.no_grad():
        for value in estimator.module.parameters():
            value.mul_(1.01)
    assert accelerated(estimator).engine.startswith("ONNX Runtime")


def test_what_is_not_exact_is_exported_anew_and_else_left_to_pytorch(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "MAPS", 1e-12)
    graph = next(graphs_at_hand(graph_key(*shipped()["nano"])))
    monkeypatch.setattr("emc.engines.graphs.weightless_graph", lambda *_: graph)
    made: list[str] = []
    done = accelerated(NanoEstimator(), told=made.append)
    assert made == ["nano: made ready for ONNX Runtime, once for all its weights (10 to 20 seconds)"]
    assert done.engine == "PyTorch"
    assert done.reason.startswith("nano computes in PyTorch, since the exported network differs: maps by ")
    assert cached(graph_key(*shipped()["nano"])).read_bytes() == graph
    with pytest.raises(UsageError, match=r"predict.engine = onnx, but nano computes in .*: set predict.engine = auto"):
        accelerated(NanoEstimator(), "onnx")


def test_a_damaged_graph_in_the_cache_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    good = next(graphs_at_hand(graph_key(*shipped()["nano"])))
    estimator = NanoEstimator().with_skeleton(build_skeleton("two", ("a", "b"), ()))
    key = graph_key(estimator.module, (128, 128), POSE)
    write_whole(cached(key), good[:-100])
    assert accelerated(estimator, export=False).engine == "PyTorch"
    monkeypatch.setattr(accelerate, "new_graph", lambda *_: b"exported")
    assert "differs" in accelerated(estimator).reason


def test_a_check_is_kept_with_weights_engine_and_code(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = NanoEstimator()
    accelerated(estimator, remember=False)
    assert not list(own_cache.glob("checks/*"))
    accelerated(estimator)
    (kept,) = own_cache.glob("checks/*.json")
    monkeypatch.setattr(check, "difference", lambda *_: Difference(1.0, 1.0))
    assert accelerated(estimator, export=False).engine.startswith("ONNX Runtime")
    kept.write_text("{")
    assert accelerated(estimator, export=False).engine == "PyTorch"


def test_pytorch_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = NanoEstimator()
    done = accelerated(estimator, "torch")
    assert (done.estimator, done.engine, done.reason) == (estimator, "PyTorch", "")
    monkeypatch.setenv(VARIABLE, "openvino" if importlib.util.find_spec("openvino") else "onnxruntime")
    assert not accelerated(estimator, "torch").reason


def test_without_an_engine_it_is_pytorch_and_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerate, "engine_at_hand", lambda _: False)
    done = accelerated(NanoEstimator())
    assert (done.engine, done.reason) == (
        "PyTorch", "nano computes in PyTorch, for want of ONNX Runtime: pip install onnxruntime"
    )  # fmt: skip


def test_a_network_is_told_from_one_with_other_maps() -> None:
    estimator, other = NanoEstimator(), NanoEstimator.untrained(0)
    forward = accelerated(other).estimator.forward
    assert isinstance(forward, NetworkInEngine)
    assert not difference(estimator, forward).exact
    assert difference(other, forward).exact


def test_a_detector_finds_the_same_boxes_at_every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_movenet(FORM)
    with torch.no_grad():
        # An untrained network is sure of nothing: here it finds people.
        network.heads["center"].out.bias.add_(3.0)  # type: ignore[union-attr, operator]
        network.heads["box_scale"].out.bias.add_(20.0)  # type: ignore[union-attr, operator]
    monkeypatch.setattr(detector, "network", lambda: network)
    images, _ = drawn_people((128, 128))
    for sides in ((256,), (128, 192)):
        here = MoveNetDetector(sides=sides)
        done = accelerated(here)
        assert (done.engine[:12], done.reason, here.forward) == ("ONNX Runtime", "", None)
        found, there = (one.detect(images, range(len(images))) for one in (here, done.estimator))
        assert min(len(boxes) for boxes in found) > 0
        for boxes, others in zip(found, there, strict=True):
            np.testing.assert_allclose([b.xywh for b in others], [b.xywh for b in boxes], atol=0.01)
        assert isinstance(done.estimator.adapted([], 0).forward, NetworkInEngine)
