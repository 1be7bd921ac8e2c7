"""A mark in the database file itself that edits may lie in its write-ahead log only.

Who copies ``project.sqlite`` alone, while the editor runs, copies a sound database without the newest edits. The mark
(SQLite's ``user_version``, bytes 60 to 63 of the file) is set with the first edit and brought into the file at once;
it is cleared when the project is closed in order, before SQLite merges the log into the file.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection

from emc.errors import EmcError
from emc.store.database import Database


def copied_without_log(file: Path) -> bool:
    """Return whether a database file, not opened yet, was in use when it was copied and has no log beside it."""
    log = file.with_name(file.name + "-wal")
    return is_marked(file) and not (log.is_file() and log.stat().st_size)


def is_marked(file: Path) -> bool:
    """Return whether the file itself, without its log, bears the mark."""
    with file.open("rb") as opened:
        opened.seek(60)
        return int.from_bytes(opened.read(4), "big") == 1


def mark(connection: Connection) -> bool:
    """Set the mark in a transaction that writes an edit; returns whether it was not set before."""
    if connection.dialect.name != "sqlite" or connection.exec_driver_sql("PRAGMA user_version").scalar() == 1:
        return False
    connection.exec_driver_sql("PRAGMA user_version=1")
    return True


def bring_into_file(database: Database) -> None:
    """Merge the log into the file as far as readers let it: the mark is then where a copy takes it along."""
    with suppress(EmcError), database.reading() as connection:
        connection.commit()
        connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]


def clear(database: Database) -> None:
    """Take the mark away; what was written before it reaches the file no later than this."""
    with suppress(EmcError), database.writing() as connection:
        connection.exec_driver_sql("PRAGMA user_version=0")
