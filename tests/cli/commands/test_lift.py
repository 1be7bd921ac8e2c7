from __future__ import annotations

import json

import pytest
from tests.kicks import FRAMES, correct_wrist, kick_project
from typer.testing import CliRunner

from emc.cli.main import app


@pytest.fixture
def project(tmp_path):
    kick_project(tmp_path / "kick.emc").close()
    return tmp_path / "kick.emc"


def emc(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_lift_says_what_corrections_changed(project):
    from emc.workflow.project.folder import open_project

    assert emc("lift", "--project", project).exit_code == 0
    with open_project(project) as store:
        correct_wrist(store)
    done = emc("lift", "--project", project, "--compare", "last")
    assert done.exit_code == 0, done.output
    assert "frames moved, mean" in done.output
    assert "degrees on average" in done.output


def test_motion_is_exported_by_name(project, tmp_path):
    emc("lift", "--project", project)
    done = emc("export", "trc", "--project", project, "--clip", "kick", "--out", tmp_path / "kick.trc", "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["files"] == [str(tmp_path / "kick.trc")]
    assert document["frames"] == FRAMES
    assert (tmp_path / "kick.trc").read_text().startswith("PathFileType\t4\t(X/Y/Z)\tkick.trc\n")


def test_refinements_are_chosen_by_a_setting(project):
    done = emc("lift", "--project", project, "--set", 'lift.refine=["bones"]', "--json")
    assert done.exit_code == 0, done.output
    wrong = emc("lift", "--project", project, "--set", 'lift.refine=["magic"]')
    assert wrong.exit_code == 2
    assert "lift.refine" in wrong.output


def test_motion_that_is_not_lifted_yet_says_what_to_run(project, tmp_path):
    done = emc("export", "bvh", "--project", project, "--out", tmp_path / "kick.bvh")
    assert done.exit_code == 2
    assert "run `emc lift --clip kick` first" in done.output
