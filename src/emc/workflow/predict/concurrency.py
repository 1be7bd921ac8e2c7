"""Cooperative cancellation, and a limit on the networks that compute at the same time, for threads on one clip."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Cancelled(Exception):
    """Work in another thread was cancelled; its result is not needed."""


class ConcurrencyControl:
    """Cancels work in other threads, and limits how many networks compute at the same time.

    Finding and predicting persons each keep all cores busy by calls of their own. Side by side without a bound, twice
    as many calls hold their activations, and none of them is done sooner. calls : at once at most, 0 = any number. In
    another process nothing is shared.
    """

    def __init__(self, calls: int = 0) -> None:
        self._cancelled = False
        self._free = threading.Semaphore(calls) if calls else None

    def cancel(self) -> None:
        """Request cancellation."""
        self._cancelled = True

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` where cancellation was requested."""
        if self._cancelled:
            raise Cancelled

    def limited(self, function: Callable[[T], R]) -> Callable[[T], R]:
        """Return the function with calls that wait until a core is free."""
        free = self._free
        if free is None:
            return function

        def wait_and_call(item: T) -> R:
            with free:
                return function(item)

        return wait_and_call

    def __getstate__(self) -> dict[str, Any]:
        return {"_cancelled": self._cancelled, "_free": None}


@contextmanager
def cancelling(control: ConcurrencyControl) -> Iterator[None]:
    """Request cancellation when the block is left, also by an exception."""
    try:
        yield
    finally:
        control.cancel()
