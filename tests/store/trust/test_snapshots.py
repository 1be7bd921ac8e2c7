"""Snapshots are whole, few, and taken while edits go on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import emc.store.trust.snapshots as module
from emc.store.sql import DATABASE, SqlStore
from emc.store.trust.snapshots import KEPT, SNAPSHOTS, snapshots, take_snapshot


def test_the_newest_few_are_kept(written: Path) -> None:
    for edit in range(5):
        assert take_snapshot(written / DATABASE, edit)
    assert [snapshot.edit for snapshot in snapshots(written)] == [4, 3, 2]
    assert len(list((written / SNAPSHOTS).iterdir())) == KEPT
    for snapshot in snapshots(written):
        with closing(sqlite3.connect(snapshot.path)) as opened:
            assert opened.execute("SELECT count(*) FROM edit").fetchone() == (300,)
            assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_one_is_taken_beside_the_edits(project: Path, drag, monkeypatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.0)
    with SqlStore.open(project) as store:
        for frame in range(20):
            store.append_edit(drag(frame))
        store._snapshots.close()
        assert snapshots(project)
        assert len(store.edits()) == 20


def test_no_room_is_no_reason_to_refuse_an_edit(project: Path, drag) -> None:
    (project / SNAPSHOTS).write_text("in the way")
    with SqlStore.open(project) as store:
        store.append_edit(drag(1))
    with SqlStore.open(project) as store:
        assert len(store.edits()) == 1
