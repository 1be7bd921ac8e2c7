"""Runs functions on this machine: in worker processes, in threads, or in order where one worker is enough."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def _one_thread() -> None:
    # Workers run side by side: libraries that start a thread per core inside each would only fight for the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    import cv2

    cv2.setNumThreads(1)


def _nothing() -> None:
    """Prepare nothing: threads share what their process has set."""


class LocalExecutor:
    """Maps a picklable function over items in `workers` processes (0 = one per core), in order and lazily.

    At most `spare` more items than workers (default: as many again) are under way, so that memory stays flat however
    long the input is. prepare : called once in each worker before its first item, instead of the usual start.
    """

    def __init__(self, workers: int = 0, spare: int | None = None, prepare: Callable[[], None] | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._most = self._workers + (self._workers if spare is None else spare)
        self._prepare = prepare
        self._pool: Executor | None = None

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` for each item, in the order of the items; an item's error is raised in its turn."""
        # In this process: one worker alone would cost the start of a process and send every item and result through a
        # pipe, for nothing.
        if self._workers == 1:
            yield from map(function, items)
            return
        pool = self._started()
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                # Results in order and not as they come: a clip's spans are stored in order, so that the resume point is
                # one number. What waits is bounded, since results (pictures) are larger than items.
                if len(waiting) >= self._most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # The reader may stop early (Ctrl-C, an error): without this the pool works off what nobody will read before
            # it closes.
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Stop the workers; safe to call twice."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _started(self) -> Executor:
        if self._pool is None:
            self._pool = self._new_pool()
        return self._pool

    def _new_pool(self) -> Executor:
        # Not fork: a child gets the locks of torch's, OpenCV's and SQLite's threads without the threads that free them.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, mp_context=context, initializer=self._prepare or _one_thread)


class ThreadExecutor(LocalExecutor):
    """The same in threads: for work that waits for files or decoders, which let other threads run meanwhile."""

    def _new_pool(self) -> Executor:
        return ThreadPoolExecutor(self._workers, thread_name_prefix="emc", initializer=self._prepare or _nothing)
