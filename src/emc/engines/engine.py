"""What runs an ONNX file: the contract of the engines behind `OnnxGraph`, and how many cores they may use."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Dimension = int | None


@dataclass(frozen=True, slots=True)
class GraphShapes:
    """Names and shapes of a graph's inputs and outputs, in its order; a dimension that may vary is None."""

    inputs: Mapping[str, tuple[Dimension, ...]]
    outputs: Mapping[str, tuple[Dimension, ...]]


class Engine(Protocol):
    """A file opened by one library; `run` may be called from several threads at once.

    Each call computes on one core; on CUDA one call at a time fills the device.
    """

    @property
    def name(self) -> str:
        """The library, its version and, where it is not the processor, the device."""
        ...

    @property
    def shapes(self) -> GraphShapes:
        """Names and shapes as the file tells them."""
        ...

    @property
    def on_cuda(self) -> bool:
        """Whether it runs on a CUDA device."""
        ...

    def run(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the named outputs, arrays of the caller's own; raises whatever the library raises."""
        ...


_thread = threading.local()


def compute_on(threads: int) -> None:
    """Let the calling thread compute on so many cores: others have the rest. PyTorch is told where it is loaded.

    Asked first, since torch gives a thread the number that was set last anywhere when it first asks or computes: one
    that was started, and got no work before another clip was begun, would compute on all cores, with other last digits.
    """
    _thread.cores = threads
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.get_num_threads()
        torch.set_num_threads(threads)


def compute_threads() -> int:
    """Return how many cores the calling thread may use.

    What `compute_on` said, else what PyTorch was told, where it is loaded, else ``OMP_NUM_THREADS``, else all.
    """
    if own := getattr(_thread, "cores", 0):
        return int(own)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        return int(torch.get_num_threads())
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) > 0 else os.cpu_count() or 1
