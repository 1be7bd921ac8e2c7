"""An executor: where independent pieces of work run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    pass

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Runs a function over items: in order, lazily, the function and items picklable."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` for each item, in the order of the items."""
        ...

    def close(self) -> None:
        """Release workers; safe to call twice."""
        ...
