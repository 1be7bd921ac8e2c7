"""How work is cut into calls, with an engine and without."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch

from emc.engines import EngineUser


class Engine:
    """Stands for an engine that wants four crops at a time; it is not called here."""

    persons_at_once = 4

    def __call__(self, crops: object) -> object:
        raise AssertionError


def calls_of(user: EngineUser, count: int, batch: int) -> list[list[int]]:
    made: list[list[int]] = []
    lock = threading.Lock()

    def call(part: Sequence[int]) -> list[int]:
        with lock:
            made.append(list(part))
        return [10 * one for one in part]

    assert user.in_calls(call, list(range(count)), batch) == [10 * n for n in range(count)]
    return sorted(made)


def test_without_an_engine_there_are_large_calls() -> None:
    assert EngineUser().persons_at_once is None
    assert calls_of(EngineUser(), 7, 5) == [[0, 1, 2, 3, 4], [5, 6]]
    assert calls_of(EngineUser(), 0, 5) == []


def test_an_engine_gets_small_ones_on_every_core_and_threads_stay_as_they_were() -> None:
    user = EngineUser()
    user.forward = Engine()
    assert calls_of(user, 6, 64) == [[0, 1, 2, 3], [4, 5]]
    torch.set_num_threads(3)
    try:
        assert calls_of(user, 7, 64) == [[0, 1, 2], [3, 4, 5], [6]]
        assert calls_of(user, 20, 64) == [[n, n + 1, n + 2, n + 3] for n in range(0, 20, 4)]
        assert torch.get_num_threads() == 3
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert seen == [3]
    finally:
        torch.set_num_threads(1)
