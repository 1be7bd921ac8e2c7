"""A graph filled with weights: both as files, for as long as an engine needs to read them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

GRAPH_FILE, WEIGHTS_FILE = "graph.onnx", "weights.bin"
ALIGNED = 64
"""Bytes: where a weight may begin, so that engines can map it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a weight lies in a file of weights, bytes."""

    offset: int
    length: int


def places(state: Mapping[str, Tensor]) -> dict[str, Place]:
    """Return where each floating-point entry of a network's state lies, as float32, in a file of its weights."""
    found: dict[str, Place] = {}
    offset = 0
    for name, value in state.items():
        if value.is_floating_point():
            found[name] = Place(offset, 4 * value.numel())
            offset += -(-4 * value.numel() // ALIGNED) * ALIGNED
    return found


@contextmanager
def filled(graph: bytes, state: Mapping[str, Tensor]) -> Iterator[Path]:
    """Yield the path of a graph with its file of weights beside it; both are gone afterwards.

    Entries of a state that are no floating-point numbers are in the graph itself.
    """
    with tempfile.TemporaryDirectory(prefix="emc-graph-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / GRAPH_FILE).write_bytes(graph)
        with (folder / WEIGHTS_FILE).open("wb") as file:
            for weight, place in places(state).items():
                file.seek(place.offset)
                file.write(state[weight].detach().cpu().float().contiguous().numpy().tobytes())
        yield folder / GRAPH_FILE
