"""What a full disk, a lock and a read-only file do, for real."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from emc.errors import ProjectError, StorageError, UsageError
from emc.pose.records import Prediction
from emc.store.database import explain
from emc.store.sql import DATABASE, SqlStore


def big(frame: int) -> Prediction:
    features = np.ones((17, 100), np.float32)
    xy = np.ones((17, 2), np.float32)
    return Prediction(frame, 0, xy, xy[:, 0], xy[:, 0], np.ones(4, np.float32), features)


def limit_pages(store: SqlStore, pages: int) -> None:
    """Let the file grow to this many pages: SQLite then answers as on a full disk."""
    with store._database.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def test_the_settings_of_a_connection(store: SqlStore) -> None:
    with store._database.writing() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        assert settings == {"journal_mode": "wal", "synchronous": 2}
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with store._database.writing_bulk() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    with store._database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, (
            "an edit after predictions is flushed again"
        )


def test_a_full_database_is_said_and_loses_nothing(store: SqlStore, drag) -> None:
    run = store.start_run("kick", "nano", "tiny", {}).id
    store.append_edit(drag(1))
    limit_pages(store, 60)
    written = 0
    with pytest.raises(StorageError) as caught:
        for frame in range(0, 100, 5):
            store.write_predictions(run, [big(frame + i) for i in range(5)], upto=frame + 5)
            written = frame + 5
    assert str(caught.value) == (
        f"cannot write to {store.folder}: the disk is full; free space and run the command again, "
        "nothing acknowledged is lost"
    )
    assert store.resume_frame(run) == written > 0
    assert len(list(store.predictions(run))) == written
    assert len(store.edits()) == 1
    limit_pages(store, 100_000)
    store.write_predictions(run, [big(written)], upto=written + 1)
    assert store.check() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB; skips where it cannot be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_said_and_loses_nothing(small_disk: Path, project: Path, drag) -> None:
    folder = Path(shutil.copytree(project, small_disk / "kick.emc"))
    acknowledged: list[int] = []
    with SqlStore.open(folder) as store:
        run = store.start_run("kick", "nano", "tiny", {}).id
        acknowledged.append(store.append_edit(drag(1)).id)
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * 1_200_000)
        with pytest.raises(StorageError, match="the disk is full; free space and run the command again"):
            for frame in range(100):
                store.write_predictions(run, [big(frame)], upto=frame + 1)
        with pytest.raises(StorageError, match="the disk is full"):
            for frame in range(100):
                acknowledged.append(store.append_edit(drag(frame)).id)
        done = store.resume_frame(run)
        assert 0 < done < 100
        assert [edit.id for edit in store.edits()] == acknowledged
        filler.unlink()
        acknowledged.append(store.append_edit(drag(2)).id)
    with SqlStore.open(folder) as store:
        assert [edit.id for edit in store.edits()] == acknowledged
        assert len(list(store.predictions(run))) == done
        assert store.check() == []


def test_a_project_does_not_fit(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * 2_050_000)
    with pytest.raises(StorageError, match="the disk is full"):
        SqlStore.create(small_disk / "kick.emc")
    assert [file.name for file in small_disk.iterdir()] == ["filler"]


def test_a_read_only_disk(small_disk: Path, project: Path, drag) -> None:
    folder = Path(shutil.copytree(project, small_disk / "kick.emc"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(ProjectError, match="read-only|yours to write"), SqlStore.open(folder) as store:
        store.append_edit(drag(1))


def test_another_writer_that_does_not_end(store: SqlStore, drag) -> None:
    @event.listens_for(store._database.engine, "checkout")
    def impatient(connection, _record, _proxy) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    with closing(sqlite3.connect(store.folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another process has been writing"):
            store.append_edit(drag(1))
        assert store.edits() == [], "reading goes on"
        other.execute("ROLLBACK")
        assert store.append_edit(drag(1)).id == 1


@pytest.mark.parametrize("url", ["not an address", "nosuch://host/name", "postgresql+nosuch://host/name"])
def test_an_address_that_cannot_be_used(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the database address cannot be used .*: write it as postgresql"):
        SqlStore.at(url, tmp_path)


def test_a_write_that_raises_is_undone(store: SqlStore) -> None:
    with pytest.raises(KeyError), store._database.writing() as connection:
        connection.execute(text("INSERT INTO document (kind, name, json, created) VALUES ('a', 'b', '{}', '')"))
        raise KeyError
    assert store.documents("a") == []


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        # Of the read-only ones SQLITE_READONLY_DIRECTORY, as extended codes come: the low byte decides.
        (8 | 6 << 8, StorageError, r"cannot write to karate\.emc: it is read-only; allow writing to it"),
        # SQLITE_IOERR_FSYNC: what a dying disk answers.
        (
            10 | 4 << 8,
            StorageError,
            r"the disk reports an error \(disk I/O error\); check its free space and its health",
        ),
        (14, StorageError, r"cannot open the database in karate\.emc: check that the folder exists"),
        (11, StorageError, r"is damaged \(disk I/O error\): `emc verify` names what is lost"),
        (1, StorageError, r"cannot be used \(disk I/O error\): check it with `emc doctor`"),
    ],
)
def test_what_sqlite_reports_becomes_one_line_with_a_remedy(code: int, kind: type[ProjectError], said: str) -> None:
    reported = sqlite3.OperationalError("disk I/O\n error")
    reported.sqlite_errorcode = code
    explained = explain(OperationalError("COMMIT", None, reported), "karate.emc")
    assert type(explained) is kind
    assert re.search(said, str(explained))


def test_a_connection_that_may_only_read_says_so(store: SqlStore, drag) -> None:
    with store._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(StorageError, match="it is read-only; allow writing to it, or copy it elsewhere"):
        store.append_edit(drag(0, 0, 1.0))
