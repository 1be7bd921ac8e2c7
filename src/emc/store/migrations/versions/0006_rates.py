"""Clips remember the rate of their file beside the one they were told, and the shape of its pixels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ``clip.file_fps`` and ``clip.pixel_aspect``; pictures lose the rate of 1 that nobody had told.

    Frames of old clips stay as they are stored in the file: that is where their corrections are.
    """
    for name in ("file_fps", "pixel_aspect"):
        op.add_column("clip", sa.Column(name, sa.Double, nullable=True))
    op.execute("UPDATE clip SET fps = 0, times = NULL WHERE kind = 'images'")
