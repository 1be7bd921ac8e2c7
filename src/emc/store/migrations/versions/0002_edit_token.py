"""Edits may carry the sender's own name, so that one that is sent twice is stored once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ``edit.token``."""
    op.add_column("edit", sa.Column("token", sa.Text, nullable=True))
    op.create_index("ux_edit_token", "edit", ["token"], unique=True)
