"""Snapshots of a project's database, by SQLite's own backup, in the folder ``snapshots/``: the newest few are kept.

One is made, beside the work that goes on, after edits that are older than a while, and when a project with new edits is
closed. Its name says when it was made and up to which edit it reaches.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SNAPSHOTS = "snapshots"
KEPT = 3
"""Snapshots that stay; older ones are deleted once a newer one is whole."""
EVERY = 15 * 60.0
"""Seconds between two snapshots of a small database."""
SIZE_PER_TURN = 100 * 2**20
"""Bytes of the database by which the pause grows by `EVERY`: copying a large one costs more than it saves."""
AT_CLOSING = 64 * 2**20
"""Largest database, in bytes, that is copied while a command waits for it at its end."""
_NAME = re.compile(r"(\d{8}T\d{6}\d{6})-edit(\d+)\.sqlite")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot on disk. made : ISO UTC. edit : running number of its newest edit."""

    path: Path
    made: str
    edit: int

    @property
    def name(self) -> str:
        """The name by which ``emc recover --snapshot`` takes it."""
        return self.path.stem


def snapshots(folder: Path) -> list[Snapshot]:
    """Return the snapshots of a project folder, the newest first."""
    found = [
        Snapshot(path, datetime.strptime(match[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC).isoformat(), int(match[2]))
        for path in (folder / SNAPSHOTS).glob("*.sqlite")
        if (match := _NAME.fullmatch(path.name))
    ]
    return sorted(found, key=lambda snapshot: snapshot.path.name, reverse=True)


def take_snapshot(file: Path, edit: int) -> Path | None:
    """Copy a database as last committed and return the copy's path; None where there is no room for it.

    The copy gets its name when it is whole and on the disk; afterwards all but the newest few are deleted.
    """
    place = file.parent / SNAPSHOTS
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    partial = place / f"{stamp}.{os.getpid()}.partial"
    try:
        place.mkdir(exist_ok=True)
        copy_database(file, partial)
        whole = partial.rename(place / f"{stamp}-edit{edit}.sqlite")
    except (sqlite3.Error, OSError):
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        return None
    for old in snapshots(file.parent)[KEPT:]:
        with suppress(OSError):
            old.path.unlink()
    return whole


def copy_database(source: Path, target: Path) -> None:
    """Copy a database, write-ahead log included, in one read: writers go on, and the copy is of one state."""
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(target)) as copy:
        opened.backup(copy)
        # The copy is a whole of its own: nobody had it open.
        copy.execute("PRAGMA user_version=0")
    with target.open("rb") as written:
        os.fsync(written.fileno())


class SnapshotTaker:
    """Takes snapshots of one open project as its edits come in. file : None where the database is a server's."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._thread: threading.Thread | None = None
        self._edit = 0
        self._taken = 0
        self._next = time.monotonic() + EVERY

    def edited(self, number: int) -> None:
        """Note an acknowledged edit; takes a snapshot behind its back where it is time for one."""
        self._edit = number
        if self._file is None or time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + EVERY * (1 + self._file.stat().st_size / SIZE_PER_TURN)
        self._thread = threading.Thread(target=self._take, args=(self._file, number), name="snapshot", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for a snapshot that is being taken; take one of new edits where the database is small."""
        if self._thread is not None:
            self._thread.join()
        if self._file is not None and self._edit > self._taken:
            with suppress(OSError):
                if self._file.stat().st_size <= AT_CLOSING and not _is_new(self._file.parent):
                    self._take(self._file, self._edit)

    def _take(self, file: Path, number: int) -> None:
        if take_snapshot(file, number) is not None:
            self._taken = number


def _is_new(folder: Path) -> bool:
    """Return whether the newest snapshot is younger than a minute: commands that follow each other share one."""
    newest = next(iter(snapshots(folder)), None)
    return newest is not None and (datetime.now(UTC) - datetime.fromisoformat(newest.made)).total_seconds() < 60
