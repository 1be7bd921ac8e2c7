"""Long lists of alerts: written beside the current one in short transactions, then put in its place in one.

A list that is being written stands under a key of its own in the table of runs (``finished`` = -1), which nothing
else reads. Edits made meanwhile wait for one part at most.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

import emc.store.schema as schema
from emc.pose.records import Alert, FrameAlerts
from emc.store.alerts.rows import delete_part, insert_part, rows_in_parts
from emc.store.database import Database
from emc.store.rows.clips import new_key, now

LET_OTHERS_WRITE = 0.01
"""Seconds between two parts of a long list: a writer that waits for its turn looks again within them."""
_HIDDEN = -1
_ABANDONED_HOURS = 1
"""A list that nobody finished for so long belongs to a process that died."""


def list_key(connection: Connection, run: int) -> int:
    """Return the key under which the alerts of a run stand."""
    table = schema.run
    return connection.execute(select(table.c.alerts).where(table.c.key == run)).scalar() or run


def write_long_list(database: Database, run: int, alerts: Sequence[Alert], frames: Sequence[FrameAlerts]) -> None:
    """Replace a run's alerts and (m, n); what was begun long ago and never finished is cleared away too."""
    with database.writing_bulk() as connection:
        key = begin_list(connection, run)
    for part in rows_in_parts(key, alerts, frames):
        with database.writing_bulk() as connection:
            insert_part(connection, part)
        time.sleep(LET_OTHERS_WRITE)
    with database.writing_bulk() as connection:
        # The old list goes after the switch: killed before it, the run still has one; killed after, nobody reads it.
        old = [switch_list(connection, run, key), *abandoned_lists(connection)]
    for before in old:
        _drop(database, before)


def _drop(database: Database, key: int) -> None:
    more = True
    while more:
        with database.writing_bulk() as connection:
            more = delete_part(connection, key)
            if not more:
                forget_list(connection, key)
        time.sleep(LET_OTHERS_WRITE)


def begin_list(connection: Connection, run: int) -> int:
    """Make room for a new list of a run, unseen; returns its key."""
    table = schema.run
    clip = connection.execute(select(table.c.clip).where(table.c.key == run)).scalar_one()
    values = {"clip": clip, "model": "", "skeleton": "", "settings": "{}", "settings_hash": f"alerts of {run}"}
    made = connection.execute(insert(table).values(created=now(), next_frame=0, finished=_HIDDEN, **values))
    return new_key(made)


def switch_list(connection: Connection, run: int, key: int) -> int:
    """Let the list under `key` be the run's; returns the key of the one before."""
    before = list_key(connection, run)
    table = schema.run
    connection.execute(update(table).where(table.c.key == run).values(alerts=key))
    return before


def forget_list(connection: Connection, key: int) -> None:
    """Remove the key of an emptied list; a run's own key stays."""
    table = schema.run
    connection.execute(delete(table).where(table.c.key == key, table.c.finished == _HIDDEN))


def abandoned_lists(connection: Connection) -> list[int]:
    """Return the keys of lists that were begun long ago and never became a run's."""
    table = schema.run
    before = (datetime.now(UTC) - timedelta(hours=_ABANDONED_HOURS)).isoformat(timespec="milliseconds")
    used = select(table.c.alerts).where(table.c.alerts.is_not(None))
    query = select(table.c.key).where(table.c.finished == _HIDDEN, table.c.created < before, table.c.key.not_in(used))
    return list(connection.execute(query).scalars())
