"""JSON documents in the database: cards of calibration sets, ladders, reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

import emc.store.schema as schema
from emc.errors import ProjectError, UsageError
from emc.store.rows.clips import now
from emc.untrusted import in_one_line, shown


def replace_document(connection: Connection, kind: str, name: str, text: str) -> None:
    """Store a document; one of the same name is written over and keeps its place in the order."""
    table = schema.document
    named = (table.c.kind == kind, table.c.name == name)
    written = connection.execute(update(table).where(*named).values(json=text, replaced=now()))
    if not written.rowcount:
        connection.execute(insert(table).values(kind=kind, name=name, json=text, created=now()))


def select_document(connection: Connection, kind: str, name: str) -> dict[str, Any] | None:
    """Return a document, None where there is none."""
    table = schema.document
    text = connection.execute(select(table.c.json).where(table.c.kind == kind, table.c.name == name)).scalar()
    if text is None:
        return None
    what = f"the document {shown(kind)} '{shown(name)}'"
    with in_one_line(what, "the project was not written by emc, or is damaged: see `emc verify`", ProjectError):
        document = json.loads(text)
        if not isinstance(document, dict):
            raise TypeError("it is no JSON object")
        return document


def select_names(connection: Connection, kind: str) -> list[str]:
    """Return the names of a kind's documents, oldest first."""
    table = schema.document
    return list(connection.execute(select(table.c.name).where(table.c.kind == kind).order_by(table.c.key)).scalars())


def as_json(value: Mapping[str, Any], what: str) -> str:
    """Return JSON; numpy numbers and arrays become plain. Raises `UsageError` naming `what` for what JSON has not."""
    try:
        return json.dumps(dict(value), default=_plain)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what} cannot be stored as JSON ({error}): use numbers, text, lists and mappings") from error


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__}")
