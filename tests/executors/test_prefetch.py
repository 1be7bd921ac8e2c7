from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from emc.executors.prefetch import Prefetch, WriteBehind


def until(condition: threading.Event) -> None:
    assert condition.wait(30)


def test_items_come_in_order() -> None:
    with Prefetch(range(50), room=3) as items:
        assert list(items) == list(range(50))


def test_no_more_is_taken_than_there_is_room_for() -> None:
    taken: list[int] = []
    full = threading.Event()

    def items() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            if number == 3:
                full.set()
            yield number

    # Each item weighs 2: two of them fit into a room of 5, a third is held by the thread that waits.
    with Prefetch(items(), room=5, weigh=lambda _: 2.0) as ahead:
        assert next(ahead) == 0
        until(full)
        assert taken == [0, 1, 2, 3]
        assert list(ahead) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_an_item_heavier_than_the_room_still_comes() -> None:
    with Prefetch([1, 2, 3], room=0.5) as items:
        assert list(items) == [1, 2, 3]


def test_an_error_comes_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("second")

    with Prefetch(items(), room=9) as ahead:
        assert next(ahead) == 1
        with pytest.raises(ValueError, match="second"):
            next(ahead)


def test_leaving_stops_the_thread_and_closes_the_items() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    with Prefetch(items(), room=2) as ahead:
        assert next(ahead) == 1
    assert closed.is_set()


def test_what_is_handed_over_is_done_in_order() -> None:
    done: list[int] = []
    with WriteBehind(done.append, room=2) as behind:
        for number in range(20):
            behind.put(number)
    assert done == list(range(20))


def test_handing_over_waits_for_room() -> None:
    let_go, started = threading.Event(), threading.Event()

    def slow(_: int) -> None:
        started.set()
        until(let_go)

    with WriteBehind(slow, room=1) as behind:
        behind.put(0)
        until(started)
        behind.put(1)
        third = threading.Thread(target=behind.put, args=(2,))
        third.start()
        third.join(0.05)
        assert third.is_alive()
        let_go.set()
        third.join(30)
        assert not third.is_alive()


def test_the_functions_error_is_raised_here() -> None:
    failed = threading.Event()

    def fail(number: int) -> None:
        failed.set()
        raise OSError(f"disk full at {number}")

    with pytest.raises(OSError, match="disk full at 0"), WriteBehind(fail, room=1) as behind:
        behind.put(0)
        until(failed)
        for number in range(1, 4):
            behind.put(number)


def test_an_error_in_the_block_does_not_lose_what_was_handed_over() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt), WriteBehind(done.append, room=9) as behind:
        behind.put(1)
        behind.put(2)
        raise KeyboardInterrupt
    assert done == [1, 2]
