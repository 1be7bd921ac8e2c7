"""What edits of the journal say of whole people, in the database."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

import emc.store.schema as schema
from emc.errors import UsageError
from emc.pose.records import Edit, PersonAction, PersonChange


def insert_persons(connection: Connection, clip: int, edit: Edit) -> None:
    """Append what an edit says of people; raises `UsageError` for a merge of a person with themselves or nobody."""
    for change in edit.persons:
        if change.action is PersonAction.MERGE and (change.into < 0 or change.into == change.person):
            raise UsageError(
                f"person {change.person} of clip {edit.clip} cannot be merged into {change.into}: name another person"
            )
    rows = [
        {"clip": clip, "edit": edit.id, "place": place, "person": change.person, "action": int(change.action)}
        | {"into": change.into}
        for place, change in enumerate(edit.persons)
    ]
    if rows:
        connection.execute(insert(schema.edit_person), rows)


def select_persons(connection: Connection, chosen: ColumnElement[bool]) -> dict[int, tuple[PersonChange, ...]]:
    """Return edit id -> what it says of people, for edits that say something. chosen : of the table of edits."""
    edit, person = schema.edit, schema.edit_person
    query = select(person).join(edit, person.c.edit == edit.c.id).where(chosen)
    return _by_edit(connection.execute(query.order_by(person.c.edit, person.c.place)))


def persons_of_clip(connection: Connection, clip: int) -> dict[int, tuple[PersonChange, ...]]:
    """Return edit id -> what it says of people, of a clip."""
    person = schema.edit_person
    query = select(person).where(person.c.clip == clip).order_by(person.c.clip, person.c.edit, person.c.place)
    return _by_edit(connection.execute(query))


def _by_edit(rows: Iterable[Any]) -> dict[int, tuple[PersonChange, ...]]:
    return {
        key: tuple(PersonChange(row.person, PersonAction(row.action), row.into) for row in group)
        for key, group in groupby(rows, key=lambda row: row.edit)
    }


def last_named(connection: Connection, clip: int) -> int:
    """Return the largest number of a person that such edits of a clip name, -1 where there is none."""
    table = schema.edit_person
    query = select(func.max(table.c.person), func.max(table.c.into)).where(table.c.clip == clip)
    found = connection.execute(query).one()
    return max((-1 if value is None else value for value in found), default=-1)
