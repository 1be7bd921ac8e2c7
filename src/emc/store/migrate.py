"""Brings a project's database to the schema of this version: forward only, after a copy of the file.

The whole upgrade is one transaction: a process that dies in the middle leaves the database as it was.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from emc.errors import ProjectError, StorageError
from emc.store.database import Database
from emc.store.schema import REVISIONS


def create_schema(database: Database, revision: str = REVISIONS[-1]) -> None:
    """Build the tables in an empty database, by the same migrations that old projects go through."""
    with database.writing() as connection:
        _upgrade(connection, revision)


def bring_up_to_date(database: Database, file: Path | None) -> Path | None:
    """Migrate an older project; return the backup that was made, None where there was nothing to do.

    file : the database file to copy beside itself first; None (a server): its keeper makes the backups.
    Raises `ProjectError` where the database is no project or of a newer version, `StorageError` where there is no room
    for the backup.
    """
    with database.reading() as connection:
        if not _is_older(connection, database.place):
            return None
    with database.writing() as connection:
        # Another process may have migrated while this one waited for the lock.
        if not _is_older(connection, database.place):
            return None
        backup = None if file is None else _back_up(file, schema_version(connection) or "")
        _upgrade(connection, REVISIONS[-1])
    return backup


def schema_version(connection: Connection) -> str | None:
    """Return the schema version of a database, None where it has none (it is not a project)."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check_database(connection: Connection) -> list[str]:
    """Return the faults of a SQLite file, and rows that refer to nothing; a server's database checks itself."""
    if connection.dialect.name != "sqlite":
        return []
    faults = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(20)") if row[0] != "ok"]
    if faults:
        return faults
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20)
    return [f"a row of table {row[0]} refers to a missing row of {row[2]}" for row in lost]


def _is_older(connection: Connection, place: str) -> bool:
    version = schema_version(connection)
    if version is None:
        raise ProjectError(f"{place} is not a project (its database has no schema version): choose another folder")
    if version not in REVISIONS:
        raise ProjectError(
            f"the project {place} was written by a newer version of emc (schema {version}, this one knows "
            f"{REVISIONS[-1]}): upgrade with `pip install -U emc-pose`"
        )
    return version != REVISIONS[-1]


def _upgrade(connection: Connection, revision: str) -> None:
    # Imported here: it takes longer than opening a project that needs no migration.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _back_up(file: Path, version: str) -> Path:
    """Copy the database as last committed (write-ahead log included) and return the copy's path."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    backup = file.with_name(f"{file.name}.{version}-{stamp}.backup")
    partial = backup.with_suffix(".partial")
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        partial.rename(backup)
    except (sqlite3.Error, OSError) as error:
        partial.unlink(missing_ok=True)
        raise StorageError(
            f"cannot back up {file} before its upgrade ({error}): free space beside it and open the project again; "
            "the project is unchanged"
        ) from error
    return backup
