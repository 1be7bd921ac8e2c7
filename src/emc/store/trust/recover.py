"""Builds a project's database anew from what can be read of it and of its snapshots, and takes note of what is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emc.errors import ProjectError, StorageError, UsageError
from emc.store.trust.head import Head, HeadFile
from emc.store.trust.links import MOST_EDITS, START, Link, Loss, chained
from emc.store.trust.salvage import OF_RUN, SINGLE, Salvaged, columns_of, numbered, rows_by_key, salvage_journal
from emc.store.trust.snapshots import SNAPSHOTS, snapshots

_NEW = "project.sqlite.recovering"
LOGS = ("-wal", "-shm")
MOST_PADDED = 2**40
"""Bytes that a header may claim: a damaged one says anything."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What `rebuild` did. edits : in the project now. from_snapshots : of these, how many only a snapshot had.

    lost : what is gone now and was not given up before. rows : table -> rows that were taken. kept : folder with the
    database as it was.
    """

    edits: int
    from_snapshots: int
    lost: tuple[Loss, ...]
    rows: dict[str, int]
    incomplete: tuple[str, ...]
    kept: Path


def rebuild(folder: Path, file: Path, create: Callable[[Path], None], snapshot: str | None = None) -> Recovered:
    """Put a database in the place of a damaged one: what can be read of it, and what snapshots have beyond it.

    create : makes an empty database of the newest schema in a file. snapshot : name of the one to put back as it is,
    instead of the damaged file. The damaged file is kept, with its log, in ``snapshots/``. Nothing changes where this
    raises: `ProjectError` where the project is open elsewhere or nothing can be read, `StorageError` where the disk
    is full.
    """
    held = HeadFile(folder)
    new = folder / _NEW
    try:
        held.take_alone()
        kept = _keep(folder, file)
        with ExitStack() as opened:
            sources = [
                opened.enter_context(closing(_source(path))) for path in _sources(folder, kept / file.name, snapshot)
            ]
            _remove(new)
            create(new)
            done = _fill(new, sources, held.read(), kept)
        _put_in_place(new, file)
        _remove(kept / f"{file.name}.padded")
        held.write(_last_link(file) or Link(0, 0, "", b"", START))
        return done
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"cannot recover {folder} ({error}): free space beside it and run the command again; it is unchanged"
        ) from error
    finally:
        _remove(new)
        held.close()


def _sources(folder: Path, damaged: Path, snapshot: str | None) -> list[Path]:
    there = snapshots(folder)
    if snapshot is None:
        return [damaged, *(one.path for one in there)]
    chosen = [one.path for one in there if snapshot in (one.name, one.path.name)]
    if not chosen:
        names = ", ".join(one.name for one in there) or "none"
        raise UsageError(f"{folder} has no snapshot '{snapshot}': use one of those it has ({names})")
    return chosen


def _source(path: Path) -> sqlite3.Connection:
    """Open a copy of the database; of one that is cut short, a copy as long as its header says."""
    with path.open("rb") as file:
        header = file.read(100)
    size, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    if path.stat().st_size < size * pages <= MOST_PADDED:
        # SQLite reads nothing of a file that is shorter than it says; with empty pages at its end, all but these.
        path = Path(shutil.copy2(path, path.with_name(path.name + ".padded")))
        os.truncate(path, size * pages)
    connection = sqlite3.connect(path)
    # Rows of damaged pages: refuse none for its text, its digest decides.
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


def _keep(folder: Path, file: Path) -> Path:
    """Copy the database and its log aside and return the folder of the copies: what is read is never written."""
    place = folder / SNAPSHOTS / f"damaged-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%f')}"
    place.mkdir(parents=True)
    for path in (file, *(file.with_name(file.name + log) for log in LOGS)):
        if path.is_file():
            shutil.copy2(path, place / path.name)
    return place


def _fill(new: Path, sources: Sequence[sqlite3.Connection], head: Head | None, kept: Path) -> Recovered:
    """Write what the sources have into the new database, in one transaction."""
    journal = salvage_journal(sources)
    if not journal.edits and not any(columns_of(source, "clip") for source in sources):
        raise ProjectError(f"nothing can be read of {kept.parents[1]}: put back a copy of the folder; it is unchanged")
    with closing(sqlite3.connect(new, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous=FULL")
        target.execute("BEGIN IMMEDIATE")
        rows, incomplete = _copy_tables(target, sources)
        last = _write_journal(target, journal)
        lost = _write_losses(target, sources, journal, last, head)
        _stand_in_clips(target)
        _drop_orphans(target)
        newest = max([head.edit if head else 0, *journal.edits], default=0)
        target.execute("INSERT OR IGNORE INTO sqlite_sequence (name, seq) VALUES ('edit', 0)")
        target.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'edit'", (newest,))
        target.execute("COMMIT")
    older = sum(place > 0 for place in journal.sources.values())
    return Recovered(len(journal.edits), older, tuple(lost), rows, tuple(incomplete), kept)


def _copy_tables(target: sqlite3.Connection, sources: Sequence[sqlite3.Connection]) -> tuple[dict[str, int], list[str]]:
    rows: dict[str, int] = {}
    incomplete: list[str] = []
    for table, key in SINGLE.items():
        for source in sources:
            found, whole = rows_by_key(source, table, key)
            _insert(target, table, columns_of(source, table), found)
            if whole and columns_of(source, table):
                break
            incomplete.append(table)
    runs = [row[0] for row in target.execute("SELECT key FROM run")]
    for table, key in OF_RUN.items():
        # Of the first copy alone: they can be computed again, and an older copy holds older ones.
        for run in runs:
            found, whole = rows_by_key(sources[0], table, key, where=f"run = {int(run)}")
            _insert(target, table, columns_of(sources[0], table), found)
            incomplete += [] if whole else [table]
    for table in (*SINGLE, *OF_RUN):
        rows[table] = target.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
    return rows, list(dict.fromkeys(incomplete))


def _insert(target: sqlite3.Connection, table: str, columns: list[str], rows: list[Any]) -> None:
    known = [row[0] for row in target.execute(f'SELECT name FROM pragma_table_info("{table}")')]
    # An older copy has fewer columns than this version.
    places = [place for place, name in enumerate(columns) if name in known]
    if not places or not rows:
        return
    names = ", ".join(f'"{columns[place]}"' for place in places)
    marks = ", ".join("?" * len(places))
    target.executemany(
        f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})',
        ([row[place] for place in places] for row in rows),
    )


def _write_journal(target: sqlite3.Connection, journal: Salvaged) -> int:
    """Write the edits and chain them anew; returns the last number."""
    before, number = START, 0
    for number, identity, created, digest in numbered(journal):
        (edit, changes, persons), before = journal.edits[identity], chained(before, number, created, digest)
        target.execute(f"INSERT INTO edit {_columns('id clip kind author seconds undoes created token content')}", edit)
        target.executemany(
            f"INSERT INTO edit_change {_columns('clip edit frame place person joint x y visibility provenance')}",
            ((edit[1], identity, *change) for change in changes),
        )
        target.executemany(
            f"INSERT INTO edit_person {_columns('clip edit place person action into')}",
            ((edit[1], identity, *person) for person in persons),
        )
        target.execute("INSERT INTO edit_chain VALUES (?, ?, ?, ?, ?)", (number, identity, created, digest, before))
    return number


def _columns(words: str) -> str:
    names = words.split()
    return f"({', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)}) VALUES ({', '.join('?' * len(names))})"


def _write_losses(
    target: sqlite3.Connection, sources: Sequence[sqlite3.Connection], journal: Salvaged, last: int, head: Head | None
) -> list[Loss]:
    """Take note of the numbers that are gone, those given up earlier among them; returns the new ones."""
    there = {row[0] for row in target.execute("SELECT number FROM edit_chain")}
    earlier: set[int] = set()
    dates = {number: created for number, (_, created, _) in journal.links.items()}
    if head:
        dates.setdefault(head.number, head.created)
    for source in sources:
        if columns_of(source, "journal_loss"):
            for _, first, upto, since, until, noted in rows_by_key(source, "journal_loss", "key")[0]:
                if not 0 < first <= upto < MOST_EDITS:
                    continue
                gone = set(range(first, upto + 1)) - there - earlier
                for a, b in _ranges(gone):
                    _note(target, Loss(a, b, since, until), noted)
                earlier |= gone
    newest = max([last, head.number if head else 0, *journal.links], default=0)
    lost = [
        Loss(a, b, dates.get(a, ""), dates.get(b, "")) for a, b in _ranges(set(range(1, newest + 1)) - there - earlier)
    ]
    for loss in lost:
        _note(target, loss, datetime.now(UTC).isoformat(timespec="milliseconds"))
    return lost


def _note(target: sqlite3.Connection, loss: Loss, noted: str) -> None:
    row = (loss.first, loss.last, loss.since, loss.until, noted)
    target.execute("INSERT INTO journal_loss (first, last, since, until, noted) VALUES (?, ?, ?, ?, ?)", row)


def _ranges(numbers: set[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _stand_in_clips(target: sqlite3.Connection) -> None:
    """Give edits whose clip is lost one that says so: its media can be named by ``emc relink``."""
    rows = target.execute(
        "SELECT clip, max(frame), max(joint) FROM edit_change WHERE clip NOT IN (SELECT key FROM clip) GROUP BY clip"
    ).fetchall()
    for key, frame, joint in rows:
        target.execute(
            'INSERT INTO clip (key, id, path, role, "group", frames, width, height, kind, fps, sha256, tags, joints, '
            "created) VALUES (?, ?, '', 'target', ?, ?, 1, 1, 'video', 0, '', '{}', ?, ?)",
            (key, f"recovered-{key}", f"recovered-{key}", frame + 1, joint + 1, datetime.now(UTC).isoformat()),
        )


def _drop_orphans(target: sqlite3.Connection) -> None:
    """Leave out rows of runs whose run or clip is lost: they can be computed again."""
    target.execute("DELETE FROM run WHERE clip NOT IN (SELECT key FROM clip)")
    for table in OF_RUN:
        target.execute(f'DELETE FROM "{table}" WHERE run NOT IN (SELECT key FROM run)')


def _last_link(file: Path) -> Link | None:
    with closing(sqlite3.connect(file)) as opened:
        row = opened.execute("SELECT * FROM edit_chain ORDER BY number DESC LIMIT 1").fetchone()
    return None if row is None else Link(row[0], row[1], row[2], bytes(row[3]), bytes(row[4]))


def _put_in_place(new: Path, file: Path) -> None:
    with new.open("rb") as written:
        os.fsync(written.fileno())
    # Before the rename: SQLite would replay the old log over the new file. Its copy lies beside the kept file.
    for log in LOGS:
        file.with_name(file.name + log).unlink(missing_ok=True)
    new.replace(file)


def _remove(path: Path) -> None:
    for one in (path, *(path.with_name(path.name + log) for log in LOGS)):
        with suppress(OSError):
            one.unlink(missing_ok=True)
