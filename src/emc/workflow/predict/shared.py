"""What those who work on a clip at the same time share: the word to stop, and the cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Halted(Exception):
    """Work in another thread was told to stop; nobody waits for it."""


class Shared:
    """Tells work in other threads to stop soon, and lets no more networks compute at once than there are cores.

    Finding and predicting persons each keep all cores busy by calls of their own. Side by side without a bound, twice
    as many calls hold their activations, and none of them is done sooner. calls : at once at most, 0 = any number. In
    another process nothing is shared.
    """

    def __init__(self, calls: int = 0) -> None:
        self._halted = False
        self._free = threading.Semaphore(calls) if calls else None

    def halt(self) -> None:
        """Ask for the stop."""
        self._halted = True

    def check(self) -> None:
        """Raise `Halted` where the stop was asked for."""
        if self._halted:
            raise Halted

    def bounded(self, function: Callable[[T], R]) -> Callable[[T], R]:
        """Return the function, whose calls wait until a core is free."""
        free = self._free
        if free is None:
            return function

        def wait_and_call(item: T) -> R:
            with free:
                return function(item)

        return wait_and_call

    def __getstate__(self) -> dict[str, Any]:
        return {"_halted": self._halted, "_free": None}


@contextmanager
def halting(shared: Shared) -> Iterator[None]:
    """Ask for a halt when the block is left, by whatever way."""
    try:
        yield
    finally:
        shared.halt()
