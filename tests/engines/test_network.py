"""A network of ours in an engine, its weights filled in when it is opened."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emc.engines.engine import compute_threads
from emc.engines.export import weightless_graph
from emc.engines.filled import filled
from emc.engines.free import PICTURE, POSE
from emc.engines.graphs import graph_example
from emc.engines.network import NetworkInEngine, opened

SIZE = (16, 8)


class Small(nn.Module):
    """Convolution, batch norm and what a network does beside; gives a tensor, a dict or a tuple."""

    def __init__(self, gives: str = "tensor") -> None:
        super().__init__()
        self.gives = gives
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.register_buffer("steps", torch.tensor([3]))

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor] | tuple[Tensor, Tensor]:
        y = nn.functional.relu6(self.norm(self.conv(x)))
        if self.gives == "dict":
            return {"height": y[:, :1], "width": y[:, 1:]}
        return (y, y * 2) if self.gives == "tuple" else y


def small(seed: int, gives: str = "tensor") -> Small:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Small(gives)
        for value in network.norm.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(4) + 0.5)
    return network.eval()


def crops(count: int = 3, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.from_numpy(np.random.default_rng(count).normal(0, 1, (count, 3, size[1], size[0])).astype(np.float32))


@pytest.fixture(scope="module")
def graph() -> bytes:
    return weightless_graph(small(0), graph_example(SIZE, POSE), POSE)


def test_one_graph_takes_the_weights_of_every_network_of_its_layers(graph: bytes) -> None:
    for seed in (0, 1):
        network = small(seed)
        found = opened(network, SIZE, POSE, graph)(crops())
        assert torch.allclose(found, network(crops()).detach(), atol=1e-5, rtol=0)


def test_a_graph_holds_no_weights_and_its_files_are_gone_once_it_is_open(graph: bytes) -> None:
    network = small(0)
    for value in network.state_dict().values():
        if value.is_floating_point():
            assert value.numpy().tobytes()[:16] not in graph
    with filled(graph, network.state_dict()) as path:
        held = path.parent
        assert sorted(file.name for file in held.iterdir()) == ["graph.onnx", "weights.bin"]
    assert not held.exists()


def test_weights_are_those_of_when_it_was_opened(graph: bytes) -> None:
    network = small(0)
    forward = opened(network, SIZE, POSE, graph)
    before = forward(crops())
    with torch.no_grad():
        network.conv.weight.mul_(2)
    assert torch.equal(forward(crops()), before)
    again = opened(network, SIZE, POSE, graph)(crops())
    assert torch.allclose(again, network(crops()).detach(), atol=1e-5, rtol=0)
    assert not torch.allclose(again, before, atol=1e-3, rtol=0)


@pytest.mark.parametrize("gives", ["dict", "tuple"])
def test_outputs_come_as_the_network_gives_them_at_any_size_where_that_may_vary(gives: str) -> None:
    network = small(0, gives)
    forward = opened(network, SIZE, PICTURE, weightless_graph(network, graph_example(SIZE, PICTURE), PICTURE))
    for size in ((96, 64), (32, 128)):
        found, expected = forward(crops(2, size)), network(crops(2, size))
        assert type(found) is type(expected)
        if isinstance(expected, dict):
            assert list(found) == ["height", "width"]
            found, expected = tuple(found.values()), tuple(expected.values())
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_copy_has_none_and_another_process_opens_it_again(graph: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    network = small(0)
    forward = opened(network, SIZE, POSE, graph)
    assert copy.deepcopy(forward) is None
    monkeypatch.setattr("emc.engines.network.graph_of", lambda *_: graph)
    there = pickle.loads(pickle.dumps(forward))
    assert isinstance(there, NetworkInEngine)
    torch.testing.assert_close(there(crops()), forward(crops()), atol=0, rtol=0)


def test_where_it_cannot_be_opened_again_the_module_computes(graph: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = pickle.dumps(opened(small(0), SIZE, POSE, graph))
    monkeypatch.setattr("emc.engines.network.graph_of", lambda *_: b"no graph")
    assert pickle.loads(sent) is None


def test_threads_call_it_at_once(graph: bytes) -> None:
    forward = opened(small(0), SIZE, POSE, graph)
    expected = {count: forward(crops(count)) for count in range(1, 9)}
    found: dict[int, Tensor] = {}

    def work(count: int) -> None:
        for _ in range(20):
            found[count] = forward(crops(count))

    threads = [threading.Thread(target=work, args=(count,)) for count in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for count, maps in expected.items():
        torch.testing.assert_close(found[count], maps, atol=0, rtol=0)
    assert compute_threads() == torch.get_num_threads()
