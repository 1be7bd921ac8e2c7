"""Reads of a database whose pages may be damaged: what can be read of a range, and what an edit holds as stored."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

import emc.store.schema as schema
from emc.store.trust.links import digest_of_rows

T = TypeVar("T")
FAULTS = (DBAPIError, sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What reading a damaged page raises, of SQLAlchemy and of the driver."""

MOST_FAULTS = 20_000
"""Reads in vain in one table: around one lost page there are some tens, and one for each of its keys."""
_e, _c, _p = schema.edit.c, schema.edit_change.c, schema.edit_person.c
_EDIT = (_e.id, _e.clip, _e.kind, _e.author, _e.seconds, _e.undoes, _e.created, _e.token, _e.content)
_CHANGE = (_c.edit, _c.frame, _c.place, _c.person, _c.joint, _c.x, _c.y, _c.visibility, _c.provenance)
_PERSON = (_p.edit, _p.place, _p.person, _p.action, _p.into)


def read_around(read: Callable[[int, int], list[T]], first: int, last: int) -> list[T]:
    """Return what `read` gives for keys first..last; where pages are damaged, what can be read around them.

    After `MOST_FAULTS` reads in vain it gives up on the rest: where the root of a table is gone, every key would fail.
    """
    found: list[T] = []
    ranges, faults = [(first, last)], 0
    while ranges and faults < MOST_FAULTS:
        low, high = ranges.pop()
        if low > high:
            continue
        try:
            found += read(low, high)
        except FAULTS:
            faults += 1
            middle = (low + high) // 2
            if low < high:
                # The lower half comes first: what is found stays in the order of the keys.
                ranges += [(middle + 1, high), (low, middle)]
    return found


def or_none(read: Callable[[], T]) -> T | None:
    """Return what `read` gives, None where a damaged page is in its way."""
    try:
        return read()
    except FAULTS:
        return None


def edit_digests(connection: Connection, first: int, last: int) -> list[tuple[int, bytes]]:
    """Return (id, digest of what is stored) of the edits with ids first..last, by id."""
    edits = connection.execute(select(*_EDIT).where(_e.id.between(first, last)).order_by(_e.id)).all()
    changes = _by_edit(
        connection.execute(select(*_CHANGE).where(_c.edit.between(first, last)).order_by(_c.edit, _c.place))
    )
    persons = _by_edit(
        connection.execute(select(*_PERSON).where(_p.edit.between(first, last)).order_by(_p.edit, _p.place))
    )
    return [(row.id, digest_or_nothing(tuple(row), changes.get(row.id, []), persons.get(row.id, []))) for row in edits]


def digest_or_nothing(edit: tuple[Any, ...], changes: list[Any], persons: list[Any]) -> bytes:
    """Return the digest of a stored edit, b"" where a damaged page holds other types than an edit has."""
    try:
        return digest_of_rows(edit, changes, persons)
    except (TypeError, ValueError, OverflowError, struct.error):
        return b""


def _by_edit(rows: Iterable[Any]) -> dict[int, list[Any]]:
    return {key: [row[1:] for row in group] for key, group in groupby(rows, key=lambda row: row[0])}
