"""The editor on a real server and a real project, in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.browser.editor_page import served, show
from tests.embedded_models import EMBEDDED


@pytest.fixture(scope="session")
def predicted_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one rendered kick, predicted, with enough flags to walk through."""
    from emc.config import read_settings
    from emc.workflow.predict.runs import predict_clips
    from emc.workflow.project.clips import add_clips
    from emc.workflow.project.folder import new_project
    from emc.workflow.samples.rendered import ClipRequest, render_file

    folder = tmp_path_factory.mktemp("editor")
    files = render_file(ClipRequest("front_kick", 7, 12, folder=str(folder / "media")))
    with new_project(folder / "kick") as store:
        added = add_clips(store, [files.video])
        settings = read_settings(None, EMBEDDED, alerts={"low": 0.9})
        predict_clips(store, added.clips, settings, boxes_file=files.labels)
        return store.folder


@pytest.fixture
def project(predicted_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(predicted_project, tmp_path / "kick.emc"))


@pytest.fixture
def address(project: Path) -> Iterator[str]:
    with served(project) as address:
        yield address


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1366, "height": 768})
    yield made
    made.close()


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def page(context: BrowserContext, address: str, errors: list[str]) -> Iterator[Page]:
    opened = show(context, address, errors)
    yield opened
    assert errors == []
    opened.close()  # The server need not wait for its stream of events.
