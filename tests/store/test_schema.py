"""The tables, and the indexes that lists go by."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

import emc.store.schema
from emc.pose.records import Alert, AlertReason, FrameAlerts
from emc.store.sql import SqlStore


def test_the_migrations_lead_to_the_tables(store: SqlStore) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, emc.store.schema.metadata) == []


def test_the_revisions_are_those_of_the_migrations() -> None:
    scripts = ScriptDirectory(str(Path(emc.store.schema.__file__).parent / "migrations"))
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == emc.store.schema.REVISIONS


@pytest.fixture
def plans(store: SqlStore) -> list[str]:
    """What SQLite does for each SELECT that follows."""
    seen: list[str] = []

    def explain(connection, cursor, statement, parameters, _context, many) -> None:
        if statement.startswith("SELECT") and not many:
            found = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            seen.extend(row[3] for row in found)

    event.listen(store._database.engine, "before_cursor_execute", explain)
    return seen


def test_lists_and_frames_are_read_by_index(store: SqlStore, plans: list[str], predicted, drag) -> None:
    run = store.start_run("kick", "nano", "tiny", {}).id
    store.write_predictions(run, [predicted(frame) for frame in range(20)])
    alerts = [Alert("kick", 0, 0, frame, frame, AlertReason.LOST, 0.5) for frame in range(20)]
    store.write_alerts(run, alerts, [FrameAlerts(frame, 1, 2) for frame in range(20)])
    store.finish_run(run)
    store.append_edit(drag(3))
    reads = {
        "frame_alert USING INDEX ux_frame_alert_rank (run=? AND rank>? AND rank<?)": lambda: store.frame_alerts(
            run, 5, 5
        ),
        "frame_alert USING INDEX ux_frame_alert_place (run=? AND place>? AND place<?)": lambda: store.frame_alerts(
            run, 5, 5, worst_first=False
        ),
        "frame_alert USING PRIMARY KEY (run=? AND frame>? AND frame<?)": lambda: store.frame_alerts_between(run, 2, 4),
        "alert USING PRIMARY KEY (run=? AND rank>? AND rank<?)": lambda: store.alerts(run, 5, 5),
        "prediction USING PRIMARY KEY (run=? AND frame>? AND frame<?)": lambda: list(store.predictions(run, 3, 3)),
        "run USING COVERING INDEX ix_run_clip (clip=? AND finished>?)": lambda: store.current_run("kick"),
    }
    for expected, read in reads.items():
        plans.clear()
        read()
        assert any(expected in step for step in plans), (expected, plans)
        assert not [step for step in plans if step.startswith("SCAN") or "TEMP B-TREE" in step], plans


def test_poses_of_a_frame_read_only_its_part_of_the_journal(store: SqlStore, plans: list[str], drag) -> None:
    store.append_edit(drag(3))
    plans.clear()
    store.poses("kick", None, 3, 3)
    assert any("edit_change USING PRIMARY KEY (clip=? AND frame>? AND frame<?)" in step for step in plans), plans
    assert any("edit USING COVERING INDEX ix_edit_clip_undoes (clip=? AND undoes=?" in step for step in plans), plans
    assert not [step for step in plans if step.startswith("SCAN")], plans


def test_long_reads_go_on_by_index(
    store: SqlStore, plans: list[str], predicted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emc.store.rows.runs.PAGE", 5)
    run = store.start_run("kick", "nano", "tiny", {}).id
    store.write_predictions(run, [predicted(frame) for frame in range(20)])
    plans.clear()
    assert len(list(store.predictions(run))) == 20
    assert any("prediction USING PRIMARY KEY (run=? AND (frame,person)>(?,?))" in step for step in plans), plans
