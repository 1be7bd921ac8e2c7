"""A local Ray cluster: starting it takes some 15 s."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from emc.errors import InputError
from emc.executors.ray_cluster import RayExecutor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[ModuleType]:
    ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    # A busy machine takes longer than Ray's 30 s to start.
    os.environ["RAY_raylet_start_wait_time_s"] = "240"  # noqa: SIM112 (Ray spells it so)
    # The workers do not have the tests' folder on their path.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


def square(number: int) -> int:
    return number * number


def refuse_three(number: int) -> int:
    if number == 3:
        raise InputError("clip three is damaged: copy it again")
    return number


class DiesOnce:
    """Kills its own process at one item, the first time that any process meets it."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __call__(self, number: int) -> tuple[int, int]:
        if number == 5 and not self._mark.exists():
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number, os.getpid()


def test_results_come_in_the_order_of_the_items(cluster: ModuleType) -> None:
    assert list(RayExecutor(2).map(square, range(23))) == [n * n for n in range(23)]


def test_items_are_taken_lazily(cluster: ModuleType) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(200):
            taken.append(number)
            yield number

    results = RayExecutor(2).map(square, items())
    assert next(results) == 0
    assert len(taken) <= 9
    results.close()  # pyright: ignore[reportAttributeAccessIssue]


def test_an_error_keeps_its_kind_and_its_one_line(cluster: ModuleType) -> None:
    results = RayExecutor(1).map(refuse_three, range(6))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError) as raised:
        next(results)
    assert str(raised.value) == "clip three is damaged: copy it again"


def test_a_killed_worker_loses_nothing(cluster: ModuleType, tmp_path: Path) -> None:
    found = list(RayExecutor(2).map(DiesOnce(tmp_path / "died"), range(20)))
    assert (tmp_path / "died").exists()
    assert [number for number, _ in found] == list(range(20))
    assert len({process for _, process in found}) >= 2


def test_a_cluster_that_was_there_before_is_left_running(cluster: ModuleType) -> None:
    executor = RayExecutor(1)
    executor.close()
    executor.close()
    assert cluster.is_initialized()
