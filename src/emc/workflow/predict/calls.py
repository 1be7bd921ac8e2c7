"""How an estimator is called beside the decoder: on which device, how many calls at once, of how many persons."""

from __future__ import annotations

import os
from typing import Any

from emc.config import PredictSettings
from emc.interfaces import Detector, Estimator

MOST_CALLS = 4
"""Calls of an estimator that run side by side at most."""
FEW_CORES = 2
"""Where no more cores than these compute, videos are decoded on one thread."""


def to_gpu(estimator: Estimator) -> bool:
    """Move the network of an estimator that says that it runs where its network is to the GPU, if there is one.

    Done where the work is done, not before it is sent there. Returns whether the network was moved.
    """
    inner: Any = getattr(estimator, "inner", estimator)
    if not getattr(inner, "follows_network", False):
        return False
    import torch

    if not torch.cuda.is_available():
        return False
    inner.module.to("cuda")
    return True


def concurrent_calls(estimator: Estimator | Detector, threads: int) -> int:
    """Return how many calls of an estimator or a detector to run at once: one, where it does not say that several may.

    Several calls on their own cores keep a processor busier than one call on all cores: while one cuts or reads
    its heatmaps, the others compute. Their number is bounded where calls are large, since each holds its pictures and
    its activations.
    """
    inner = getattr(estimator, "inner", estimator)
    if not getattr(inner, "concurrent_calls", False):
        return 1
    return threads if getattr(inner, "persons_at_once", None) else min(threads, MOST_CALLS)


def persons_at_once(estimator: Estimator, asked: int) -> int:
    """Return how many persons share a call: as many as are asked for, fewer where more gain the estimator nothing.

    Small calls hold few pictures, and none is left to work alone for long at the end.
    """
    inner = getattr(estimator, "inner", estimator)
    return min(asked, getattr(inner, "persons_at_once", None) or asked)


def compute_threads(settings: PredictSettings) -> int:
    """Return how many cores to compute on: as asked, else what ``OMP_NUM_THREADS`` says, else all."""
    return settings.threads or int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count() or 1


def decoders(threads: int) -> int:
    """Return how many threads decode a video beside work on `threads` cores (0: one per core).

    Where the work keeps every core busy, what the decoder's own threads cost is taken from it.
    """
    return 1 if threads <= FEW_CORES else 0
