"""A small project with rendered clips, and the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emc.cli.main import app
from emc.workflow.project.folder import open_project
from emc.workflow.samples.rendered import ClipFiles, ClipRequest, render_file

Cli = Callable[..., Result]


@pytest.fixture
def cli() -> Cli:
    """Run `emc` with the given words; stdout and stderr are kept apart."""
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[ClipFiles]:
    """Three short rendered clips: two kicks and a walk."""
    folder = str(tmp_path_factory.mktemp("clips"))
    plan = (("front_kick", 1), ("side_kick", 2), ("walk", 3))
    size = (160, 160)
    return [render_file(ClipRequest(motion, seed, 8, seconds=1.2, size=size, folder=folder)) for motion, seed in plan]


@pytest.fixture
def project(tmp_path: Path, rendered: list[ClipFiles], cli: Cli) -> Path:
    """A project with one rendered kick and its labels imported."""
    folder = tmp_path / "p.emc"
    assert cli("new", tmp_path / "p").exit_code == 0
    assert cli("add", rendered[0].video, "--project", folder).exit_code == 0
    assert cli("import", "coco", rendered[0].labels, "--project", folder).exit_code == 0
    return folder


def contents(folder: Path) -> dict[str, Any]:
    """Return everything that a project holds, to see that nothing changed."""
    with open_project(folder) as store:
        clips = [repr((c.id, c.path, c.role, c.group, dict(c.tags), c.sha256)) for c in store.clips()]
        edits = [repr(edit) for edit in store.edits()]
        runs = [repr(run) for run in store.runs()]
        kinds = ("boxes", "label_extras", "calibration", "lifted")
        documents = {f"{k}/{n}": json.dumps(store.document(k, n)) for k in kinds for n in store.documents(k)}
    return {"clips": clips, "edits": edits, "runs": runs, "documents": documents}
