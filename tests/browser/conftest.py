"""A real Chromium for the tests that look at pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, sync_playwright


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A Chromium of the system where there is one, else Playwright's own; skips where there is neither."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    # As root (containers) Chromium refuses to start inside its own sandbox.
    args = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=args)
        except Error as error:
            pytest.skip(f"no Chromium can be started ({str(error).splitlines()[0]}): run `playwright install chromium`")
        yield browser
        browser.close()
