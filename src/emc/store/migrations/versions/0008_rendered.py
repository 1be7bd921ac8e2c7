"""Clips that EMC rendered are told by a tag; demo projects of older versions lack it."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WRITTEN = {"motion", "clothing", "gender", "hair", "background"}
"""Tags that EMC's renderer gives all of its clips."""


def upgrade() -> None:
    """Add the tag ``source=rendered`` to clips that have all tags of the renderer, and no source of their own."""
    clip = sa.table("clip", sa.column("key", sa.Integer), sa.column("tags", sa.Text))
    bind = op.get_bind()
    for key, text in bind.execute(sa.select(clip.c.key, clip.c.tags)).all():
        tags = json.loads(text)
        if tags.keys() >= WRITTEN and "source" not in tags:
            told = json.dumps({**tags, "source": "rendered"})
            bind.execute(sa.update(clip).where(clip.c.key == key).values(tags=told))
