from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import text

from emc.errors import ProjectError
from emc.pose.records import Alert, AlertReason, FrameAlerts
from emc.store.alerts.columns import joined, pack_block, unpack_block
from emc.store.sql import SqlStore

LOST, SWAP = AlertReason.LOST, AlertReason.SWAP
SOME = [Alert("kick", -1, 16, 5, 9, SWAP, 0.875), Alert("kick", 3, 0, 0, 99, LOST, 0.25)]


def test_a_block_comes_back_as_it_was() -> None:
    columns = unpack_block(2, pack_block(SOME))
    assert columns.person.tolist() == [-1, 3]
    assert columns.joint.tolist() == [16, 0]
    assert (columns.first.tolist(), columns.last.tolist()) == ([5, 0], [9, 99])
    assert columns.severity.tolist() == [0.875, 0.25]
    assert [columns.reasons[i] for i in columns.reason] == ["swap", "lost"]


def test_blocks_with_different_reasons_are_joined() -> None:
    parts = [unpack_block(1, pack_block(SOME[:1])), unpack_block(1, pack_block(SOME[1:]))]
    columns = joined(parts)
    assert [columns.reasons[i] for i in columns.reason] == ["swap", "lost"]
    assert len(joined([])) == 0


def test_a_damaged_block_is_refused() -> None:
    with pytest.raises(ProjectError, match="damaged"):
        unpack_block(2, pack_block(SOME)[:-1])


def test_columns_are_those_of_the_rows_also_where_there_are_no_blocks(store: SqlStore) -> None:
    run = store.start_run("kick", "nano", "tiny", {}).id
    store.write_alerts(run, SOME[::-1], [FrameAlerts(0, 1, 1)])
    columns = store.alert_columns(run)
    assert columns.joint.tolist() == [16, 0]  # most severe first, as the rows
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM alert_block")  # a project of an earlier version
    old = store.alert_columns(run)
    for name in ("person", "joint", "first", "last", "severity"):
        np.testing.assert_array_equal(getattr(old, name), getattr(columns, name))
    assert len(store.alert_columns(store.start_run("kick", "other", "tiny", {}).id)) == 0


def test_many_runs_are_asked_for_at_once(store: SqlStore) -> None:
    runs = [store.start_run("kick", f"model-{n}", "tiny", {}).id for n in range(3)]
    for n, run in enumerate(runs[:2]):
        alerts = [Alert("kick", 0, joint, 1, 2, AlertReason.LOST, 0.9 - joint / 10) for joint in range(n + 1)]
        store.write_alerts(run, alerts, [FrameAlerts(frame, 1, 0) for frame in range(5 + n)])
    states = store.alert_states([*runs, "no run"])
    assert states == {run: store.alert_state(run) for run in runs}
    assert [states[run][1:] for run in runs] == [(1, 5), (2, 6), (0, 0)]
    columns = store.all_alert_columns(runs)
    assert {run: found.joint.tolist() for run, found in columns.items()} == {runs[0]: [0], runs[1]: [0, 1], runs[2]: []}
    # A version that kept no blocks: the rows themselves are read.
    with store._database.writing() as connection:
        connection.execute(text("DELETE FROM alert_block"))
    assert store.all_alert_columns(runs)[runs[1]].joint.tolist() == [0, 1]
    assert (store.alert_states([]), store.all_alert_columns([])) == ({}, {})
