"""A network of ours in an engine: called as the module is, on several threads at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emc.engines.choice import RUNTIME, open_engine
from emc.engines.engine import Engine
from emc.engines.export import ONE, PART
from emc.engines.filled import filled
from emc.engines.graphs import graph_key, graphs_at_hand, new_graph

ON_A_CORE = 4
"""Small crops per call on one core: what is read off the maps costs less in one go."""
SMALL = 192 * 192
"""Pixels; of larger crops half as many share a call: no slower, and each call holds all its activations."""
ON_CUDA = 64


class NetworkInEngine:
    """A network with its weights of now, computed by an engine: (B, 3, H, W) float32 in, what the module returns out.

    Weights that change later are not seen: a copy of an estimator, which may be trained, therefore has none
    (``copy.deepcopy`` gives None), and in another process the network is opened again.
    """

    def __init__(
        self, engine: Engine, network: nn.Module, size: tuple[int, int], free: Mapping[int, str], first: str = RUNTIME
    ) -> None:
        self.engine = engine
        self._made_of = (network, size, dict(free), first)
        self._outputs = list(engine.shapes.outputs)

    @property
    def persons_at_once(self) -> int:
        """Crops beyond which a call gets no faster, crop by crop."""
        width, height = self._made_of[1]
        return ON_CUDA if self.engine.on_cuda else ON_A_CORE if width * height <= SMALL else ON_A_CORE // 2

    def __call__(self, crops: Tensor) -> Any:
        """Return what the network makes of crops; each call computes on one core."""
        batch = np.ascontiguousarray(crops.detach().cpu().numpy(), dtype=np.float32)
        found = [torch.from_numpy(one) for one in self.engine.run(self._outputs, {"input": batch})]
        if self._outputs == [ONE]:
            return found[0]
        if self._outputs[0].startswith(PART):
            return tuple(found)
        return dict(zip(self._outputs, found, strict=True))

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, self._made_of


def opened(
    network: nn.Module, size: tuple[int, int], free: Mapping[int, str], graph: bytes, first: str = RUNTIME
) -> NetworkInEngine:
    """Open a graph with a network's present weights; raises `WeightsError` where no engine reads it.

    first : the engine to take where none is asked for, see `open_engine`.
    """
    with filled(graph, network.state_dict()) as path:
        return NetworkInEngine(open_engine(path, first), network, size, free, first)


def graph_of(network: nn.Module, size: tuple[int, int], free: Mapping[int, str]) -> bytes:
    """Return a network's graph, at hand or new."""
    at_hand = next(graphs_at_hand(graph_key(network, size, free)), None)
    return at_hand if at_hand is not None else new_graph(network, size, free)


def _reopened(network: nn.Module, size: tuple[int, int], free: Mapping[int, str], first: str) -> NetworkInEngine | None:
    """Open a network that came from another process; None, which is PyTorch, where that fails here."""
    try:
        return opened(network, size, free, graph_of(network, size, free), first)
    except Exception:  # noqa: BLE001 - exporter and engines raise classes of their own, or are not installed
        return None
