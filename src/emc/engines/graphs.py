"""Graphs without weights: those that the package brings, those in the cache, and new ones."""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from emc.engines.export import weightless_graph
from emc.engines.exporter import OPSET

ANY_SIZE = (96, 64)
FORMAT = 1
"""Changes with what a graph holds: older ones are then made anew."""


def graph_key(network: nn.Module, size: tuple[int, int], free: Mapping[int, str]) -> str:
    """Return what tells networks apart whose graphs differ: layers, shapes of the weights, and what may vary.

    Weights do not count, nor how `forward` joins its layers: whoever opens a graph compares it with the network. size :
    (width, height) of the input.
    """
    told = hashlib.sha256(f"{FORMAT}:{OPSET}:{type(network).__qualname__}:{network!r}:{sorted(free)}".encode())
    told.update(repr(size if 2 not in free else ()).encode())
    for name, value in network.state_dict().items():
        told.update(f"{name}{tuple(value.shape)}{value.is_floating_point()}".encode())
    return told.hexdigest()[:16]


def graphs_at_hand(key: str) -> Iterator[bytes]:
    """Yield the graphs of a key: the package's own, then the cache's."""
    own = importlib.resources.files("emc.assets") / "graphs"
    if own.is_dir():
        yield from (file.read_bytes() for file in own.iterdir() if file.name.endswith(f"-{key}.onnx"))
    kept = cached(key)
    if kept.is_file():
        yield kept.read_bytes()


def new_graph(network: nn.Module, size: tuple[int, int], free: Mapping[int, str]) -> bytes:
    """Export a network's graph, keep it in the cache and return it; raises as `weightless_graph` does.

    A cache that cannot be written costs the same work next time, and nothing else.
    """
    graph = weightless_graph(network, graph_example(size, free), free)
    place = cached(graph_key(network, size, free))
    with suppress(OSError):
        write_whole(place, graph)
    return graph


def graph_example(size: tuple[int, int], free: Mapping[int, str]) -> Tensor:
    """Return an input to export a network with; size : (width, height), where that may not vary."""
    width, height = ANY_SIZE if 2 in free else size
    return torch.zeros(2, 3, height, width)


def cache_folder() -> Path:
    """Return where graphs are kept: ``$EMC_GRAPHS``, else ``emc/graphs`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if own := os.environ.get("EMC_GRAPHS"):
        return Path(own)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "emc" / "graphs"


def cached(key: str) -> Path:
    """Return where the graph of a key is kept."""
    return cache_folder() / f"{key}.onnx"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that others see whole or not at all, also where two programs write it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f"{path.stem}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
