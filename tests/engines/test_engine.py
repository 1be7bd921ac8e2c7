"""How many cores an engine may use."""

from __future__ import annotations

import sys

import pytest

from emc.engines.engine import compute_threads


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
