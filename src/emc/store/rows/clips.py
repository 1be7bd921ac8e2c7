"""Clips in the database."""

from __future__ import annotations

import json
import math
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, CursorResult, RowMapping, insert, select, update

import emc.store.schema as schema
from emc.errors import ProjectError, UsageError
from emc.pose.records import Clip, MediaFile, Role
from emc.untrusted import in_one_line, safe_name, shown

WRITTEN_BY_OTHERS = "the project was not written by emc, or is damaged: see `emc verify`"
_TIME = np.dtype("<f8")
_WITHOUT_TIMES = tuple(column for column in schema.clip.c if column.name != "times")


def now() -> str:
    """Return the time in ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_key(inserted: CursorResult[Any]) -> int:
    """Return the key that the database gave to a row just inserted."""
    key = inserted.inserted_primary_key
    if key is None:
        raise ProjectError("the database gave no key to a new row: check it with `emc doctor`")
    return key[0]


def insert_clip(connection: Connection, clip: Clip) -> None:
    """Store a clip; one that was removed comes back where it is the same media.

    Raises `UsageError` where the id is taken, by a clip in use or by other media whose edits the journal still holds.
    """
    old = connection.execute(select(schema.clip).where(schema.clip.c.id == clip.id)).mappings().first()
    if old is None:
        connection.execute(insert(schema.clip).values(id=clip.id, joints=0, created=now(), **_values(clip)))
        return
    if old["removed"] is None:
        raise UsageError(f"clip {clip.id} is in the project already ({old['path']}): choose another id for {clip.path}")
    if (old["sha256"], old["frames"]) != (clip.sha256, clip.frames) or (not clip.sha256 and old["path"] != clip.path):
        raise UsageError(
            f"clip id {clip.id} belonged to other media ({old['path']}, removed {old['removed']}) whose edits are "
            f"kept: choose another id for {clip.path}"
        )
    connection.execute(update(schema.clip).where(schema.clip.c.key == old["key"]).values(removed=None, **_values(clip)))


def mark_removed(connection: Connection, clip: str) -> None:
    """Take a clip out of use; raises `UsageError` where there is none of that id."""
    key = clip_key(connection, clip)
    connection.execute(update(schema.clip).where(schema.clip.c.key == key).values(removed=now()))


def replace_clip(connection: Connection, clip: Clip) -> None:
    """Write a clip over the one of the same id; raises `UsageError` where there is no such clip."""
    key = clip_key(connection, clip.id)
    connection.execute(update(schema.clip).where(schema.clip.c.key == key).values(**_values(clip)))


def select_clips(connection: Connection, role: str | None, removed: bool = False) -> list[Clip]:
    """Return the clips in use, by id, without times; `removed`: those out of use instead, the last removed first."""
    query = select(*_WITHOUT_TIMES).where(schema.clip.c.removed.is_(None)).order_by(schema.clip.c.id)
    if removed:
        query = select(*_WITHOUT_TIMES).where(schema.clip.c.removed.is_not(None)).order_by(schema.clip.c.removed.desc())
    if role is not None:
        query = query.where(schema.clip.c.role == role)
    return [_record(row) for row in connection.execute(query).mappings()]


def select_clip(connection: Connection, clip: str) -> Clip:
    """Return one clip in use, with times; raises `UsageError` naming the clips that exist."""
    key = clip_key(connection, clip)
    return _record(connection.execute(select(schema.clip).where(schema.clip.c.key == key)).mappings().one())


def clip_key(connection: Connection, clip: str, removed: bool = False) -> int:
    """Return a clip's key; `removed`: also of one that is out of use. Raises `UsageError` naming those that exist."""
    return clip_key_and_joints(connection, clip, removed)[0]


def clip_key_and_joints(connection: Connection, clip: str, removed: bool = False) -> tuple[int, int]:
    """Return a clip's key, as `clip_key` does, and the number of joints that its journal needs."""
    table = schema.clip
    row = connection.execute(select(table.c.key, table.c.joints, table.c.removed).where(table.c.id == clip)).first()
    if row is not None and (removed or row.removed is None):
        return row.key, row.joints
    names = [found.id for found in select_clips(connection, None)]
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    raise UsageError(
        f"there is no clip '{clip}' in the project: " + (f"use one of {shown}" if names else "add one with `emc add`")
    )


def _values(clip: Clip) -> dict[str, object]:
    times = None if clip.times is None else np.asarray(clip.times).astype(_TIME, copy=False).tobytes()
    return {
        "path": clip.path,
        "role": str(clip.role),
        "group": clip.group,
        "frames": int(clip.frames),
        "width": int(clip.width),
        "height": int(clip.height),
        "kind": clip.kind,
        "fps": float(clip.fps),
        "sha256": clip.sha256,
        "tags": json.dumps(dict(clip.tags)),
        "times": times,
        "relative": clip.relative or None,
        "files": json.dumps([astuple(file) for file in clip.files]) if clip.files else None,
        "earlier": json.dumps(clip.earlier) if clip.earlier else None,
        "file_fps": float(clip.file_fps) or None,
        "pixel_aspect": float(clip.pixel_aspect),
    }


def _record(row: RowMapping) -> Clip:
    with in_one_line(f"the clip '{shown(row['id'])}'", WRITTEN_BY_OTHERS, ProjectError):
        return _checked(row)


def _checked(row: RowMapping) -> Clip:
    """Return a row as a record; raises what conversion raises, or `ValueError` that says what no clip can have."""
    times = row.get("times")
    numbers = {name: row[name] for name in ("frames", "width", "height")}
    for name, value in numbers.items():
        if not isinstance(value, int) or not 0 < value < 2**31:
            raise ValueError(f"{name} = {shown(value)}")
    files = tuple(MediaFile(*file) for file in json.loads(row["files"] or "[]"))
    for file in files:
        safe_name(file.name, "file name")
    tags = json.loads(row["tags"])
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise ValueError(f"tags = {shown(tags)}")
    if times is not None and len(times) not in (0, _TIME.itemsize * row["frames"]) and len(times) % _TIME.itemsize:
        raise ValueError(f"{len(times)} bytes of times")
    return Clip(
        id=safe_name(row["id"], "clip id"),
        path=row["path"],
        role=Role(row["role"]),
        group=row["group"],
        frames=row["frames"],
        width=row["width"],
        height=row["height"],
        kind=row["kind"],
        fps=_rate(row["fps"]),
        sha256=row["sha256"],
        tags=tags,
        times=None if times is None else np.frombuffer(times, dtype=_TIME).astype(np.float64),
        files=files,
        earlier=tuple(json.loads(row["earlier"] or "[]")),
        relative=row["relative"] or "",
        file_fps=_rate(row["file_fps"] or 0.0),
        pixel_aspect=_rate(row["pixel_aspect"] or 1.0),
    )


def _rate(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"a rate of {shown(value)}")
    return float(value)
