"""`emc verify` and `emc recover` on a project that lost a part of its journal."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emc.cli.main import app
from emc.pose.records import Clip, Edit, JointChange, Provenance, Role, Visibility
from emc.store import SqlStore


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "kick.emc"
    with SqlStore.create(folder) as store:
        store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
        for frame in range(80):
            change = JointChange(frame, 0, 0, 7.0, 8.0, Visibility.VISIBLE, Provenance.HUMAN)
            store.append_edit(Edit("kick", "drag", (change,), "ana", 1.5))
    return folder


def run(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_a_whole_project(project: Path) -> None:
    code, out, err = run("verify", "-p", project)
    assert code == 0
    assert "80 edits are as they were acknowledged; the database is whole" in out
    assert err == ""
    assert "snapshot 20" in out


def test_a_loss_is_warned_of_named_and_taken_note_of(project: Path) -> None:
    with closing(sqlite3.connect(project / "project.sqlite")) as opened, opened:
        for table in ("edit", "edit_change"):
            opened.execute(f"DROP TRIGGER {table}_no_delete")
        opened.execute("DELETE FROM edit_change WHERE edit BETWEEN 30 AND 40")
    for snapshot in (project / "snapshots").iterdir():
        snapshot.unlink()
    code, out, err = run("verify", "--json", "-p", project)
    document = json.loads(out)
    assert (code, document["ok"], document["edits"]) == (1, False, 69)
    assert [fault.split(" of ")[0] for fault in document["faults"]] == ["edits 30 to 40"]
    assert err == ""
    code, out, err = run("recover", "--json", "-p", project)
    document = json.loads(out)
    assert (code, document["edits"]) == (0, 69)
    assert [(loss["first"], loss["last"]) for loss in document["lost"]] == [(30, 40)]
    code, out, _ = run("verify", "-p", project)
    assert code == 0
    assert "given up earlier: edits 30 to 40 of " in out


def test_other_commands_warn_in_one_line(project: Path) -> None:
    with closing(sqlite3.connect(project / "project.sqlite")) as opened, opened:
        for table in ("edit", "edit_change"):
            opened.execute(f"DROP TRIGGER {table}_no_delete")
        opened.execute("DELETE FROM edit_change WHERE edit = 79")
    code, _, err = run("status", "-p", project)
    assert code == 0
    (line,) = err.strip().splitlines()
    assert line.startswith(f"emc: warning: the journal of {project} is not whole: edit 79 of 20")
    assert line.endswith("`emc recover` brings back what there is, until then no edit is taken")


def test_a_snapshot_put_back(project: Path) -> None:
    (project / "project.sqlite").write_bytes(b"\0" * 8192)
    code, _, err = run("status", "-p", project)
    assert (code, len(err.splitlines())) == (1, 1)
    code, out, _ = run("recover", "-p", project)
    assert code == 0
    assert "recovered 80 edits, 80 of them from a snapshot" in out
    assert run("verify", "-p", project)[0] == 0


def test_a_project_that_is_not_there(tmp_path: Path) -> None:
    for command in ("verify", "recover"):
        code, _, err = run(command, "-p", tmp_path / "no.emc")
        assert (code, len(err.splitlines())) == (1, 1)
        assert err.startswith("emc: no project at")
