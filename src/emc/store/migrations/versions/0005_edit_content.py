"""Edits that were sent under a token remember what was asked, so that the token never stands for something else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ``edit.content``."""
    op.add_column("edit", sa.Column("content", sa.Text, nullable=True))
