"""The same code and migrations on a PostgreSQL server: a temporary one, or that of EMC_TEST_POSTGRESQL."""

from __future__ import annotations

import math
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from tests.store.postgresql_cluster import emptied, missing, program, server

import emc.store.schema as schema
from emc.errors import ConflictError, ProjectError, ProjectWarning, StorageError
from emc.pose.records import Alert, AlertReason, Clip, FrameAlerts, Role
from emc.store.database import Database
from emc.store.migrate import create_schema
from emc.store.sql import SqlStore
from emc.store.trust.check import JournalState

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as found:
        yield found


@pytest.fixture
def store(address: str, tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.at(address, tmp_path / "kick.emc") as opened:
        opened.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480, times=np.arange(3.0)))
        yield opened
    emptied(address)


def test_the_migrations_lead_to_the_tables(store: SqlStore) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_a_project_from_predictions_to_poses(store: SqlStore, predicted, drag) -> None:
    run = store.start_run("kick", "nano", "tiny", {"a": 1}).id
    assert store.start_run("kick", "nano", "tiny", {"a": 1}).id == run
    store.write_predictions(run, [predicted(frame) for frame in range(5)], upto=5)
    store.write_predictions(run, [predicted(3, x=9)])
    store.finish_run(run)
    assert [p.xy[0, 0] for p in store.predictions(run, 2, 4)] == [1, 9, 1]
    alert = Alert("kick", 0, 0, 1, 2, AlertReason.LOST, 0.5)
    store.write_alerts(run, [alert], [FrameAlerts(1, 0, 1), FrameAlerts(0, 2, 1)])
    assert store.alerts(run) == [alert]
    assert store.frame_alerts(run, limit=1) == [FrameAlerts(0, 2, 1)]
    fix = store.append_edit(drag(3, x=math.nan), expect={(3, 0, 0): 0}, token="tab-1")
    assert store.append_edit(drag(3, x=math.nan), token="tab-1").id == fix.id
    with pytest.raises(ConflictError):
        store.append_edit(drag(3), expect={(3, 0, 0): 0})
    np.testing.assert_array_equal(store.poses("kick", None, 3, 3)[0].xy[0], [np.nan, 8])
    store.append_edit(drag(3, undoes=fix.id))
    assert store.poses("kick", None, 3, 3)[0].xy[0].tolist() == [9, 2]
    store.put_document("card", "a", {"x": 1})
    store.put_document("card", "a", {"x": 2})
    assert store.document("card", "a") == {"x": 2}
    times = store.clip("kick").times
    assert times is not None and times.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM edit",
        "UPDATE edit_change SET clip = clip",
        "DELETE FROM edit_chain",
        "TRUNCATE edit_change",
        "TRUNCATE edit CASCADE",
        "TRUNCATE edit_chain",
    ],
)
def test_the_journal_is_append_only(store: SqlStore, drag, statement: str) -> None:
    store.append_edit(drag(0))
    with pytest.raises(ProjectError, match="append-only"), store._database.writing() as connection:
        connection.execute(text(statement))


def test_the_journal_proves_that_it_is_whole(store: SqlStore, drag) -> None:
    for frame in range(5):
        store.append_edit(drag(frame, x=0.1 * frame), token=f"tab-{frame}")
    assert store.verify_journal() == JournalState(5)
    with store._database.writing() as connection:
        connection.execute(text("ALTER TABLE edit_change DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE edit_change SET x = 99 WHERE edit = 2"))
    state = store.verify_journal()
    assert (state.edits, state.lost) == (4, ((2, 2),))


def test_a_server_that_was_set_back_is_noticed(address: str, store: SqlStore, drag) -> None:
    for frame in range(3):
        store.append_edit(drag(frame))
    with store._database.writing() as connection:
        for table in ("edit", "edit_change", "edit_chain"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM edit_change WHERE edit > 1"))
        connection.execute(text("DELETE FROM edit WHERE id > 1"))
        connection.execute(text("DELETE FROM edit_chain WHERE number > 1"))
    with (
        pytest.warns(ProjectWarning, match="edits 2 to 3 of .* are missing"),
        SqlStore.at(address, store.folder) as late,
    ):
        with pytest.raises(StorageError, match="no edit is taken"):
            late.append_edit(drag(7))
        late.accept_losses()
        late.append_edit(drag(7))
        assert late.verify_journal() == JournalState(2, accepted=("edits 2 to 3",))


def test_of_two_who_change_one_joint_at_once_one_is_told(store: SqlStore, drag) -> None:
    told: list[str] = []

    def work(name: str) -> None:
        try:
            store.append_edit(drag(3), expect={(3, 0, 0): 0})
        except ConflictError:
            told.append(name)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 7
    assert len(store.edits()) == 1


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be used") as caught:
        SqlStore.at("postgresql+psycopg://nobody@127.0.0.1:1/none", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_project_is_made_found_again_and_joined(address: str, tmp_path: Path, drag) -> None:
    folder = tmp_path / "new.emc"
    try:
        with SqlStore.create_at(address, folder) as made:
            made.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
            made.append_edit(drag(3))
        with SqlStore.open(folder) as again:
            assert len(again.edits()) == 1
        with pytest.raises(ProjectError, match="exists already"):
            SqlStore.create_at(address, folder)
        with pytest.raises(ProjectError, match="holds a project already.*--join"):
            SqlStore.create_at(address, tmp_path / "second.emc")
        with SqlStore.create_at(address, tmp_path / "second.emc", join=True) as second, SqlStore.open(folder) as first:
            second.append_edit(drag(4))
            assert len(first.edits()) == 2
    finally:
        emptied(address)
    with pytest.raises(ProjectError, match="holds no project"):
        SqlStore.open(folder)


@pytest.mark.parametrize("table", ["edit", "edit_change", "edit_person", "clip"])
def test_the_journal_cannot_be_truncated(store: SqlStore, drag, table: str) -> None:
    store.append_edit(drag(0))
    with pytest.raises(ProjectError, match="append-only"), store._database.writing() as connection:
        connection.execute(text(f"TRUNCATE {table} CASCADE"))
    assert len(store.edits()) == 1


def test_a_project_of_an_earlier_version_is_migrated(address: str, tmp_path: Path, drag) -> None:
    database = Database(address, "kick.emc")
    create_schema(database, "0007")
    database.close()
    try:
        with SqlStore.at(address, tmp_path / "kick.emc") as store:
            store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
            store.append_edit(drag(3))
            assert store.verify_journal() == JournalState(1)
    finally:
        emptied(address)


def test_a_backup_brings_the_project_back(address: str, store: SqlStore, tmp_path: Path, drag) -> None:
    """As docs/team.md says: pg_dump while the project is in use, pg_restore into an empty database."""
    edits = [store.append_edit(drag(frame)) for frame in range(3)]
    plain = address.replace("postgresql+psycopg://", "postgresql://")
    dump = tmp_path / "kick.dump"
    subprocess.run([program("pg_dump"), "-Fc", "-f", str(dump), plain], check=True, timeout=60)
    other = plain.rsplit("/", 1)[0] + "/restored"
    subprocess.run([program("psql"), "-q", "-c", "CREATE DATABASE restored", plain], check=True, timeout=60)
    subprocess.run([program("pg_restore"), "-d", other, str(dump)], check=True, timeout=60)
    with SqlStore.create_at(other, tmp_path / "restored.emc", join=True) as restored:
        assert restored.edits() == edits
        assert restored.verify_journal() == JournalState(3)
        with pytest.raises(ProjectError, match="append-only"), restored._database.writing() as connection:
            connection.execute(text("TRUNCATE edit CASCADE"))
