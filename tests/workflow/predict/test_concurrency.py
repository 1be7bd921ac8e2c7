from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from emc.workflow.predict.concurrency import Cancelled, ConcurrencyControl, cancelling


class Crowd:
    """Counts how many calls are inside at once; each waits until `room` are, or a while."""

    def __init__(self, room: int) -> None:
        self.inside = self.most = 0
        self._room = room
        self._change = threading.Condition()

    def __call__(self, item: int) -> int:
        with self._change:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self._change.notify_all()
            self._change.wait_for(lambda: self.most >= self._room, timeout=2)
            self.inside -= 1
        return item


@pytest.mark.parametrize(("calls", "most"), [(2, 2), (0, 4)])
def test_no_more_calls_at_once_than_there_are_cores_whoever_makes_them(calls: int, most: int) -> None:
    crowd, control = Crowd(most), ConcurrencyControl(calls)
    with ThreadPoolExecutor(2) as finding, ThreadPoolExecutor(2) as predicting:
        found = finding.map(control.limited(crowd), range(6))
        predicted = predicting.map(control.limited(crowd), range(6, 12))
        assert [*found, *predicted] == list(range(12))
    assert crowd.most == most


def test_a_core_is_free_again_after_an_error() -> None:
    control = ConcurrencyControl(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            control.limited(lambda n: 1 // n)(0)


def test_leaving_halts_and_nothing_is_shared_with_another_process() -> None:
    control = ConcurrencyControl(1)
    control.raise_if_cancelled()
    with pytest.raises(KeyError), cancelling(control):
        raise KeyError
    with pytest.raises(Cancelled):
        control.raise_if_cancelled()
    other = pickle.loads(pickle.dumps(control))
    with pytest.raises(Cancelled):
        other.raise_if_cancelled()
    inner = other.limited(abs)
    assert inner is abs
