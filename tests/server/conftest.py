"""A predicted project of one short rendered clip, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.embedded_models import EMBEDDED
from tests.server.opening import opened

from emc.config import read_settings
from emc.workflow.predict.runs import predict_clips
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project
from emc.workflow.samples.rendered import ClipRequest, render_file


@pytest.fixture(scope="session")
def predicted_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editor")
    files = render_file(ClipRequest("front_kick", 7, 10, folder=str(folder / "media")))
    with new_project(folder / "kick") as store:
        added = add_clips(store, [files.video])
        # The labels' boxes: these tests are about the editor, whatever the detector of the day finds.
        predict_clips(store, added.clips, read_settings(None, EMBEDDED), boxes_file=files.labels)
        return store.folder


@pytest.fixture
def project(predicted_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(predicted_project, tmp_path / "kick.emc"))


@pytest.fixture
def client(project: Path) -> Iterator[TestClient]:
    with opened(project) as found:
        yield found
