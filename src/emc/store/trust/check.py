"""Whether the journal is whole: quickly when a project is opened, in full by ``emc verify``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

import emc.store.schema as schema
from emc.store.trust.head import Head
from emc.store.trust.links import (
    START,
    Link,
    chained,
    edits_words,
    last_link,
    link_before,
    links_between,
    losses,
)
from emc.store.trust.reading import edit_digests, or_none, read_around

NEWEST = 64
"""Edits that are read again at every opening."""
MISSING = "missing"
DAMAGED = "damaged: what is stored is not what was acknowledged"
UNPROVEN = "not proven: the chain of hashes breaks here"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class JournalState:
    """What a check found. edits : how many are whole. faults : one line each.

    lost : (first, last) numbers of edits that are missing or damaged. accepted : losses of earlier days, of which
    ``emc recover`` took note, one line each.
    """

    edits: int
    faults: tuple[str, ...] = ()
    lost: tuple[tuple[int, int], ...] = ()
    accepted: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What a check knows while it runs: what is wrong with each number, its date, and which were given up earlier."""

    gone: set[int]
    wrong: dict[int, str] = field(default_factory=dict[int, str])
    dates: dict[int, str] = field(default_factory=dict[int, str])

    def missing(self, number: int) -> None:
        if number not in self.gone:
            self.wrong[number] = MISSING

    def lines(self) -> list[str]:
        return [
            " ".join((edits_words(a, b, self._date(a), self._date(b)), "is" if a == b else "are", wrong))
            for a, b, wrong in self.ranges()
        ]

    def ranges(self) -> list[tuple[int, int, str]]:
        """Return (first, last, what is wrong), neighbours with the same fault together."""
        ranges: list[tuple[int, int, str]] = []
        for number, wrong in sorted(self.wrong.items()):
            if ranges and ranges[-1][1:] == (number - 1, wrong):
                ranges[-1] = (ranges[-1][0], number, wrong)
            else:
                ranges.append((number, number, wrong))
        return ranges

    def _date(self, number: int) -> str:
        """The date of an edit; where its link is gone too, that of its nearest neighbour."""
        if number in self.dates or not self.dates:
            return self.dates.get(number, "")
        return self.dates[min(self.dates, key=lambda known: abs(known - number))]


def check_quickly(connection: Connection, head: Head | None) -> JournalState:
    """Check the end of the journal against `head`, the newest edits against the chain, and how many there are.

    A few milliseconds, for a short journal as for one of 100,000 edits.
    """
    last = last_link(connection)
    newest = last.number if last else 0
    return _checked(connection, head, max(1, newest - NEWEST + 1), newest)


def check_in_full(connection: Connection, head: Head | None) -> JournalState:
    """Read every edit and every link; damaged pages are read around (about 30 s for a million changes)."""
    last = or_none(lambda: last_link(connection))
    table = schema.edit_chain
    known = or_none(lambda: connection.execute(select(func.max(table.c.number))).scalar())
    return _checked(connection, head, 1, max(last.number if last else 0, known or 0))


def _checked(connection: Connection, head: Head | None, first: int, newest: int) -> JournalState:
    accepted = or_none(lambda: losses(connection)) or []
    found = _Found({number for loss in accepted for number in range(loss.first, loss.last + 1)})
    links = read_around(lambda a, b: links_between(connection, a, b), first, newest)
    found.dates = {link.number: link.created for link in links}
    before = or_none(lambda: link_before(connection, first))
    _check_chain(links, before, range(first, newest + 1), found)
    _check_edits(connection, links, found)
    more = _check_head(connection, head, newest, found)
    more += _check_counts(connection, newest, first > 1, found)
    lost = tuple((a, b) for a, b, wrong in found.ranges() if wrong != UNPROVEN)
    whole = newest - sum(number <= newest for number in found.gone | found.wrong.keys())
    return JournalState(whole, (*found.lines(), *more), lost, tuple(loss.words for loss in accepted))


def _check_chain(links: Sequence[Link], before: Link | None, numbers: range, found: _Found) -> None:
    chain = {link.number: link for link in links}
    # None: what stands before the next link is not known, so that its chain cannot be formed.
    last = START if before is None and numbers.start == 1 else before.chain if before else None
    for number in numbers:
        link = chain.get(number)
        if link is None:
            found.missing(number)
            last = last if number in found.gone else None
            continue
        if last is not None and link.chain != chained(last, number, link.created, link.digest):
            found.wrong[number] = UNPROVEN
        last = link.chain


def _check_edits(connection: Connection, links: Sequence[Link], found: _Found) -> None:
    for start in range(0, len(links), _AT_ONCE):
        part = links[start : start + _AT_ONCE]
        ids = [link.edit for link in part]
        stored = dict(read_around(lambda a, b: edit_digests(connection, a, b), min(ids), max(ids)))
        for link in part:
            if link.edit not in stored:
                found.wrong[link.number] = MISSING
            elif stored[link.edit] != link.digest:
                found.wrong[link.number] = DAMAGED


def _check_head(connection: Connection, head: Head | None, newest: int, found: _Found) -> list[str]:
    if head is None:
        return []
    for number in range(newest + 1, head.number + 1):
        found.missing(number)
    found.dates.setdefault(head.number, head.created)
    links = or_none(lambda: links_between(connection, head.number, head.number))
    if links and links[0].chain.hex() != head.chain:
        return [f"edit {head.number} is another one than was acknowledged: this database is that of another project"]
    return []


def _check_counts(connection: Connection, newest: int, quick: bool, found: _Found) -> list[str]:
    """Tell edits without a link and, where the check is quick, what is missing where it did not look."""
    edits, links = (
        or_none(lambda table=table: connection.execute(select(func.count()).select_from(table)).scalar())
        for table in (schema.edit, schema.edit_chain)
    )
    if edits is None or links is None:
        return ["the journal cannot be counted, since pages of it are damaged"] if quick or not found.wrong else []
    expected = newest - sum(number <= newest for number in found.gone)
    if quick and min(edits, links) < expected and not found.wrong:
        return [f"{expected - min(edits, links)} edits before the newest are missing"]
    if edits > links:
        return [f"{edits - links} edits are not in the chain of hashes: something else than emc wrote them"]
    return []
