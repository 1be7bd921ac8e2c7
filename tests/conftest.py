"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests are about the embedded estimator unless they name another, and never wait for a network.
os.environ.setdefault("EMC_PREDICT__ESTIMATOR", "nano")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data folder (EMC_SHARED, else ../shared/data beside the checkout); skips where it is missing."""
    folder = Path(os.environ.get("EMC_SHARED") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"shared data folder {folder} is missing (set EMC_SHARED to it)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
