"""A PostgreSQL server for the tests: a cluster of its own in a temporary folder, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import create_engine, text

NAMED = os.environ.get("EMC_TEST_POSTGRESQL", "")
"""Address of an empty database to use instead: it is emptied."""
_DEBIAN = Path("/usr/lib/postgresql")


def missing() -> str:
    """Return what these tests lack here, "" where they can run."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed"
    if NAMED:
        return ""
    if _programs() is None:
        return "EMC_TEST_POSTGRESQL names no database (postgresql+psycopg://...), and PostgreSQL is not installed"
    return "" if _may_run() else "PostgreSQL refuses to run as root, and there is no user 'postgres' to run it as"


@contextmanager
def server() -> Iterator[str]:
    """Give the address of an empty database."""
    if NAMED:
        yield NAMED
        return
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="emc-pg-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -F"
    data = ["-D", str(folder / "data")]
    try:
        _run(folder, f"{programs}/initdb", *data, "-A", "trust", "-U", "emc", "--no-sync")
        _run(folder, f"{programs}/pg_ctl", *data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        yield f"postgresql+psycopg://emc@127.0.0.1:{port}/postgres"
    finally:
        _run(folder, f"{programs}/pg_ctl", *data, "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Return the folder with `initdb`: of the path, or Debian's newest."""
    found = shutil.which("initdb")
    of_debian = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return Path(found).resolve().parent if found else of_debian[-1].parent if of_debian else None


def _may_run() -> bool:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return hasattr(os, "geteuid")
    import pwd

    return shutil.which("runuser") is not None and any(user.pw_name == "postgres" for user in pwd.getpwall())


def _run(folder: Path, *command: str, check: bool = True) -> None:
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Into a file: the server keeps what it was given as its output open for as long as it lives.
    with (folder / "out").open("ab") as out:
        subprocess.run([*as_user, *command], check=check, cwd=folder, stdout=out, stderr=out, timeout=60)


def emptied(address: str) -> None:
    """Take everything out of the database again."""
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, such as ``pg_dump``."""
    found = shutil.which(name)
    folder = _programs()
    return found or str(folder / name if folder else name)
