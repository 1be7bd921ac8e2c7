"""Graphs without weights: told apart, found, kept."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tools.graphs import FOLDER, shipped
from torch import nn

from emc.engines.export import weightless_graph
from emc.engines.filled import places
from emc.engines.free import PICTURE, POSE
from emc.engines.graphs import cached, graph_example, graph_key, graphs_at_hand, write_whole
from emc.estimators.movenet import MoveNetLightning
from emc.estimators.nano import NanoEstimator
from emc.pose.skeletons import COCO17, build_skeleton

FORMAT_TODAY = 39_452
"""Bytes of nano's graph; its weights have 7 MB."""


@pytest.mark.parametrize("name", ["nano", "movenet-lightning", "movenet-thunder", "movenet-multipose"])
def test_the_package_brings_the_graphs_of_its_networks(name: str) -> None:
    assert [file.stem for file in FOLDER.glob(f"{name}-*.onnx")] == [f"{name}-{graph_key(*shipped()[name])}"]


def test_it_brings_no_other_graph_and_no_weights() -> None:
    files = list(FOLDER.glob("*"))
    assert len(files) == len(shipped())
    assert max(file.stat().st_size for file in files) < 3 * FORMAT_TODAY


def test_weights_do_not_tell_networks_apart_and_layers_do() -> None:
    trained, untrained = NanoEstimator().module, NanoEstimator.untrained(1).module
    assert graph_key(trained, (128, 128), POSE) == graph_key(untrained, (128, 128), POSE)
    other = NanoEstimator().with_skeleton(build_skeleton("more", (*COCO17.joints, "neck"), ())).module
    assert graph_key(other, (128, 128), POSE) != graph_key(trained, (128, 128), POSE)
    assert graph_key(MoveNetLightning.untrained(0).module, (128, 128), POSE) != graph_key(trained, (128, 128), POSE)


def test_size_tells_networks_apart_unless_it_may_vary() -> None:
    network = nn.Conv2d(3, 1, 3)
    assert graph_key(network, (64, 32), POSE) != graph_key(network, (32, 64), POSE)
    assert graph_key(network, (64, 32), PICTURE) == graph_key(network, (32, 64), PICTURE)


def test_what_the_cache_keeps_comes_after_what_the_package_brings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMC_GRAPHS", str(tmp_path))
    key = graph_key(*shipped()["nano"])
    write_whole(cached(key), b"newer")
    own, kept = graphs_at_hand(key)
    assert own == next(FOLDER.glob("nano-*.onnx")).read_bytes()
    assert kept == b"newer"
    assert list(graphs_at_hand("0123456789abcdef")) == []


def test_two_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    place = tmp_path / "graphs" / "a.onnx"
    contents = [bytes([n]) * 300_000 for n in range(8)]
    threads = [threading.Thread(target=write_whole, args=(place, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert place.read_bytes() in contents
    assert [file.name for file in place.parent.iterdir()] == ["a.onnx"]


def test_weights_lie_behind_each_other_at_even_places() -> None:
    found = places(nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)).state_dict())
    assert {name: (place.offset, place.length) for name, place in found.items()} == {
        "0.weight": (0, 60), "0.bias": (64, 20), "1.weight": (128, 20), "1.bias": (192, 20),
        "1.running_mean": (256, 20), "1.running_var": (320, 20),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", list(shipped()))
def test_an_export_of_today_is_what_the_package_brings(name: str) -> None:
    network, size, free = shipped()[name]
    assert (
        weightless_graph(network, graph_example(size, free), free) == next(FOLDER.glob(f"{name}-*.onnx")).read_bytes()
    )
