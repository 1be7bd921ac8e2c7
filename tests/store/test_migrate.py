"""Older, newer and half-migrated projects."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from emc.errors import ProjectError, StorageError
from emc.store.database import Database, sqlite_url
from emc.store.migrate import create_schema
from emc.store.schema import REVISIONS
from emc.store.sql import DATABASE, SqlStore

FIRST_VERSION_ROWS = (
    "INSERT INTO clip VALUES (1, 'kick', '/m/kick.mp4', 'target', 'ana', 100, 640, 480, 'video', 25.0, '', '{}', "
    "NULL, 1, '2026-01-01T00:00:00+00:00', NULL)",
    "INSERT INTO edit (id, clip, kind, author, seconds, undoes, created) VALUES (1, 1, 'drag', 'ana', 1.5, 0, '2026')",
    "INSERT INTO edit_change VALUES (1, 3, 1, 0, 0, 0, 7.0, 8.0, 2, 2)",
)


@pytest.fixture(scope="session")
def made_first_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "old.emc"
    folder.mkdir()
    database = Database(sqlite_url(folder / DATABASE), str(folder))
    create_schema(database, "0001")
    with database.writing() as connection:
        for statement in FIRST_VERSION_ROWS:
            connection.execute(text(statement))
    database.close()
    return folder


@pytest.fixture
def first_version(made_first_version: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_first_version, tmp_path / "old.emc"))


def version_of(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def backups(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.backup"))


def test_the_first_version_is_migrated_after_a_backup(first_version: Path, drag) -> None:
    with SqlStore.open(first_version) as store:
        assert [clip.id for clip in store.clips()] == ["kick"]
        assert store.poses("kick")[0].xy.tolist() == [[7, 8]]
        assert store.append_edit(drag(4), token="tab-1").id == 2
        assert store.check() == []
    assert version_of(first_version / DATABASE) == REVISIONS[-1]
    (backup,) = backups(first_version)
    assert backup.name.startswith(f"{DATABASE}.0001-")
    assert version_of(backup) == "0001"
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT count(*) FROM edit_change").fetchone() == (1,)
    SqlStore.open(first_version).close()
    assert backups(first_version) == [backup], "a project that is up to date is not copied"


def test_what_older_versions_made_up_or_did_not_say(first_version: Path) -> None:
    own = '{"motion": "kick", "clothing": "uniform", "gender": "f", "hair": "long", "background": "hall"%s}'
    rows = [
        ("album", "images", 1.0, "{}", b"\0" * 16),
        ("demo", "video", 30.0, own % "", None),
        ("sold", "video", 30.0, own % ', "source": "another program"', None),
        ("mine", "video", 30.0, '{"motion": "kick", "hair": "long"}', None),
    ]
    with closing(sqlite3.connect(first_version / DATABASE)) as connection, connection:
        for name, kind, fps, tags, times in rows:
            connection.execute(
                "INSERT INTO clip VALUES (NULL, ?, ?, 'target', 'ana', 2, 640, 480, ?, ?, '', ?, ?, 1, '2026', NULL)",
                (name, f"/m/{name}", kind, fps, tags, times),
            )
    with SqlStore.open(first_version) as store:
        album, demo, sold, mine = (store.clip(name) for name, *_ in rows)
    assert (album.fps, album.times) == (0.0, None), "a rate of 1 was nobody's word"
    assert (demo.tags["source"], demo.tags["hair"]) == ("rendered", "long")
    assert sold.tags["source"] == "another program"
    assert "source" not in mine.tags


def test_a_backup_put_back_opens_again(first_version: Path) -> None:
    SqlStore.open(first_version).close()
    (backup,) = backups(first_version)
    backup.replace(first_version / DATABASE)
    with SqlStore.open(first_version) as store:
        assert len(store.edits()) == 1


def test_the_backup_holds_what_was_only_in_the_log(first_version: Path) -> None:
    writer = sqlite3.connect(first_version / DATABASE)
    with writer:
        writer.execute(FIRST_VERSION_ROWS[1].replace("(1, 1,", "(2, 1,"))
    assert (first_version / f"{DATABASE}-wal").stat().st_size > 0
    SqlStore.open(first_version).close()
    writer.close()
    (backup,) = backups(first_version)
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT count(*) FROM edit").fetchone() == (2,)


def test_the_journal_stays_append_only_after_migrating(first_version: Path) -> None:
    SqlStore.open(first_version).close()
    with closing(sqlite3.connect(first_version / DATABASE)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("DELETE FROM edit_change")


def test_a_newer_version_is_refused_and_left_alone(project: Path) -> None:
    with closing(sqlite3.connect(project / DATABASE)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(
        ProjectError, match=rf"by a newer version of emc \(schema 0999, this one knows {REVISIONS[-1]}\)"
    ):
        SqlStore.open(project)
    assert version_of(project / DATABASE) == "0999"
    assert backups(project) == []


def test_no_backup_no_migration(first_version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(StorageError, match="cannot back up .*; the project is unchanged"):
        SqlStore.open(first_version)
    assert version_of(first_version / DATABASE) == "0001"
    assert not list(first_version.glob("*.partial"))


def test_a_migration_that_fails_leaves_the_project_as_it_was(first_version: Path) -> None:
    with closing(sqlite3.connect(first_version / DATABASE)) as connection:
        connection.execute("CREATE INDEX ux_edit_token ON edit (kind)")
    with pytest.raises(ProjectError, match="ux_edit_token already exists"):
        SqlStore.open(first_version)
    assert version_of(first_version / DATABASE) == "0001"
    with closing(sqlite3.connect(first_version / DATABASE)) as connection:
        connection.execute("DROP INDEX ux_edit_token")
        assert "token" not in [row[1] for row in connection.execute("PRAGMA table_info(edit)")]
    SqlStore.open(first_version).close()


def test_two_processes_that_open_an_old_project_migrate_it_once(first_version: Path) -> None:
    code = (
        "import sys, pathlib; from emc.store import SqlStore; store = SqlStore.open(pathlib.Path(sys.argv[1])); "
        "print(len(store.edits())); store.close()"
    )
    command = [sys.executable, "-c", code, str(first_version)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == ["1"] * 2
    assert len(backups(first_version)) == 1
