"""Work before and behind the main thread: items are taken ahead of their reader, results are put away behind it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


def _one(_: object) -> float:
    return 1.0


class Prefetch(Generic[T]):
    """An iterator whose items a thread of its own takes ahead of the reader; use it as a context manager.

    room : how much may wait to be read, as the sum of what `weigh` says of each item (default: 1 each). One item is
    always taken, however heavy; then the thread waits until there is room again. What `items` raises is raised in its
    turn. Leaving the context stops the thread and closes `items` where it is a generator.
    """

    def __init__(self, items: Iterable[T], room: float, weigh: Callable[[T], float] = _one) -> None:
        self._items, self._room, self._weigh = items, room, weigh
        self._waiting: deque[tuple[T, float]] = deque()
        self._weight = 0.0
        self._change = threading.Condition()
        self._stopped = self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._take_all, name="emc-prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._change:
            while not (self._waiting or self._ended):
                self._change.wait()
            if self._waiting:
                item, weight = self._waiting.popleft()
                self._weight -= weight
                self._change.notify_all()
                return item
        if self._error is not None:
            raise self._error
        raise StopIteration

    def close(self) -> None:
        """Stop taking items and wait for the thread to end; safe to call twice."""
        with self._change:
            self._stopped = True
            self._waiting.clear()
            self._change.notify_all()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_all(self) -> None:
        items = iter(self._items)
        try:
            for item in items:
                if not self._put(item):
                    break
                # The reader decides how long an item lives; this thread waits for the next one without holding it.
                del item
        except BaseException as error:  # noqa: BLE001 - raised again in the reader's thread
            self._error = error
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
            with self._change:
                self._ended = True
                self._change.notify_all()

    def _put(self, item: T) -> bool:
        weight = self._weigh(item)
        with self._change:
            while self._waiting and self._weight + weight > self._room and not self._stopped:
                self._change.wait()
            if self._stopped:
                return False
            self._waiting.append((item, weight))
            self._weight += weight
            self._change.notify_all()
            return True


class WriteBehind(Generic[T]):
    """Hands items to a function in a thread of its own, in order; use it as a context manager.

    room : how many items may wait; `put` waits for room. What the function raises is raised by the next `put`, or when
    the context is left; items that came after it are dropped. Leaving the context waits until every item is done, also
    where the context is left by an error: what was handed over is finished.
    """

    def __init__(self, function: Callable[[T], object], room: int) -> None:
        self._function, self._room = function, room
        self._waiting: deque[T] = deque()
        self._change = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="emc-write-behind", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand an item over."""
        with self._change:
            while len(self._waiting) >= self._room and self._error is None:
                self._change.wait()
            if self._error is not None:
                raise self._error
            self._waiting.append(item)
            self._change.notify_all()

    def close(self) -> None:
        """Wait until every item is done; raises what the function raised."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        with self._change:
            self._closed = True
            self._change.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._change:
                while not (self._waiting or self._closed):
                    self._change.wait()
                if not self._waiting:
                    return
                item = self._waiting.popleft()
                self._change.notify_all()
            try:
                self._function(item)
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that hands over
                with self._change:
                    self._error = error
                    self._waiting.clear()
                    self._change.notify_all()
                return
