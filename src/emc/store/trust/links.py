"""The chain over the journal: for every edit a running number, a digest of what it holds, and a hash over all before.

The links lie in a table of their own, on other pages than the edits: where a page of edits is lost, its links still say
which numbers and dates are gone. The digest is of the stored values, so that any later reader can form it again; the
chain is ``SHA-256(chain before + number + time + digest)``. It finds damage and loss, not a forger, who could form it
anew: there is no secret in it.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

import emc.store.schema as schema

START = bytes(32)
"""The chain before the first edit."""

MOST_EDITS = 5_000_000
"""Edits that a journal can have: larger numbers are damage, and counting up to them would take the memory."""
_CHANGE = struct.Struct("<qqqqddqq")
_PERSON = struct.Struct("<qqqq")
_NUMBER = struct.Struct("<q")
_NAN = struct.unpack("<d", struct.pack("<d", math.nan))[0]


@dataclass(frozen=True, slots=True)
class Link:
    """One edit's place in the chain. number : from 1, without gaps. created : ISO UTC."""

    number: int
    edit: int
    created: str
    digest: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class Loss:
    """Edits first..last, whose loss was accepted by ``emc recover``, with their dates where they are known."""

    first: int
    last: int
    since: str
    until: str

    @property
    def words(self) -> str:
        """As messages say it."""
        return edits_words(self.first, self.last, self.since, self.until)


def edits_words(first: int, last: int, since: str = "", until: str = "") -> str:
    """Return ``edits 30 to 60 of 2026-11-30``; the dates are left out where they are not known."""
    days = list(dict.fromkeys(day for day in (since[:10], until[:10]) if day))
    when = f" of {' to '.join(days)}" if days else ""
    return (f"edit {first}" if first == last else f"edits {first} to {last}") + when


def digest_of_rows(edit: Sequence[Any], changes: Iterable[Sequence[Any]], persons: Iterable[Sequence[Any]]) -> bytes:
    """Return the digest of one stored edit.

    edit : (id, clip, kind, author, seconds, undoes, created, token, content). changes, by place : (frame, place,
    person, joint, x, y, visibility, provenance), missing x or y as None or NaN. persons, by place : (place, person,
    action, into).
    """
    identity, clip, kind, author, seconds, *rest = edit
    # + 0.0: SQLite gives -0.0 back as 0.0.
    head = json.dumps([identity, clip, kind, author, float(seconds) + 0.0, *rest])
    digest = hashlib.sha256(head.encode())
    for frame, place, person, joint, x, y, visibility, provenance in changes:
        row = _CHANGE.pack(frame, place, person, joint, _place(x), _place(y), visibility, provenance)
        digest.update(row)
    digest.update(b"persons")
    for row in persons:
        digest.update(_PERSON.pack(*row))
    return digest.digest()


def chained(before: bytes, number: int, created: str, digest: bytes) -> bytes:
    """Return the chain up to an edit, from the one before it."""
    return hashlib.sha256(before + _NUMBER.pack(number) + created.encode() + digest).digest()


def append_link(connection: Connection, edit: int, created: str, digest: bytes) -> Link:
    """Chain an edit that was just stored; the caller holds the write lock."""
    last = last_link(connection)
    # After a loss at the end the numbers go on behind it: a number never stands for two edits.
    lost = connection.execute(select(func.max(schema.journal_loss.c.last))).scalar() or 0
    number = 1 + max(last.number if last else 0, lost)
    link = Link(number, edit, created, digest, chained(last.chain if last else START, number, created, digest))
    connection.execute(insert(schema.edit_chain), [_values(link)])
    return link


def last_link(connection: Connection) -> Link | None:
    """Return the newest link, None where the journal is empty."""
    table = schema.edit_chain
    row = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()
    return None if row is None else link_of(row)


def link_before(connection: Connection, number: int) -> Link | None:
    """Return the newest link before a number, None where there is none."""
    table = schema.edit_chain
    query = select(table).where(table.c.number < number).order_by(table.c.number.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else link_of(row)


def links_between(connection: Connection, first: int, last: int) -> list[Link]:
    """Return the links of numbers first..last that there are, by number."""
    table = schema.edit_chain
    rows = connection.execute(select(table).where(table.c.number.between(first, last)).order_by(table.c.number))
    return [link_of(row) for row in rows]


def losses(connection: Connection) -> list[Loss]:
    """Return the losses that were accepted, in the order of their numbers."""
    table = schema.journal_loss
    rows = connection.execute(select(table).order_by(table.c.first))
    found = [Loss(row.first, row.last, row.since, row.until) for row in rows]
    for loss in found:
        if not 0 < loss.first <= loss.last < MOST_EDITS:
            raise ValueError(f"a loss of edits {loss.first} to {loss.last}")
    return found


def note_losses(connection: Connection, lost: Sequence[tuple[int, int]]) -> None:
    """Take note of numbers first..last that are gone, so that the journal goes on behind them."""
    noted = datetime.now(UTC).isoformat(timespec="milliseconds")
    for first, last in lost:
        row = {"first": first, "last": last, "since": "", "until": "", "noted": noted}
        connection.execute(insert(schema.journal_loss), [row])


def link_of(row: Any) -> Link:
    """Return a row of ``edit_chain`` as a link."""
    return Link(row.number, row.edit, row.created, bytes(row.digest), bytes(row.chain))


def _values(link: Link) -> dict[str, object]:
    return {name: getattr(link, name) for name in ("number", "edit", "created", "digest", "chain")}


def _place(value: float | None) -> float:
    # One NaN for all: its bits are not kept by the database.
    return _NAN if value is None or value != value else float(value) + 0.0
