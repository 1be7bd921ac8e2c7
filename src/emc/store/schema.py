"""The tables of a project, as the newest migration leaves them.

Inside, clips and runs go by integer keys; outside, by the string ids of the records. Missing numbers are NULL (SQLite
has no NaN). The tables are plain SQL: the same on SQLite and PostgreSQL.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Schema versions that this code can read, oldest first; the last is what it writes."""

metadata = MetaData()

clip = Table(
    "clip",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("path", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fps", Double, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("tags", Text, nullable=False),  # JSON object of strings
    Column("times", LargeBinary),  # little-endian float64, seconds
    Column("joints", Integer, nullable=False),  # 1 + the largest joint index that the clip's journal names
    Column("created", Text, nullable=False),
    Column("removed", Text),  # when, ISO UTC; NULL = in use
    Column("relative", Text),  # path from the project's folder; NULL = not known
    Column("files", Text),  # JSON: [[name, bytes, modified in ns, SHA-256], ...] by frame; NULL = not noted yet
    Column("earlier", Text),  # JSON: SHA-256 of content that this one replaced; NULL = none
    Column("file_fps", Double),  # the rate at which the file plays where fps was told; NULL = fps is the file's
    Column("pixel_aspect", Double),  # width of the file's pixels by their height; NULL = frames are as they are stored
)

run = Table(
    "run",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("clip", Integer, ForeignKey("clip.key"), nullable=False),
    Column("model", Text, nullable=False),
    Column("skeleton", Text, nullable=False),
    Column("settings", Text, nullable=False),  # JSON object
    Column("settings_hash", Text, nullable=False),  # of the skeleton and the settings
    Column("created", Text, nullable=False),
    Column("next_frame", Integer, nullable=False),  # frames below are done
    # 0 = not complete, -1 = no run but a list of alerts, else its place in the order of completion
    Column("finished", Integer, nullable=False),
    Column("alerts", Integer),  # key under which the run's alerts stand; NULL = its own
    sqlite_autoincrement=True,
)
Index("ix_run_clip", run.c.clip, run.c.finished)
# Two processes that begin the same prediction share one run.
Index(
    "ux_run_unfinished",
    run.c.clip,
    run.c.model,
    run.c.settings_hash,
    unique=True,
    sqlite_where=text("finished = 0"),
    postgresql_where=text("finished = 0"),
)

prediction = Table(
    "prediction",
    metadata,
    Column("run", Integer, ForeignKey("run.key"), primary_key=True, autoincrement=False),
    Column("frame", Integer, primary_key=True, autoincrement=False),
    Column("person", Integer, primary_key=True, autoincrement=False),
    Column("joints", SmallInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),  # see packing.py
    sqlite_with_rowid=False,
)

# `rank` and `place` number the rows of a run from 0 in the two orders in which lists are asked for: a page anywhere in
# a list of a million rows is then one short range of an index, where OFFSET would walk over all rows before it.
alert = Table(
    "alert",
    metadata,
    Column("run", Integer, ForeignKey("run.key"), primary_key=True, autoincrement=False),
    Column("rank", Integer, primary_key=True, autoincrement=False),  # 0 = most severe
    Column("person", Integer, nullable=False),
    Column("joint", SmallInteger, nullable=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("severity", Double, nullable=False),
    sqlite_with_rowid=False,
)

frame_alert = Table(
    "frame_alert",
    metadata,
    Column("run", Integer, ForeignKey("run.key"), primary_key=True, autoincrement=False),
    Column("frame", Integer, primary_key=True, autoincrement=False),
    Column("lost", SmallInteger, nullable=False),
    Column("low", SmallInteger, nullable=False),
    Column("rank", Integer, nullable=False),  # worst first: most lost, then most low, then earliest
    Column("place", Integer, nullable=False),  # by frame
    sqlite_with_rowid=False,
)
Index("ux_frame_alert_rank", frame_alert.c.run, frame_alert.c.rank, unique=True)
Index("ux_frame_alert_place", frame_alert.c.run, frame_alert.c.place, unique=True)

# The same alerts once more, packed by columns (see alert_columns.py): a list of a million is read in a moment.
alert_block = Table(
    "alert_block",
    metadata,
    Column("run", Integer, ForeignKey("run.key"), primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("rows", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Triggers (in the migrations) refuse UPDATE and DELETE on the five tables of the journal.
edit = Table(
    "edit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("clip", Integer, ForeignKey("clip.key"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("undoes", Integer, nullable=False),  # 0 = takes nothing back
    Column("created", Text, nullable=False),
    Column("token", Text),  # the sender's own name for the edit: sent twice, stored once
    Column("content", Text),  # digest of what was asked under the token; NULL = no token, or an older version wrote it
    sqlite_autoincrement=True,
)
Index("ix_edit_clip_undoes", edit.c.clip, edit.c.undoes)
Index("ux_edit_token", edit.c.token, unique=True)

edit_change = Table(
    "edit_change",
    metadata,
    Column("clip", Integer, ForeignKey("clip.key"), primary_key=True, autoincrement=False),
    Column("frame", Integer, primary_key=True, autoincrement=False),
    Column("edit", Integer, ForeignKey("edit.id"), primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),  # within the edit
    Column("person", Integer, nullable=False),
    Column("joint", SmallInteger, nullable=False),
    Column("x", Double),
    Column("y", Double),
    Column("visibility", SmallInteger, nullable=False),
    Column("provenance", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("ux_edit_change_edit", edit_change.c.edit, edit_change.c.place, unique=True)

edit_person = Table(
    "edit_person",
    metadata,
    Column("clip", Integer, ForeignKey("clip.key"), primary_key=True, autoincrement=False),
    Column("edit", Integer, ForeignKey("edit.id"), primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),  # within the edit
    Column("person", Integer, nullable=False),
    Column("action", SmallInteger, nullable=False),  # of `PersonAction`
    Column("into", Integer, nullable=False),  # -1 = nobody
    sqlite_with_rowid=False,
)
Index("ux_edit_person_edit", edit_person.c.edit, edit_person.c.place, unique=True)

# The chain over the journal (see trust/links.py); no foreign key: a link outlives an edit that is lost.
edit_chain = Table(
    "edit_chain",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("edit", Integer, nullable=False),
    Column("created", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of what the edit holds
    Column("chain", LargeBinary, nullable=False),  # SHA-256 of the chain before it, number, time and digest
)
Index("ux_edit_chain_edit", edit_chain.c.edit, unique=True)

# Edits whose loss was accepted: the numbers go on behind them.
journal_loss = Table(
    "journal_loss",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("since", Text, nullable=False),  # "" = not known
    Column("until", Text, nullable=False),
    Column("noted", Text, nullable=False),
)

document = Table(
    "document",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("json", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("replaced", Text),  # when it was last written over
    sqlite_autoincrement=True,
)
Index("ux_document_kind_name", document.c.kind, document.c.name, unique=True)
