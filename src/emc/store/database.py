"""Connections to a project's database: how they are set up, transactions, and errors in the user's words.

All that is special to one database is here: pragmas, how a transaction begins, and what SQLite's error codes mean.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from emc.errors import EmcError, ProjectError, StorageError, UsageError
from emc.untrusted import said_by

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
"""To reach a server's database: without a bound, one that is switched off would hold every request for minutes."""

# FULL: a commit is on the disk when it returns, so an acknowledged edit survives a power cut too.
PRAGMAS = (
    # First, since the pragmas below take locks that another process may hold.
    f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}",
    # Before WAL, which writes the file's first page: afterwards the size stays what it is.
    "PRAGMA page_size=8192",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # After a checkpoint: else the log keeps the size that the longest prediction gave it.
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA cache_size=-16000",
    # Without it, INSERT OR REPLACE would delete rows of the journal past its triggers.
    "PRAGMA recursive_triggers=ON",
)

_WRITE_LOCK = 0x656D63  # any number, the same in every process: the bytes of "emc"

# Primary result codes of SQLite (the low byte of what the driver reports).
_PERM, _BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 3, 5, 6, 8, 10, 11, 13, 14, 26


class Database:
    """A pool of connections to one project's database, safe to use from several threads.

    `place` is the folder or address that error messages name.
    """

    def __init__(self, url: URL | str, place: str) -> None:
        self.place = place
        self.engine = _engine(url)
        self._closed = False
        self._writer = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database; nothing it writes is kept."""
        with self._translated(), self._understood(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction: durable when the block ends, undone where it raises.

        The write lock is taken at once, so what the block reads cannot change before it writes.
        """
        with self._translated(), self._turn(), self._connect(emc_write=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing_bulk(self) -> Iterator[Connection]:
        """Like `writing`, for what can be computed again: survives ``kill -9``, not always a power cut.

        SQLite then leaves the flush to the disk to the next checkpoint, or to the next `writing`.
        """
        options = {"emc_write": True, "emc_bulk": True}
        with self._translated(), self._turn(), self._connect(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one thread of this process write at a time.

        SQLite's own waiting looks again after up to a tenth of a second, in no order: many threads that write would
        come too late by chance.
        """
        if not self._writer.acquire(timeout=BUSY_SECONDS):
            raise StorageError(
                f"cannot write to {self.place}: others have been writing for {BUSY_SECONDS} s: try again"
            )
        try:
            yield
        finally:
            self._writer.release()

    def close(self) -> None:
        """Close all connections; safe to call twice."""
        self._closed = True
        self.engine.dispose()

    def _connect(self, **options: Any) -> Connection:
        return self.engine.connect().execution_options(**options)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Make one line of rows that cannot be what emc wrote: a text where a number belongs, an unknown role."""
        try:
            yield
        except EmcError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ProjectError(
                f"the database in {self.place} holds what emc does not write ({said_by(error)}): see `emc verify`"
            ) from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._closed:
            raise ProjectError(f"the project {self.place} is closed: open it again")
        try:
            yield
        # A constraint that does not hold is a fault of the code, not of the user's file: it stays a traceback instead
        # of becoming advice.
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise explain(error, self.place) from error
        except PoolTimeout as error:
            raise StorageError(f"the project {self.place} has too many readers at once: try again") from error


def sqlite_url(file: Path) -> URL:
    """Return the address of a database file; a relative path is kept valid when the process changes its folder."""
    return URL.create("sqlite", database=str(file.absolute()))


def explain(error: DBAPIError, place: str) -> StorageError:
    """Return the database's error as one of ours, in one line: what happened, where, what to do.

    All of them are of the storage, never of what was asked: who could not store something keeps it and tries again.
    """
    # The low byte: extended codes (SQLITE_IOERR_FSYNC and some 30 more) would otherwise match none of the cases below.
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    said = " ".join(str(error.orig).split())
    kept = "nothing acknowledged is lost"
    if code == _FULL:
        return StorageError(f"cannot write to {place}: the disk is full; free space and run the command again, {kept}")
    if code in (_READONLY, _PERM):
        return StorageError(f"cannot write to {place}: it is read-only; allow writing to it, or copy it elsewhere")
    if code in (_BUSY, _LOCKED):
        return StorageError(
            f"cannot write to {place}: another process has been writing for {BUSY_SECONDS} s; wait for it or end it, "
            f"then run the command again, {kept}"
        )
    if code == _IOERR:
        return StorageError(
            f"cannot read or write {place}: the disk reports an error ({said}); check its free space and its "
            f"health, then run the command again, {kept}"
        )
    if code == _CANTOPEN:
        return StorageError(f"cannot open the database in {place}: check that the folder exists and is yours to write")
    if code in (_CORRUPT, _NOTADB):
        return StorageError(
            f"the database in {place} is damaged ({said}): `emc verify` names what is lost, `emc recover` brings back "
            "the rest"
        )
    return StorageError(f"the database in {place} cannot be used ({said}): check it with `emc doctor`")


def _engine(url: URL | str) -> Engine:
    try:
        # More than the 40 threads in which the server answers: with SQLAlchemy's 5 + 10 a page that asks for many
        # pictures at once meets a timeout of the pool instead of a slow answer.
        # A connection that the server dropped meanwhile is found out before it is used (SQLite has no such).
        far = not str(url).startswith("sqlite")
        reached = {"connect_timeout": CONNECT_SECONDS} if far else {}
        engine = create_engine(url, pool_size=8, max_overflow=56, pool_pre_ping=far, connect_args=reached)
    except (ArgumentError, ImportError) as error:
        said = " ".join(str(error).split())
        raise UsageError(
            f"the database address cannot be used ({said}): write it as postgresql+psycopg://USER@HOST/NAME and "
            "install the driver that it names"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _take_turns)
    return engine


def _set_up(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: it would do so late, after reads that a write depends on.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("emc_write"):
        connection.exec_driver_sql("BEGIN")
        return
    level = "NORMAL" if options.get("emc_bulk") else "FULL"
    # SQLite refuses to change the level within a transaction.
    connection.exec_driver_sql(f"PRAGMA synchronous={level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _take_turns(connection: Connection) -> None:
    """Let PostgreSQL's writers wait for each other, as SQLite's do: what one reads then holds until it has written."""
    if connection.get_execution_options().get("emc_write"):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
