"""A project with a journal, and ways to damage it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.store.sql import DATABASE, SqlStore

EDITS = 300


@pytest.fixture(scope="session")
def made_journal(made_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(made_project, tmp_path_factory.mktemp("made") / "kick.emc"))
    with SqlStore.open(folder) as store:
        stored = None
        for number in range(EDITS):
            undoes = stored.id if stored and number % 5 == 4 else 0
            change = JointChange(number % 100, 0, number % 17, number, 8.0, Visibility.VISIBLE, Provenance.HUMAN)
            changes = () if undoes else (change,) * 8
            stored = store.append_edit(Edit("kick", "undo" if undoes else "drag", changes, "ana", 1.5, undoes))
    return folder


@pytest.fixture
def written(made_journal: Path, tmp_path: Path) -> Path:
    """A closed project with 300 edits of eight changes each; every fifth takes the one before back."""
    return Path(shutil.copytree(made_journal, tmp_path / "kick.emc"))


@pytest.fixture
def change() -> Callable[..., None]:
    """Runs SQL past the triggers, as a faulty program or a stale page would."""

    def run(folder: Path, *statements: str) -> None:
        with closing(sqlite3.connect(folder / DATABASE)) as opened, opened:
            for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                opened.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                opened.execute(statement)

    return run


def pages_of(file: Path, table: str) -> list[int]:
    """Return the pages, from 1, whose bytes are those of leaves of a table's tree."""
    with closing(sqlite3.connect(file)) as opened:
        root = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        size = opened.execute("PRAGMA page_size").fetchone()[0]
    content = file.read_bytes()

    def page(number: int) -> bytes:
        return content[(number - 1) * size : number * size]

    def leaves(number: int) -> list[int]:
        kind, cells = page(number)[0], int.from_bytes(page(number)[3:5], "big")
        if kind in (10, 13):
            return [number]
        assert kind in (2, 5), f"page {number} is of kind {kind}"
        places = [int.from_bytes(page(number)[12 + 2 * i : 14 + 2 * i], "big") for i in range(cells)]
        below = [int.from_bytes(page(number)[place : place + 4], "big") for place in places]
        return [leaf for child in [*below, int.from_bytes(page(number)[8:12], "big")] for leaf in leaves(child)]

    return leaves(root)


@pytest.fixture
def wipe() -> Callable[[Path, str, int], None]:
    """Overwrites one leaf page of a table with zeros, as a bad sector does."""

    def run(folder: Path, table: str, place: int) -> None:
        file = folder / DATABASE
        number = pages_of(file, table)[place]
        with closing(sqlite3.connect(file)) as opened:
            size = opened.execute("PRAGMA page_size").fetchone()[0]
        with file.open("r+b") as written:
            written.seek((number - 1) * size)
            written.write(bytes(size))

    return run
