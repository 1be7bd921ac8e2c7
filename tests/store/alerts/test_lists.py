"""Long lists of alerts are written beside the old ones, and then take their place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import emc.store.alerts.lists as alert_lists
import emc.store.alerts.rows as alert_rows
from emc.pose.records import Alert, AlertReason, Edit, FrameAlerts
from emc.store.sql import SqlStore

LOST, JUMP = AlertReason.LOST, AlertReason.JUMP
OLD = [Alert("kick", 0, 0, 0, 1, LOST, 0.5)]


def made(count: int, severity: float = 0.9) -> tuple[list[Alert], list[FrameAlerts]]:
    alerts = [Alert("kick", 0, i % 3, i, i + 1, JUMP if i % 2 else LOST, severity - i / 1000) for i in range(count)]
    return alerts, [FrameAlerts(i, i % 2, 1) for i in range(count)]


@pytest.fixture
def run(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(alert_rows, "ROWS_AT_ONCE", 8)
    monkeypatch.setattr("emc.store.alerts.rows.ROWS_AT_ONCE", 8)
    found = store.start_run("kick", "nano", "tiny", {}).id
    store.finish_run(found)
    store.write_alerts(found, OLD, [FrameAlerts(0, 1, 0)])
    return found


def test_a_long_list_takes_the_place_of_the_one_before(store: SqlStore, run: str) -> None:
    alerts, frames = made(30)
    store.write_alerts(run, alerts, frames)
    assert store.alerts(run) == alerts
    assert store.alerts(run, limit=2, offset=10) == alerts[10:12]
    assert store.frame_alerts(run, worst_first=False) == frames
    assert store.alert_counts(run) == (30, 30)
    store.write_alerts(run, alerts[:20], frames[:25])
    assert (store.alerts(run), store.alert_counts(run)) == (alerts[:20], (20, 25))
    store.write_alerts(run, OLD, [])
    assert (store.alerts(run), store.alert_counts(run)) == (OLD, (1, 0))


def test_nothing_is_left_of_lists_that_were_replaced(store: SqlStore, run: str) -> None:
    for _ in range(3):
        store.write_alerts(run, *made(30))
    with store._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT count(*), count(DISTINCT run) FROM alert").one()
        hidden = connection.exec_driver_sql("SELECT count(*) FROM run WHERE finished = -1").scalar()
        blocks = connection.exec_driver_sql("SELECT sum(rows), count(DISTINCT run) FROM alert_block").one()
    assert (tuple(rows), hidden, tuple(blocks)) == ((30, 1), 1, (30, 1))


def test_a_list_that_is_being_written_is_no_run(store: SqlStore, run: str) -> None:
    store.write_alerts(run, *made(30))
    assert [found.id for found in store.runs()] == [run]
    assert [found.id for found in store.runs("kick")] == [run]
    assert store.current_runs()["kick"].id == run
    current = store.current_run("kick")
    assert current is not None
    assert current.id == run


def test_edits_come_in_between_and_readers_see_the_old_list_until_the_end(
    store: SqlStore, run: str, drag: Callable[..., Edit], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Alert]] = []

    def meanwhile(seconds: float) -> None:
        store.append_edit(drag(len(seen)))
        seen.append(store.alerts(run))

    monkeypatch.setattr(alert_lists.time, "sleep", meanwhile)
    alerts, frames = made(30)
    store.write_alerts(run, alerts, frames)
    parts = len(list(alert_rows.rows_in_parts(0, alerts, frames)))
    assert len(store.edits()) == len(seen) > parts == 12
    assert seen[:parts] == [OLD] * parts
    assert all(found == alerts for found in seen[parts:])


def test_a_list_whose_writer_died_is_cleared_away_by_a_later_one(store: SqlStore, run: str) -> None:
    with store._database.writing_bulk() as connection:
        key = alert_lists.begin_list(connection, 1)
        for part in alert_rows.rows_in_parts(key, *made(10)):
            alert_rows.insert_part(connection, part)
    store.write_alerts(run, *made(30))
    with store._database.writing() as connection:
        count = connection.exec_driver_sql(f"SELECT count(*) FROM alert WHERE run = {key}").scalar()
        assert count == 10  # it may still be at work
        connection.exec_driver_sql(f"UPDATE run SET created = '2020-01-01T00:00:00.000+00:00' WHERE key = {key}")
    store.write_alerts(run, *made(31))
    with store._database.reading() as connection:
        assert connection.exec_driver_sql(f"SELECT count(*) FROM alert WHERE run = {key}").scalar() == 0
        assert connection.exec_driver_sql(f"SELECT count(*) FROM run WHERE key = {key}").scalar() == 0


def test_the_state_changes_with_the_list(store: SqlStore, run: str) -> None:
    states = [store.alert_state(run)]
    for count in (30, 30, 2):
        store.write_alerts(run, *made(count))
        states.append(store.alert_state(run))
    assert len(set(states)) == 4
