"""How an estimator is called: device, calls at once, persons of a call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.engines.engine import compute_on
from emc.workflow.predict.calls import (
    compute_threads,
    concurrent_calls,
    decoders,
    persons_at_once,
    to_gpu,
)


def test_only_estimators_that_say_so_are_called_side_by_side() -> None:
    class Plain:
        pass

    class Several:
        concurrent_calls = True

    class Around:
        inner = Several()

    class Small(Several):
        persons_at_once = 4

    assert concurrent_calls(Plain(), 8) == 1  # pyright: ignore[reportArgumentType]
    assert concurrent_calls(Several(), 2) == 2  # pyright: ignore[reportArgumentType]
    assert concurrent_calls(Around(), 16) == 4  # pyright: ignore[reportArgumentType]
    assert concurrent_calls(Small(), 16) == 16  # pyright: ignore[reportArgumentType]
    assert [persons_at_once(one, 32) for one in (Plain(), Around(), Small())] == [32, 32, 4]  # pyright: ignore[reportArgumentType]
    assert persons_at_once(Small(), 2) == 2  # pyright: ignore[reportArgumentType]
    assert compute_threads(read_settings(None, EMBEDDED, predict={"threads": 3}).predict) == 3


def test_a_video_is_decoded_on_one_thread_where_few_cores_compute() -> None:
    assert [decoders(threads) for threads in (1, 2, 3, 16)] == [1, 1, 0, 0]


def test_networks_that_can_go_to_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    class Network:
        device = "cpu"

        def to(self, device: str) -> None:
            self.device = device

    class Following:
        follows_network = True

        def __init__(self) -> None:
            self.module = Network()

    class Staying(Following):
        follows_network = False

    for there in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        following, staying = Following(), Staying()
        assert to_gpu(following) is there  # pyright: ignore[reportArgumentType]
        assert to_gpu(staying) is False  # pyright: ignore[reportArgumentType]
        assert (following.module.device, staying.module.device) == ("cuda" if there else "cpu", "cpu")


def test_a_thread_that_waits_for_work_keeps_its_share_whatever_is_set_elsewhere() -> None:
    import torch

    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(1, initializer=compute_on, initargs=(1,)) as pool:
            pool.submit(int).result()
            torch.set_num_threads(3)
            assert pool.submit(torch.get_num_threads).result() == 1
    finally:
        torch.set_num_threads(before)
