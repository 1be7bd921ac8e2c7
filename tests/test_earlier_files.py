"""Files in `tests/earlier`, written by the version before the renames, open: a project and a study.

What the same code read from them then is spelled out here; small settings files, models and ladders: test_old_names.py.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from emc.pose.records import Provenance
from emc.store import SqlStore
from emc.study.roster import Study
from emc.workflow.calibration import newest_calibration

EARLIER = Path(__file__).parent / "earlier"
NOW = "rotation8z3-nano-3ec4ea706b3b"


@pytest.fixture
def project(tmp_path: Path) -> SqlStore:
    folder = tmp_path / "p.emc"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "project.sqlite")) as database:
        database.executescript((EARLIER / "project.sql").read_text(encoding="utf-8"))
    return SqlStore.open(folder)


def test_a_project_has_its_runs_predictions_and_alerts(project: SqlStore) -> None:
    assert [run.model for run in project.runs("kick")] == [NOW, "nano-3ec4ea706b3b"]
    run = project.current_run("kick", NOW)
    assert run is not None and run.complete
    # What `emc predict` compares to find that the same prediction is there already.
    asked = {"detector": "embedded", "frames": "every:1:0", "max_persons": 6, "min_box_score": 0.3}
    assert run.settings == asked
    first = next(iter(project.predictions(run.id)))
    assert first.xy[16].tolist() == [33.0, 26.0]
    np.testing.assert_allclose(first.score, np.linspace(0.1, 0.9, 17), atol=1e-6)
    assert first.box.tolist() == [0, 0, 40, 40]
    alert = next(iter(project.alerts(run.id)))
    assert (alert.joint, alert.first, alert.last, str(alert.reason)) == (9, 0, 1, "low_confidence")


def test_a_project_has_its_corrections_and_takes_new_ones(project: SqlStore) -> None:
    corrected = list(project.poses("kick"))[1]
    assert corrected.xy[9].tolist() == [12.5, 20.25]
    assert corrected.provenance[9] == Provenance.HUMAN
    edit = project.edits("kick")[0]
    assert (edit.kind, edit.author, edit.seconds) == ("drag", "ana", 1.5)
    again = project.append_edit(type(edit)("kick", "drag", edit.changes, author="ana"))
    assert again.id == 2


def test_a_project_has_its_calibration(project: SqlStore) -> None:
    found = newest_calibration(project)
    assert found is not None
    assert found.ladder["rotations"] == {"taken": 8, "tried": 8, "zooms": 3, "why": "they help"}


def test_a_study_has_its_people_and_goes_on_where_they_were(tmp_path: Path) -> None:
    shutil.copytree(EARLIER / "study", tmp_path / "small.study")
    study = Study(tmp_path / "small.study")
    done, begun = study.sessions()
    assert done.step.kind == "done"
    assert begun.step.kind == "training" and begun.state.begun
    assert begun.task is not None and begun.task.clip == "practice"
    assert (done.simulated, begun.simulated) == (True, False)
