"""Rows that can be read of several copies of one database, damaged or not: the first copy that has a row gives it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from emc.store.trust.links import digest_of_rows
from emc.store.trust.reading import digest_or_nothing, or_none, read_around

SINGLE = {"clip": "key", "run": "key", "document": "key"}
"""Tables with one key, that journal and predictions refer to or that stand alone."""
OF_RUN = {"prediction": "frame", "alert": "rank", "frame_alert": "frame", "alert_block": "part"}
"""Tables of a run's rows, with the second part of their key."""
_EDIT = "id, clip, kind, author, seconds, undoes, created, token, content"
_CHANGE = "edit, frame, place, person, joint, x, y, visibility, provenance"
_PERSON = 'edit, place, person, action, "into"'
_AT_ONCE = 200
MOST_FRAMES = 2**24
"""Frames that a clip of the journal can have: up to here its damaged table is searched."""

Source = sqlite3.Connection


@dataclass(slots=True)
class Salvaged:
    """Edits that were found whole, with the links that are known: number -> (edit, time, digest)."""

    edits: dict[int, tuple[Any, ...]] = field(default_factory=dict[int, tuple[Any, ...]])
    links: dict[int, tuple[int, str, bytes]] = field(default_factory=dict[int, tuple[int, str, bytes]])
    sources: dict[int, int] = field(default_factory=dict[int, int])


def columns_of(source: Source, table: str) -> list[str]:
    """Return the columns of a table, [] where the table or the schema cannot be read."""
    found = or_none(lambda: source.execute(f'SELECT name FROM pragma_table_info("{table}")').fetchall())
    return [row[0] for row in found or []]


def bounds(source: Source, table: str, key: str, where: str = "1") -> tuple[int, int]:
    """Return the smallest and the largest key that can be read, (0, -1) where there is none."""
    ends = [
        or_none(lambda order=order: source.execute(
            f'SELECT "{key}" FROM "{table}" WHERE {where} ORDER BY "{key}" {order} LIMIT 1').fetchone())
        for order in ("", "DESC")
    ]  # fmt: skip
    numbers = [row[0] for row in ends if row and isinstance(row[0], int)]
    return (min(numbers), max(numbers)) if numbers else (0, -1)


def rows_by_key(source: Source, table: str, key: str, last: int = -1, where: str = "1") -> tuple[list[Any], bool]:
    """Return the rows of a table that can be read, and whether these are all.

    last : the largest key that there can be, where a damaged end hides it; -1: as the table says.
    """
    lost = False

    def read(first: int, upto: int) -> list[Any]:
        nonlocal lost
        try:
            return source.execute(
                f'SELECT * FROM "{table}" WHERE {where} AND "{key}" BETWEEN ? AND ? ORDER BY "{key}"', (first, upto)
            ).fetchall()
        except sqlite3.Error:
            lost = True
            raise

    if not columns_of(source, table):
        return [], False
    low, high = bounds(source, table, key, where)
    return read_around(read, min(low, 0), max(high, last)), not lost


def salvage_journal(sources: Sequence[Source]) -> Salvaged:
    """Return the edits whose content is what their links say, from the first source that has them so."""
    found = Salvaged()
    for source in sources:
        if columns_of(source, "edit_chain"):
            for number, edit, created, digest, _ in rows_by_key(source, "edit_chain", "number")[0]:
                if isinstance(edit, int) and isinstance(created, str) and isinstance(digest, bytes):
                    found.links.setdefault(number, (edit, created, digest))
    told = {edit: digest for edit, _, digest in found.links.values()}
    for place, source in enumerate(sources):
        last = max([*told, bounds(source, "edit", "id")[1]], default=0)
        # Without its link an edit cannot be told from a half of it; projects of older versions have none.
        unlinked = not columns_of(source, "edit_chain")
        for start in range(1, last + 1, _AT_ONCE):
            for identity, row in _edits(source, start, start + _AT_ONCE - 1):
                proven = told[identity] == digest_or_nothing(*row) if identity in told else unlinked
                if identity not in found.edits and proven:
                    found.edits[identity], found.sources[identity] = row, place
        if not told.keys() <= found.edits.keys() and columns_of(source, "edit"):
            _read_past_indexes(source, place, told, found)
    return found


def _read_past_indexes(source: Source, place: int, told: dict[int, bytes], found: Salvaged) -> None:
    """Find edits whose changes an index hides: their table is read in its own order, damaged pages left out."""
    clips = [row[0] for row in or_none(lambda: source.execute("SELECT DISTINCT clip FROM edit").fetchall()) or []]
    changes: dict[int, list[Any]] = {}
    for clip in {*clips, *(row[0] for row in rows_by_key(source, "clip", "key")[0])}:
        where = f"clip = {int(clip)}"
        for _, frame, edit, *row in rows_by_key(source, "edit_change", "frame", MOST_FRAMES, where)[0]:
            changes.setdefault(edit, []).append((frame, *row))
    for edit in (row for row in rows_by_key(source, "edit", "id")[0] if row[0] not in found.edits):
        values = dict(zip(columns_of(source, "edit"), edit, strict=False))
        said = tuple(values.get(name) for name in _EDIT.split(", "))
        of_edit = sorted(changes.get(edit[0], []), key=lambda row: row[1])
        persons = or_none(
            lambda identity=edit[0]: _by_edit(source, f"SELECT {_PERSON} FROM edit_person", identity, identity)
        )
        whole = (said, of_edit, (persons or {}).get(edit[0], []))
        if told.get(edit[0]) == digest_or_nothing(*whole):
            found.edits[edit[0]], found.sources[edit[0]] = whole, place


def _edits(source: Source, first: int, last: int) -> list[tuple[int, tuple[Any, ...]]]:
    """Return (id, (edit, changes, persons)) of what can be read of the edits first..last."""

    def read(low: int, high: int) -> list[tuple[int, tuple[Any, ...]]]:
        rows = source.execute(f"SELECT {_EDIT} FROM edit WHERE id BETWEEN ? AND ? ORDER BY id", (low, high)).fetchall()
        changes = _by_edit(source, f"SELECT {_CHANGE} FROM edit_change", low, high)
        persons = _by_edit(source, f"SELECT {_PERSON} FROM edit_person", low, high)
        return [(row[0], (row, changes.get(row[0], []), persons.get(row[0], []))) for row in rows]

    return read_around(read, first, last) if columns_of(source, "edit") else []


def _by_edit(source: Source, query: str, first: int, last: int) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for edit, *row in source.execute(f"{query} WHERE edit BETWEEN ? AND ? ORDER BY edit, place", (first, last)):
        found.setdefault(edit, []).append(tuple(row))
    return found


def numbered(found: Salvaged) -> list[tuple[int, int, str, bytes]]:
    """Return (number, edit, time, digest) of the edits that were found, by number.

    An edit whose link is lost gets a free number between those of its neighbours, by the order of ids; where there is
    none, the edit cannot be told from one that something else wrote, and gets one after the last.
    """
    of_edit = {edit: number for number, (edit, _, _) in found.links.items()}
    taken, before = set(found.links), 0
    placed: list[tuple[int, int, str, bytes]] = []
    for identity in sorted(found.edits):
        row = found.edits[identity]
        number = of_edit.get(identity)
        if number is None:
            number = next(n for n in range(before + 1, before + len(taken) + 2) if n not in taken)
            taken.add(number)
        before = max(before, number)
        placed.append((number, identity, row[0][6], digest_of_rows(*row)))
    return sorted(placed)
