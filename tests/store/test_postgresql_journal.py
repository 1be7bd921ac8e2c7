"""The tests of the journal once more: on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.postgresql_cluster import emptied, missing, server

# The same tests: pytest finds them here again, and gives them the store below.
from tests.store.rows.test_edits import *  # noqa: F403

from emc.pose.records import Clip, Role
from emc.store.sql import SqlStore

# How each database spells what it refuses stands in test_postgresql.py.
del test_the_journal_is_append_only  # noqa: F821

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as found:
        yield found


@pytest.fixture
def store(address: str, tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.at(address, tmp_path / "kick.emc") as opened:
        opened.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
        yield opened
    emptied(address)
