"""A predicted project of one short rendered clip, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from emc.config import read_settings
from emc.server.app import create_app
from emc.workflow.clips import add_clips
from emc.workflow.predict import predict_clips
from emc.workflow.project import new_project
from emc.workflow.rendered import ClipOrder, render_file

TOKEN = "a-token-for-tests-only"


@pytest.fixture(scope="session")
def predicted_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editor")
    files = render_file(ClipOrder("front_kick", 7, 10, folder=str(folder / "media")))
    with new_project(folder / "kick") as store:
        added = add_clips(store, [files.video])
        predict_clips(store, added.clips, read_settings(None, {}))
        return store.folder


@pytest.fixture
def project(predicted_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(predicted_project, tmp_path / "kick.emc"))


@pytest.fixture
def client(project: Path) -> Iterator[TestClient]:
    with opened(project) as opened_client:
        yield opened_client


def opened(project: Path) -> TestClient:
    """Return a client of a freshly started server, with the cookie that the page would have."""
    app = create_app(project, TOKEN, author="ana")
    client = TestClient(app, base_url="http://127.0.0.1:8731", headers={"origin": "http://127.0.0.1:8731"})
    client.cookies.set(app.state.access.cookie, TOKEN)
    return client
