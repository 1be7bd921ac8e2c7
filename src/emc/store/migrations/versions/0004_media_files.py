"""Clips remember the files of their media, and where these lie as seen from the project's folder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ``clip.relative``, ``clip.files`` and ``clip.earlier``; what old clips lack is noted when they are used."""
    for name in ("relative", "files", "earlier"):
        op.add_column("clip", sa.Column(name, sa.Text, nullable=True))
