from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from emc.executors.local import LocalExecutor, ThreadExecutor


def square(number: int) -> int:
    return number * number


def fail_on_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


@pytest.mark.parametrize("kind", [LocalExecutor, ThreadExecutor])
@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int, kind: type[LocalExecutor]) -> None:
    executor = kind(workers)
    try:
        assert list(executor.map(square, range(7))) == [0, 1, 4, 9, 16, 25, 36]
    finally:
        executor.close()
        executor.close()


def test_an_error_is_raised_in_its_turn() -> None:
    executor = LocalExecutor(2)
    try:
        results = executor.map(fail_on_three, range(6))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="three"):
            next(results)
    finally:
        executor.close()


def test_items_are_taken_lazily() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    executor = LocalExecutor(2)
    try:
        assert next(executor.map(square, items())) == 0
        assert len(taken) <= 5
    finally:
        executor.close()


def test_threads_run_side_by_side_in_this_process() -> None:
    barrier = threading.Barrier(2, timeout=30)

    def meet(number: int) -> int:
        barrier.wait()
        return number

    executor = ThreadExecutor(2)
    try:
        assert list(executor.map(meet, range(4))) == [0, 1, 2, 3]
    finally:
        executor.close()
