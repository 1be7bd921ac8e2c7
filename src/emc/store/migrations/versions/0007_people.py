"""Edits may be of whole people: who is deleted, merged, restored, or the athlete; append-only as all of the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table ``edit_person``, which refuses changes; old journals hold nothing of it."""
    op.create_table(
        "edit_person",
        sa.Column("clip", sa.Integer, sa.ForeignKey("clip.key"), primary_key=True, autoincrement=False),
        sa.Column("edit", sa.Integer, sa.ForeignKey("edit.id"), primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Integer, nullable=False),
        sa.Column("action", sa.SmallInteger, nullable=False),
        sa.Column("into", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ux_edit_person_edit", "edit_person", ["edit", "place"], unique=True)
    _refuse_changes("edit_person")


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
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
