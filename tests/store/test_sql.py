"""Making, opening and closing a project."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from emc.errors import ProjectError, StorageError
from emc.interfaces import Store
from emc.store import SqlStore
from emc.store.sql import DATABASE
from emc.store.trust.head import HEAD


def test_a_new_project(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "träin %41 #1?.emc"
    with SqlStore.create(folder) as store:
        contract: Store = store
        assert contract.folder == folder
        assert store.clips() == store.runs() == store.edits() == []
        assert store.check() == []
    assert sorted(file.name for file in folder.iterdir()) == [HEAD, DATABASE]
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


def test_an_empty_folder_can_become_a_project_and_no_other(project: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    SqlStore.create(tmp_path / "empty").close()
    (tmp_path / "file").write_text("x")
    for taken in (project, tmp_path, tmp_path / "file"):
        with pytest.raises(ProjectError, match=f"{taken} exists already: open it, or choose another folder"):
            SqlStore.create(taken)
    with SqlStore.open(project) as store:
        assert [clip.id for clip in store.clips()] == ["kick"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot create the project .*: choose another place"):
        SqlStore.create(tmp_path / "file" / "a.emc")


def test_a_relative_folder_outlives_a_change_of_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    store = SqlStore.open(Path("kick.emc"))
    monkeypatch.chdir("/")
    assert store.folder == project
    assert len(store.clips()) == 1
    store.close()


@pytest.mark.parametrize("missing", ["no folder", "empty folder", "a file", "empty database"])
def test_what_is_no_project_is_named(tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "a.emc"
    if missing in ("empty folder", "empty database"):
        folder.mkdir()
    if missing == "a file":
        folder.write_text("x")
    if missing == "empty database":
        (folder / DATABASE).touch()
    expected = "there is no project" if missing == "no folder" else "is not a project"
    with pytest.raises(ProjectError, match=expected) as caught:
        SqlStore.open(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_database_of_another_program_is_no_project(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(ProjectError, match="is not a project"):
        SqlStore.open(tmp_path)


@pytest.mark.parametrize("harm", ["no database at all", "cut in half", "header overwritten"])
def test_a_damaged_file_is_named(project: Path, harm: str) -> None:
    file = project / DATABASE
    content = file.read_bytes()
    harmed = {
        "no database at all": b"what a day" * 1000,
        "cut in half": content[: len(content) // 2],
        "header overwritten": b"\xff" * 4096 + content[4096:],
    }
    file.write_bytes(harmed[harm])
    with pytest.raises(ProjectError, match=f"the database in {project} is damaged") as caught:
        SqlStore.open(project)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == harmed[harm], "a damaged file is left as it is"


def test_check_finds_damage_inside(project: Path, predicted) -> None:
    with SqlStore.open(project) as store:
        run = store.start_run("kick", "nano", "tiny", {}).id
        store.write_predictions(run, [predicted(frame) for frame in range(100)])
        assert store.check() == []
    file = project / DATABASE
    content = bytearray(file.read_bytes())
    content[-8192:-8000] = b"\xff" * 192
    file.write_bytes(content)
    with SqlStore.open(project) as store:
        assert store.check() != []


def test_closing(project: Path) -> None:
    store = SqlStore.open(project)
    store.close()
    store.close()
    with pytest.raises(ProjectError, match="is closed: open it again"):
        store.clips()
    assert sorted(file.name for file in project.iterdir()) == [HEAD, DATABASE]


def test_a_project_can_be_moved(project: Path, tmp_path: Path, drag) -> None:
    with SqlStore.open(project) as store:
        store.append_edit(drag(1))
    moved = shutil.move(project, tmp_path / "moved.emc")
    with SqlStore.open(Path(moved)) as store:
        assert len(store.edits()) == 1


def test_several_threads_append_at_once(store: SqlStore, drag) -> None:
    def work(thread: int) -> None:
        for frame in range(10):
            store.append_edit(drag(frame, joint=thread))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    edits = store.edits()
    assert [edit.id for edit in edits] == list(range(1, 41))
    assert {(edit.changes[0].frame, edit.changes[0].joint) for edit in edits} == {
        (frame, joint) for frame in range(10) for joint in range(4)
    }


def test_importing_the_package_does_not_import_the_database_library() -> None:
    code = "import sys, emc.store, emc.store.media; print([m for m in ('sqlalchemy', 'alembic') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_opening_does_not_import_the_migration_library(project: Path) -> None:
    code = (
        "import sys, pathlib; from emc.store import SqlStore; SqlStore.open(pathlib.Path(sys.argv[1])).close(); "
        "print('alembic' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code, str(project)], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
