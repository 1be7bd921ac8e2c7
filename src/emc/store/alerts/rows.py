"""Alerts and (m, n) of a prediction run in the database.

Both lists are written as a whole, so each row gets its rank then, and a page is read as a range of ranks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select

import emc.store.schema as schema
from emc.errors import UsageError
from emc.pose.records import Alert, AlertReason, FrameAlerts
from emc.store.alerts.columns import AlertColumns, joined, pack_block, unpack_block

ROWS_AT_ONCE = 8_000
"""Rows of one insert: the write lock is held for so long at most, where a list is written in parts."""

Part = tuple[Table, list[Mapping[str, Any]]]


def replace_alerts(connection: Connection, key: int, parts: Sequence[Part]) -> None:
    """Put alerts and (m, n), as `rows_in_parts` made them, in place of those before."""
    for table in (schema.alert, schema.frame_alert, schema.alert_block):
        connection.execute(delete(table).where(table.c.run == key))
    for part in parts:
        insert_part(connection, part)


def rows_in_parts(key: int, alerts: Sequence[Alert], frames: Sequence[FrameAlerts]) -> Iterator[Part]:
    """Yield all rows of alerts and (m, n) under a key, a part of one table at a time."""
    ordered = sorted(alerts, key=lambda alert: (-alert.severity, alert.first, alert.person, alert.joint))
    # 8,000 alerts hold the write lock for 50 to 90 ms of a processor; 32,000 for 230 ms, and are no faster in all.
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        some = ordered[start : start + ROWS_AT_ONCE]
        yield schema.alert, _alert_rows(key, some, start)
        block = {"run": key, "part": start // ROWS_AT_ONCE, "rows": len(some), "data": pack_block(some)}
        yield schema.alert_block, [block]
    rows = _frame_rows(key, frames)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield schema.frame_alert, rows[start : start + ROWS_AT_ONCE]


def insert_part(connection: Connection, part: Part) -> None:
    """Store one part."""
    table, rows = part
    connection.execute(insert(table), rows)


def select_columns(connection: Connection, key: int, clip: str) -> AlertColumns:
    """Return all alerts by columns, most severe first."""
    table = schema.alert_block
    query = select(table.c.rows, table.c.data).where(table.c.run == key).order_by(table.c.part)
    blocks = [(row.rows, row.data) for row in connection.execute(query)]
    if sum(rows for rows, _ in blocks) == count_alerts(connection, key)[0]:
        return joined([unpack_block(rows, data) for rows, data in blocks])
    # Written by a version that kept no blocks.
    alerts = select_alerts(connection, key, clip, None, 0)
    return joined([unpack_block(len(alerts), pack_block(alerts))] if alerts else [])


def delete_part(connection: Connection, key: int) -> bool:
    """Delete some of the rows under a key; returns whether there may be more."""
    for table, order in (
        (schema.alert, schema.alert.c.rank),
        (schema.frame_alert, schema.frame_alert.c.frame),
        (schema.alert_block, schema.alert_block.c.part),
    ):
        most = 16 if table is schema.alert_block else ROWS_AT_ONCE
        some = select(order).where(table.c.run == key).order_by(order).limit(most)
        found = [row[0] for row in connection.execute(some)]
        if found:
            connection.execute(delete(table).where(table.c.run == key, order <= found[-1]))
            return True
    return False


def select_alerts(connection: Connection, key: int, clip: str, limit: int | None, offset: int) -> list[Alert]:
    """Return alerts, most severe first."""
    table = schema.alert
    query = select(table).where(table.c.run == key, *_page(table.c.rank, limit, offset)).order_by(table.c.rank)
    return [
        Alert(clip, row.person, row.joint, row.first, row.last, AlertReason(row.reason), row.severity)
        for row in connection.execute(query)
    ]


def select_frame_alerts(
    connection: Connection, key: int, limit: int | None, offset: int, worst_first: bool
) -> list[FrameAlerts]:
    """Return a page of (m, n), worst first or by frame."""
    table = schema.frame_alert
    order = table.c.rank if worst_first else table.c.place
    query = select(table.c.frame, table.c.lost, table.c.low)
    query = query.where(table.c.run == key, *_page(order, limit, offset)).order_by(order)
    return [FrameAlerts(row.frame, row.lost, row.low) for row in connection.execute(query)]


def select_frame_range(connection: Connection, key: int, first: int, last: int) -> list[FrameAlerts]:
    """Return (m, n) of frames first..last, by frame."""
    table = schema.frame_alert
    query = select(table.c.frame, table.c.lost, table.c.low)
    query = query.where(table.c.run == key, table.c.frame.between(first, last)).order_by(table.c.frame)
    return [FrameAlerts(row.frame, row.lost, row.low) for row in connection.execute(query)]


def count_alerts(connection: Connection, key: int) -> tuple[int, int]:
    """Return how many alerts and how many (m, n) a run has."""
    counts = [
        connection.execute(select(func.max(table.c.rank)).where(table.c.run == key)).scalar()
        for table in (schema.alert, schema.frame_alert)
    ]
    alerts, frames = (0 if last is None else last + 1 for last in counts)
    return alerts, frames


def count_all_alerts(connection: Connection, runs: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    """Return run -> the key of its lists, how many alerts, and how many (m, n) it has: one query for all runs."""
    table = schema.run
    listed = func.coalesce(table.c.alerts, table.c.key).label("listed")
    rows = select(table.c.key, listed).where(table.c.key.in_(runs)).subquery()
    alerts, frames = (
        (select(func.max(counted.c.rank)).where(counted.c.run == rows.c.listed).scalar_subquery()).label(name)
        for name, counted in (("alerts", schema.alert), ("frames", schema.frame_alert))
    )
    return {
        row.key: (row.listed, 0 if row.alerts is None else row.alerts + 1, 0 if row.frames is None else row.frames + 1)
        for row in connection.execute(select(rows.c.key, rows.c.listed, alerts, frames))
    }


def select_all_columns(connection: Connection, listed: Mapping[int, tuple[int, int, int]]) -> dict[int, AlertColumns]:
    """Return run -> its alerts by columns, most severe first, for what `count_all_alerts` says of the runs.

    A run whose alerts were written by a version that kept no blocks is left out.
    """
    table = schema.alert_block
    blocks: dict[int, list[tuple[int, bytes]]] = {key: [] for key, _, _ in listed.values()}
    query = select(table.c.run, table.c.rows, table.c.data).where(table.c.run.in_(list(blocks)))
    for row in connection.execute(query.order_by(table.c.run, table.c.part)):
        blocks[row.run].append((row.rows, row.data))
    return {
        run: joined([unpack_block(rows, data) for rows, data in blocks[key]])
        for run, (key, alerts, _) in listed.items()
        if sum(rows for rows, _ in blocks[key]) == alerts
    }


def _page(order: ColumnElement[int], limit: int | None, offset: int) -> list[ColumnElement[bool]]:
    page = [order >= offset]
    return page if limit is None else [*page, order < offset + limit]


def _alert_rows(key: int, ordered: Sequence[Alert], start: int) -> list[Mapping[str, Any]]:
    return [
        {
            "run": key,
            "rank": rank,
            "person": int(alert.person),
            "joint": int(alert.joint),
            "first": int(alert.first),
            "last": int(alert.last),
            "reason": str(alert.reason),
            "severity": float(alert.severity),
        }
        for rank, alert in enumerate(ordered, start)
    ]


def _frame_rows(key: int, frames: Sequence[FrameAlerts]) -> list[Mapping[str, Any]]:
    by_frame = sorted(frames, key=lambda row: row.frame)
    worst = sorted(range(len(by_frame)), key=lambda i: (-by_frame[i].lost, -by_frame[i].low, by_frame[i].frame))
    rank = [0] * len(by_frame)
    for place_in_worst, place in enumerate(worst):
        rank[place] = place_in_worst
    return [
        {
            "run": key,
            "frame": int(row.frame),
            "lost": int(row.lost),
            "low": int(row.low),
            "rank": rank[place],
            "place": place,
        }
        for place, row in enumerate(by_frame)
    ]


def refuse_doubles(frames: Sequence[FrameAlerts]) -> None:
    """Raise `UsageError` where a frame comes twice."""
    seen: set[int] = set()
    for row in frames:
        if row.frame in seen:
            raise UsageError(f"two (m, n) for frame {row.frame}: give each frame one")
        seen.add(row.frame)
