"""The first schema: clips, runs, predictions, alerts, the append-only journal, documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JOURNAL = ("edit", "edit_change")


def upgrade() -> None:
    """Create all tables."""
    _clips_and_runs()
    _predictions()
    _alerts()
    _journal()
    _documents()
    for table in JOURNAL:
        _append_only(table)


def _clips_and_runs() -> None:
    op.create_table(
        "clip",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("group", sa.Text, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("fps", sa.Double, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("times", sa.LargeBinary),
        sa.Column("joints", sa.Integer, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("removed", sa.Text),
    )
    op.create_table(
        "run",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("clip", sa.Integer, sa.ForeignKey("clip.key"), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("skeleton", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("settings_hash", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("next_frame", sa.Integer, nullable=False),
        sa.Column("finished", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_run_clip", "run", ["clip", "finished"])
    unfinished = sa.text("finished = 0")
    op.create_index(
        "ux_run_unfinished",
        "run",
        ["clip", "model", "settings_hash"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def _predictions() -> None:
    op.create_table(
        "prediction",
        sa.Column("run", sa.Integer, sa.ForeignKey("run.key"), primary_key=True, autoincrement=False),
        sa.Column("frame", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("joints", sa.SmallInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("run", sa.Integer, sa.ForeignKey("run.key"), primary_key=True, autoincrement=False),
        sa.Column("rank", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("joint", sa.SmallInteger, nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("severity", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "frame_alert",
        sa.Column("run", sa.Integer, sa.ForeignKey("run.key"), primary_key=True, autoincrement=False),
        sa.Column("frame", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("lost", sa.SmallInteger, nullable=False),
        sa.Column("low", sa.SmallInteger, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ux_frame_alert_rank", "frame_alert", ["run", "rank"], unique=True)
    op.create_index("ux_frame_alert_place", "frame_alert", ["run", "place"], unique=True)


def _journal() -> None:
    op.create_table(
        "edit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("clip", sa.Integer, sa.ForeignKey("clip.key"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("undoes", sa.Integer, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_edit_clip_undoes", "edit", ["clip", "undoes"])
    op.create_table(
        "edit_change",
        sa.Column("clip", sa.Integer, sa.ForeignKey("clip.key"), primary_key=True, autoincrement=False),
        sa.Column("frame", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("edit", sa.Integer, sa.ForeignKey("edit.id"), primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("joint", sa.SmallInteger, nullable=False),
        sa.Column("x", sa.Double),
        sa.Column("y", sa.Double),
        sa.Column("visibility", sa.SmallInteger, nullable=False),
        sa.Column("provenance", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ux_edit_change_edit", "edit_change", ["edit", "place"], unique=True)


def _documents() -> None:
    op.create_table(
        "document",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("json", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("replaced", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ux_document_kind_name", "document", ["kind", "name"], unique=True)


def _append_only(table: str) -> None:
    """Refuse UPDATE and DELETE: triggers are the one thing that each database spells its own way."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the edit journal is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_journal_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'the edit journal is append-only'); END"
        )
