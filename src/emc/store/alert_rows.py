"""Alerts and (m, n) of a prediction run in the database.

Both lists are written as a whole, so each row gets its rank then, and a page is read as a range of ranks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select

from emc.errors import UsageError
from emc.pose.records import Alert, AlertReason, FrameAlerts
from emc.store import schema

_ROWS_AT_ONCE = 20_000


def replace_alerts(connection: Connection, key: int, alerts: Sequence[Alert], frames: Sequence[FrameAlerts]) -> None:
    """Put alerts and (m, n) of a run in place of those before; raises `UsageError` where a frame comes twice."""
    _refuse_doubles(frames)
    for table in (schema.alert, schema.frame_alert):
        connection.execute(delete(table).where(table.c.run == key))
    _insert(connection, schema.alert, _alert_rows(key, alerts))
    _insert(connection, schema.frame_alert, _frame_rows(key, frames))


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


def _page(order: ColumnElement[int], limit: int | None, offset: int) -> list[ColumnElement[bool]]:
    page = [order >= offset]
    return page if limit is None else [*page, order < offset + limit]


def _alert_rows(key: int, alerts: Sequence[Alert]) -> list[Mapping[str, Any]]:
    ordered = sorted(alerts, key=lambda alert: (-alert.severity, alert.first, alert.person, alert.joint))
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
        for rank, alert in enumerate(ordered)
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


def _insert(connection: Connection, table: Table, rows: list[Mapping[str, Any]]) -> None:
    left = iter(rows)
    while part := list(islice(left, _ROWS_AT_ONCE)):
        connection.execute(insert(table), part)


def _refuse_doubles(frames: Sequence[FrameAlerts]) -> None:
    seen: set[int] = set()
    for row in frames:
        if row.frame in seen:
            raise UsageError(f"two (m, n) for frame {row.frame}: give each frame one")
        seen.add(row.frame)
