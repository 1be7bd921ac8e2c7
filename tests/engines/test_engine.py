"""How many cores an engine may use."""

from __future__ import annotations

import sys
import threading

import pytest

from emc.engines.engine import compute_on, compute_threads


def test_threads_are_what_pytorch_was_told() -> None:
    import torch

    assert compute_threads() == torch.get_num_threads()


@pytest.mark.parametrize(("told", "threads"), [("3", 3), ("0", None), ("many", None)])
def test_without_pytorch_threads_are_what_the_environment_says(
    told: str, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert compute_threads() == (threads or os.cpu_count() or 1)


def test_a_thread_keeps_to_its_share_with_pytorch_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    seen: list[int] = []

    def work() -> None:
        compute_on(2)
        seen.append(compute_threads())

    for loaded in (True, False):
        if not loaded:
            monkeypatch.delitem(sys.modules, "torch", raising=False)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [2, 2]
    assert compute_threads() == 4
