"""What an estimator or a detector is that can run in an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from emc.engines.engine import compute_on, compute_threads
from emc.engines.free import POSE

if TYPE_CHECKING:
    from emc.engines.network import NetworkInEngine

T = TypeVar("T")
R = TypeVar("R")


class EngineUser:
    """Base of estimators and detectors that predict by ``self.forward or self.module`` and nothing else of either.

    `module` is a function of one (B, 3, H, W) tensor, of the size that ``describe().input_size`` tells unless `free`
    lets that vary.
    """

    suited_engine: str = "onnxruntime"
    """The engine that is measurably faster than PyTorch for the network."""
    free: Mapping[int, str] = POSE
    """What of an input may vary: the number of crops, or (`PICTURE`) their size too."""
    forward: NetworkInEngine | Callable[[Any], Any] | None = None
    """What computes in the module's place, with the weights of when it was opened; None: the module."""

    @property
    def persons_at_once(self) -> int | None:
        """Persons beyond which a call gets no faster, person by person; None where the module computes."""
        return getattr(self.forward, "persons_at_once", None)

    def for_check(self) -> Self:
        """Return a copy that is compared with PyTorch on drawn people: one that costs little."""
        return copy(self)

    def in_calls(self, call: Callable[[Sequence[T]], list[R]], work: Sequence[T], batch: int) -> list[R]:
        """Return what `call` returns of work in parts, in order: small ones side by side in an engine, else of `batch`.

        An engine's call computes on one core: there are as many at once as the calling thread may use cores.
        """
        size = self.persons_at_once or batch
        threads = 1 if self.persons_at_once is None else min(compute_threads(), len(work))
        if threads > 1:
            # Few persons are shared out: no core is left without.
            size = min(size, -(-len(work) // threads))
        parts = [work[start : start + size] for start in range(0, len(work), size)]
        if threads <= 1:
            return [one for part in parts for one in call(part)]
        return [one for found in side_by_side(call, parts, threads) for one in found]


def side_by_side(call: Callable[[T], R], parts: Sequence[T], threads: int) -> list[R]:
    """Return what `call` says of each part, on threads of which each computes on one core."""
    import torch

    own = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=partial(compute_on, 1)) as pool:
            return list(pool.map(call, parts))
    finally:
        # Threads that begin to compute later take the number that was set last, anywhere.
        torch.set_num_threads(own)
