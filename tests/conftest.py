"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests are about the embedded models unless they name others, and never wait for a network.
os.environ.setdefault("EMC_PREDICT__ESTIMATOR", "nano")
os.environ.setdefault("EMC_PREDICT__DETECTOR", "embedded")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# As where the environment is activated: messages name commands as they are typed.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
# Nothing that tests export or check is kept for others.
os.environ.setdefault("EMC_GRAPHS", str(Path(tempfile.gettempdir()) / "emc-test-graphs"))


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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A Chromium of the system where there is one, else Playwright's own; skips where there is neither."""
    from playwright.sync_api import Error, expect, sync_playwright

    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    # As root (containers) Chromium refuses to start inside its own sandbox.
    expect.set_options(timeout=20_000)  # A loaded machine is slow, not wrong.
    args = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=args)
        except Error as error:
            pytest.skip(f"no Chromium can be started ({str(error).splitlines()[0]}): run `playwright install chromium`")
        yield browser
        browser.close()
