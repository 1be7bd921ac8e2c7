"""How the computing libraries use this machine: threads, and memory that is about to be needed again."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from emc.config import PredictSettings

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
_KEPT_BYTES = 1 << 30


def set_threads(settings: PredictSettings) -> None:
    """Use the asked number of compute threads (0 = one per core, or what ``OMP_NUM_THREADS`` says).

    PyTorch is told where it is loaded; where it is not, which saves 180 MiB, it learns it from the environment later.
    """
    import cv2

    # OpenCV cuts small crops beside the network: threads of its own would only take the cores from it.
    cv2.setNumThreads(1)
    threads = settings.threads or int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count() or 1
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
    else:
        os.environ["OMP_NUM_THREADS"] = str(threads)
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let the C library keep freed blocks of up to 1 GiB for the next step instead of handing them back to the system.

    A training step frees and asks for the same large blocks again: with glibc's defaults the system clears each of
    them again, about a tenth of a step's time on a small network (``calibrate.py``). Returns False where
    the C library has no such switch (not glibc); nothing is changed then.
    """
    mallopt = _switch()
    if mallopt is None:
        return False
    # Large blocks otherwise bypass the heap, and the top of the heap is given back as soon as it is free.
    return bool(mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)) and bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES))


def share_one_heap() -> bool:
    """Let all threads take memory from one heap; call it before the computing libraries are imported.

    glibc gives threads heaps of their own. Where one thread decodes a picture and another frees it, each of them grows
    to its own peak: a fifth to a third more memory for prediction, and no faster (``predict.py``). Returns
    False where the C library has no such switch (not glibc).
    """
    mallopt = _switch()
    return mallopt is not None and bool(mallopt(_ARENA_MAX, 1))


def _switch() -> Any:
    return getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
