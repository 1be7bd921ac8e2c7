from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from emc.cli.main import app
from emc.pose.records import Clip, Edit, JointChange, Provenance, Role, Visibility
from emc.workflow.project import new_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with new_project(tmp_path / "kick") as store:
        store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 10, 640, 480))
        store.finish_run(store.start_run("kick", "nano", "coco17", {}).id)
        for author, x in (("ana", 100.0), ("bo", 103.0)):
            change = JointChange(1, 0, 5, x, 200.0, Visibility.VISIBLE, Provenance.HUMAN)
            store.append_edit(Edit("kick", "place", (change,), author))
        return store.folder


def run(project: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--project", str(project)])


def document(project: Path, *words: str) -> dict:
    return json.loads(run(project, *words, "--json").stdout)


def test_members_are_added_listed_assigned_and_revoked(project: Path) -> None:
    assert "emc members add" in run(project, "members").output
    added = document(project, "members", "add", "ana", "--role", "reviewer")
    assert (added["name"], added["role"], len(added["token"])) == ("ana", "reviewer", 43)
    assert document(project, "assign", "kick", "ana") == {"assigned": {"kick": ["ana"]}}
    (row,) = document(project, "members")["members"]
    assert (row["name"], row["role"], row["clips"], row["revoked"]) == ("ana", "reviewer", ["kick"], None)
    assert document(project, "members", "revoke", "ana")["revoked"]
    assert "revoked" in run(project, "members").stdout


def test_a_role_that_is_none_is_one_line(project: Path) -> None:
    failed = run(project, "members", "add", "ana", "--role", "emperor")
    assert failed.exit_code == 2
    assert "use one of annotator, reviewer, owner" in failed.output


def test_a_run_is_reviewed(project: Path) -> None:
    assert "kick  open" in run(project, "review", "kick").stdout
    assert document(project, "review", "kick", "--back", "left knee")["review"]["state"] == "sent back"
    assert "left knee" in run(project, "review", "kick").stdout
    assert "choose one" in run(project, "review", "kick", "--done", "--checked").output


def test_agreement_is_told_by_joint(project: Path) -> None:
    told = document(project, "agreement", "kick", "ana", "bo")
    assert [(row["joint"], row["median"]) for row in told["joints"]] == [("left_shoulder", 3.0)]
    assert "left_shoulder" in run(project, "agreement", "kick", "ana", "bo").stdout
    beside = run(project, "agreement", "kick", "ana", "cy", "--beside", str(project))
    assert "cy decided no joint" in beside.output
