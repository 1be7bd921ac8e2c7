"""Where a project's database is when it is not in the folder: the address of a server's, without any password."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from emc.errors import ProjectError, UsageError

ADDRESS_FILE = "database.json"
QUERY = frozenset({"sslmode", "host", "port"})
"""What may stand behind the `?` of an address."""


def checked_address(url: str) -> str:
    """Return an address as it is kept; raises `UsageError` where it is none of PostgreSQL's, or holds a password."""
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise UsageError(f"'{url}' is no address of a database: write postgresql://USER@HOST:5432/NAME") from error
    if parts.get_backend_name() != "postgresql" or not parts.database:
        raise UsageError(
            f"'{parts.render_as_string()}' names no PostgreSQL database: write postgresql://USER@HOST:5432/NAME"
        )
    if parts.password is not None:
        raise UsageError(
            f"the address of {parts.host or 'the database'} holds a password, which whoever has the project folder "
            "could read: leave it out, and give it as PGPASSWORD or in ~/.pgpass"
        )
    # Others name files of this machine, or programs: a project of somebody else must not.
    if unknown := parts.query.keys() - QUERY:
        raise UsageError(
            f"the address says '{min(unknown)}', which it must not: only {', '.join(sorted(QUERY))} may be"
        )
    # One driver, whatever the address says: the one that the extra installs.
    return parts.set(drivername="postgresql+psycopg").render_as_string()


def write_address(folder: Path, url: str) -> None:
    """Note where the database of the project in `folder` is."""
    (folder / ADDRESS_FILE).write_text(json.dumps({"url": url}, indent=2) + "\n", encoding="utf-8")


def read_address(folder: Path) -> str | None:
    """Return where the database of the project in `folder` is, None where it is in the folder.

    Raises `ProjectError` that names the file where it says nothing that can be used.
    """
    file = folder / ADDRESS_FILE
    if not file.is_file():
        return None
    try:
        return checked_address(str(json.loads(file.read_text(encoding="utf-8"))["url"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise ProjectError(
            f'{file} cannot be used ({said}): it holds {{"url": "postgresql://USER@HOST/NAME"}}'
        ) from error
    except UsageError as error:
        raise ProjectError(f"{file}: {error}") from error
