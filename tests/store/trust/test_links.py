"""The chain: numbers, digests and hashes, against values formed by hand."""

from __future__ import annotations

import hashlib
import json
import math
import struct

import pytest

from emc.store.sql import SqlStore
from emc.store.trust.links import START, chained, digest_of_rows, edits_words, last_link

EDIT = (1, 1, "drag", "ana", 1.5, 0, "2026-12-01T10:00:00.000+00:00", None, None)


def test_the_digest_is_of_all_that_is_stored() -> None:
    head = json.dumps(list(EDIT)).encode()
    change = struct.pack("<4q2d2q", 3, 0, 0, 5, 7.0, 8.0, 2, 2)
    person = struct.pack("<4q", 0, 4, 2, 1)
    by_hand = hashlib.sha256(head + change + b"persons" + person).digest()
    assert digest_of_rows(EDIT, [(3, 0, 0, 5, 7.0, 8.0, 2, 2)], [(0, 4, 2, 1)]) == by_hand


def test_what_databases_do_not_keep_does_not_matter() -> None:
    one = digest_of_rows(EDIT, [(3, 0, 0, 5, None, -0.0, 2, 2)], [])
    assert one == digest_of_rows(EDIT, [(3, 0, 0, 5, math.nan, 0.0, 2, 2)], [])


def test_every_edit_is_chained_to_the_one_before(store: SqlStore, drag) -> None:
    store.append_edit(drag(1))
    stored = store.append_edit(drag(2), token="tab-1")
    store.append_edit(drag(2), token="tab-1")
    with store._database.reading() as connection:
        last = last_link(connection)
    assert last is not None
    assert (last.number, last.edit, last.created) == (2, stored.id, stored.created)
    first = store.edits()[0]
    digests = [
        digest_of_rows((1, 1, "drag", "ana", 1.5, 0, first.created, None, None), [(1, 0, 0, 0, 7.0, 8.0, 2, 2)], []),
        last.digest,
    ]
    before = chained(START, 1, first.created, digests[0])
    assert last.chain == chained(before, 2, stored.created, digests[1])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((30, 60, "2026-11-30T10:00", "2026-11-30T11:00"), "edits 30 to 60 of 2026-11-30"),
        ((30, 60, "2026-11-30T10:00", "2026-12-01T11:00"), "edits 30 to 60 of 2026-11-30 to 2026-12-01"),
        ((7, 7, "", "2026-12-01T11:00"), "edit 7 of 2026-12-01"),
        ((7, 9), "edits 7 to 9"),
    ],
)
def test_how_edits_are_named(args: tuple[int, int, str, str], words: str) -> None:
    assert edits_words(*args) == words
