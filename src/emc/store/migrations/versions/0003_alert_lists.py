"""Alerts of a run may be written beside the old ones and then take their place; blocks hold them by columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ``run.alerts`` and the table ``alert_block``."""
    op.add_column("run", sa.Column("alerts", sa.Integer, nullable=True))
    op.create_table(
        "alert_block",
        sa.Column("run", sa.Integer, sa.ForeignKey("run.key"), primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
