"""A project of somebody else is input: what its rows say is checked when it is read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from emc.errors import EmcError
from emc.store.sql import DATABASE, SqlStore


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clip SET id = '../../outside'",
        "UPDATE clip SET id = '/tmp/outside'",
        "UPDATE clip SET role = 'owner'",
        "UPDATE clip SET tags = '[1]'",
        "UPDATE clip SET tags = '{\"a\": 1}'",
        "UPDATE clip SET tags = 'nonsense'",
        "UPDATE clip SET times = X'010203'",
        "UPDATE clip SET files = '[[1]]'",
        'UPDATE clip SET files = \'[["../x", 1, 1, ""]]\'',
        "UPDATE clip SET frames = 'many'",
        "UPDATE clip SET frames = -1",
        "UPDATE clip SET width = 0",
        "UPDATE clip SET fps = 'fast'",
        "UPDATE clip SET file_fps = 9e999",
        "UPDATE clip SET earlier = '7'",
    ],
)
def test_a_clip_that_emc_does_not_write(project: Path, statement: str) -> None:
    with closing(sqlite3.connect(project / DATABASE)) as opened, opened:
        opened.execute(statement)
    with SqlStore.open(project) as store, pytest.raises(EmcError) as caught:
        store.clips()
        store.clip("kick")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("json", ["nonsense", "[]", "7", "[" * 5000])
def test_a_document_that_emc_does_not_write(project: Path, json: str) -> None:
    with SqlStore.open(project) as store:
        store.put_document("calibration", "a", {})
    with closing(sqlite3.connect(project / DATABASE)) as opened, opened:
        opened.execute("UPDATE document SET json = ?", (json,))
    with SqlStore.open(project) as store, pytest.raises(EmcError, match="the document calibration 'a' cannot be used"):
        store.document("calibration", "a")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE edit SET undoes = id", "INSERT INTO journal_loss VALUES (1, 1, 9999999999, 'a', 'b', 'c')"],
)
def test_rows_that_would_be_followed_for_ever(project: Path, drag, statement: str) -> None:
    with SqlStore.open(project) as store:
        store.append_edit(drag(3))
    with closing(sqlite3.connect(project / DATABASE)) as opened, opened:
        opened.execute("DROP TRIGGER edit_no_update")
        opened.execute(statement)
    with pytest.warns(UserWarning, match="is not whole"), SqlStore.open(project) as store:
        assert len(store.edits()) == 1
        assert len(store.poses("kick")) == 1 - statement.startswith("UPDATE")


def test_a_change_of_unknown_visibility(project: Path, drag) -> None:
    with SqlStore.open(project) as store:
        store.append_edit(drag(3))
    with closing(sqlite3.connect(project / DATABASE)) as opened, opened:
        opened.execute("DROP TRIGGER edit_change_no_update")
        opened.execute("UPDATE edit_change SET visibility = 9")
    with (
        pytest.warns(UserWarning, match="edit 1 of .* is damaged"),
        SqlStore.open(project) as store,
        pytest.raises(EmcError, match="holds what emc does not write"),
    ):
        store.edits()
