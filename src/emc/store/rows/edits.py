"""The edit journal in the database: append, read, and what of it stands."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

import emc.store.schema as schema
from emc.errors import ConflictError, UsageError
from emc.pose.journal import JointKey, joint_versions, undone_edits
from emc.pose.people import EVERYBODY, People, edits_of_people, people_of
from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.store.rows.clips import clip_key, new_key, now
from emc.store.rows.edit_persons import insert_persons, last_named, persons_of_clip, select_persons
from emc.store.rows.runs import places_of
from emc.store.trust.links import Link, append_link, digest_of_rows

MAX_JOINTS = 1000
"""A joint index from here on is a mistake, and would make every pose of the clip that long."""
MOST_ASKED = 1000
"""Edits that are asked for by their ids; of more of them all of the clip's are read."""

MAX_PERSON = 2**31 - 1
"""The largest number that every database's INTEGER holds."""


def insert_edit(
    connection: Connection, edit: Edit, expect: Mapping[JointKey, int], token: str, content: str = ""
) -> tuple[Edit, Link | None]:
    """Append an edit and return it with its id and time, and its link; None where it was stored already.

    expect : (frame, person, joint) -> id of the edit that the sender last saw decide the joint, 0 where none did.
    token : the sender's own name for the edit; one that is stored already is returned, not stored twice.
    content : digest of what the sender asked for, "" for that of the edit itself.
    Raises `UsageError` for an edit that cannot be, `ConflictError` where a joint changed since, where the edit to take
    back is taken back already or another author's, and where the token stands for other content.
    """
    clip = clip_key(connection, edit.clip)
    content = content or digest_of(edit)
    # Before all checks: an edit that was sent again is stored, and its own changes would count as a conflict.
    if token and (stored := edit_of_token(connection, token, content)):
        return stored, None
    _check_changes(connection, clip, edit)
    if edit.undoes:
        _check_undo(connection, clip, edit)
    _check_versions(connection, clip, edit, expect)
    # The checks above and this insert are one transaction with the write lock held: between two transactions another
    # browser could change the joint that was just compared.
    stored = replace(edit, created=edit.created or now())
    values = {"kind": edit.kind, "author": edit.author, "seconds": float(edit.seconds), "undoes": int(edit.undoes)}
    sent = {"token": token, "content": content} if token else {}
    made = connection.execute(insert(schema.edit).values(clip=clip, created=stored.created, **sent, **values))
    stored = replace(stored, id=new_key(made))
    _insert_changes(connection, clip, stored)
    insert_persons(connection, clip, stored)
    digest = _digest(clip, stored, sent.get("token"), sent.get("content"))
    return stored, append_link(connection, stored.id, stored.created, digest)


def _digest(clip: int, edit: Edit, token: str | None, content: str | None) -> bytes:
    """Return the digest of an edit as it was just stored; see `emc.store.trust.links`."""
    said = (edit.id, clip, edit.kind, edit.author, float(edit.seconds), int(edit.undoes), edit.created, token, content)
    changes = (
        (int(c.frame), place, int(c.person), int(c.joint), float(c.x), float(c.y), int(c.visibility), int(c.provenance))
        for place, c in enumerate(edit.changes)
    )
    persons = ((place, int(c.person), int(c.action), int(c.into)) for place, c in enumerate(edit.persons))
    return digest_of_rows(said, changes, persons)


def select_edits(connection: Connection, clip: str | None, after: int) -> list[Edit]:
    """Return the journal past edit `after`, oldest first, of one clip (in use or not) or of all."""
    # What is asked most often, and answered by one look at the end of the table.
    if after and last_id(connection) <= after:
        return []
    chosen = schema.edit.c.id > after
    if clip is not None:
        key = clip_key(connection, clip, removed=True)
        # + 0 keeps SQLite from the index of clips: it would walk through all of the clip's edits to find the newest.
        chosen &= (schema.edit.c.clip + 0 if after else schema.edit.c.clip) == key
    return _select(connection, chosen)


def select_edit(connection: Connection, edit: int) -> Edit | None:
    """Return one edit by its id, None where there is none."""
    return next(iter(_select(connection, schema.edit.c.id == edit)), None)


def edit_of_token(connection: Connection, token: str, content: str) -> Edit | None:
    """Return the edit that was sent under a token, None where there is none.

    Raises `ConflictError` where the token stands for other content. An edit that an older version stored has no
    content to compare; its token is then enough.
    """
    table = schema.edit
    row = connection.execute(select(table.c.id, table.c.content).where(table.c.token == token)).first()
    if row is None:
        return None
    # A token that is reused by accident would otherwise be answered with another edit, and the page would believe its
    # own was stored.
    if row.content not in (None, content):
        raise ConflictError(
            f"edit token '{token}' belongs to edit {row.id}, which asked for something else: nothing was stored; use "
            "a new token"
        )
    return _select(connection, table.c.id == row.id)[0]


def digest_of(edit: Edit) -> str:
    """Return the digest of what an edit does: the same for an edit that is sent again, whoever measured its time."""
    said = [list(row.values()) for row in _rows(0, edit)]
    asked: list[object] = [edit.clip, edit.kind, edit.author, edit.undoes, said]
    if edit.persons:
        asked.append([[change.person, int(change.action), change.into] for change in edit.persons])
    text = json.dumps(asked)
    return hashlib.sha256(text.encode()).hexdigest()


def last_id(connection: Connection) -> int:
    """Return the id of the newest edit, 0 where there is none."""
    return connection.execute(select(func.max(schema.edit.c.id))).scalar() or 0


def last_person(connection: Connection, clip: int) -> int:
    """Return the largest number of a person that a clip's edits name, -1 where there is none."""
    table = schema.edit_change
    found = connection.execute(select(func.max(table.c.person)).where(table.c.clip == clip)).scalar()
    return max(-1 if found is None else found, last_named(connection, clip))


def people_in(connection: Connection, clip: int) -> People:
    """Return what the journal says of a clip's people."""
    persons = persons_of_clip(connection, clip)
    if not persons:
        return EVERYBODY
    gone = _gone(connection, clip, persons)
    return people_of(Edit("", "", (), persons=persons[key]) for key in sorted(persons) if key not in gone)


def standing_edits(
    connection: Connection, clip: int, first: int, last: int | None, run: int | None = None, without: int = 0
) -> list[Edit]:
    """Return the edits that count for frames first..last, oldest first, with their changes of those frames only.

    The changes are of the people as they are now. run : whose predictions decide where a person is, for those who were
    merged. without : an edit that is taken for one that was never made.
    """
    table = schema.edit_change
    query = select(table).where(table.c.clip == clip, table.c.frame >= first)
    if last is not None:
        query = query.where(table.c.frame <= last)
    rows = connection.execute(query.order_by(table.c.edit, table.c.place))
    found = {identity: tuple(map(_change, group)) for identity, group in groupby(rows, key=lambda row: row.edit)}
    left_out = _left_out(connection, clip, found, without)
    edits = [
        Edit(clip="", kind="", changes=changes, id=identity)
        for identity, changes in found.items()
        if identity not in left_out
    ]
    people = people_in(connection, clip)
    there = places_of(connection, run, set(people.merged.values()), first, last) if people.merged and run else ()
    return edits_of_people(edits, people, there)


def standing_versions(
    connection: Connection, clip: int, first: int, last: int | None, run: int | None = None
) -> dict[JointKey, int]:
    """Return (frame, person, joint) -> id of the edit that decides it."""
    return joint_versions(standing_edits(connection, clip, first, last, run))


def _select(connection: Connection, chosen: ColumnElement[bool]) -> list[Edit]:
    edit, change = schema.edit, schema.edit_change
    changes = connection.execute(
        select(change).join(edit, change.c.edit == edit.c.id).where(chosen).order_by(change.c.edit, change.c.place)
    )
    of_edit = {key: tuple(_change(row) for row in group) for key, group in groupby(changes, key=lambda row: row.edit)}
    persons = select_persons(connection, chosen)
    rows = connection.execute(
        select(edit, schema.clip.c.id.label("clip_id"))
        .join(schema.clip, edit.c.clip == schema.clip.c.key)
        .where(chosen)
        .order_by(edit.c.id)
    )
    return [
        Edit(
            row.clip_id,
            row.kind,
            of_edit.get(row.id, ()),
            row.author,
            row.seconds,
            row.undoes,
            row.id,
            row.created,
            persons.get(row.id, ()),
        )
        for row in rows
    ]


def _check_changes(connection: Connection, clip: int, edit: Edit) -> None:
    if edit.id:
        raise UsageError(f"edit {edit.id} of clip {edit.clip} is stored already: append a new edit with id 0")
    frames = connection.execute(select(schema.clip.c.frames).where(schema.clip.c.key == clip)).scalar_one()
    for change in edit.changes:
        where = f"edit '{edit.kind}' of clip {edit.clip}, frame {change.frame}, joint {change.joint}"
        if not 0 <= change.frame < frames:
            raise UsageError(f"{where}: the clip has no such frame; use 0 to {frames - 1}")
        if not 0 <= change.joint < MAX_JOINTS:
            raise UsageError(f"{where}: no skeleton has such a joint; use 0 to {MAX_JOINTS - 1}")
        if not 0 <= change.person <= MAX_PERSON:
            raise UsageError(f"{where}: person {change.person} is no number of a person; use 0 to {MAX_PERSON}")
        if math.isinf(change.x) or math.isinf(change.y):
            raise UsageError(f"{where}: the place ({change.x}, {change.y}) is infinite; use pixels, or NaN for none")


def _check_undo(connection: Connection, clip: int, edit: Edit) -> None:
    table = schema.edit
    found = connection.execute(select(table.c.clip, table.c.author).where(table.c.id == edit.undoes)).first()
    if found is None or found.clip != clip:
        raise UsageError(f"clip {edit.clip} has no edit {edit.undoes} to take back: see its journal for those it has")
    if found.author != edit.author:
        raise ConflictError(
            f"edit {edit.undoes} of clip {edit.clip} is by {found.author or 'somebody without a name'}, not by "
            f"{edit.author or 'somebody without a name'}: each takes back their own edits"
        )
    if edit.undoes in _gone(connection, clip, [edit.undoes]):
        raise ConflictError(f"edit {edit.undoes} of clip {edit.clip} is taken back already: reload the journal")


def _check_versions(connection: Connection, clip: int, edit: Edit, expect: Mapping[JointKey, int]) -> None:
    if not expect:
        return
    frames = [frame for frame, _, _ in expect]
    held = standing_versions(connection, clip, min(frames), max(frames))
    for (frame, person, joint), seen in expect.items():
        version = held.get((frame, person, joint), 0)
        if version != seen:
            raise ConflictError(
                f"joint {joint} of person {person} on frame {frame} of clip {edit.clip} was changed by edit {version} "
                f"since it was read (edit {seen}): look at both values and choose"
            )


def _left_out(connection: Connection, clip: int, edits: Collection[int], without: int) -> set[int]:
    """Return which of some edits do not count: undos, those that are taken back, and `without`."""
    if len(edits) > MOST_ASKED:
        undoes = [pair for pair in _undoes(connection, clip) if pair[0] != without]
        return undone_edits(undoes) | {identity for identity, _ in undoes} | {without}
    table = schema.edit
    asked = select(table.c.id).where(table.c.id.in_(edits), table.c.undoes > 0)
    undos = set(connection.execute(asked).scalars()) if edits else set[int]()
    return undos | _gone(connection, clip, edits, without) | {without}


def _gone(connection: Connection, clip: int, edits: Collection[int], without: int = 0) -> set[int]:
    """Return those of a clip's edits that are taken back, some of them at least: all of `edits` that are.

    Asked from them on, by what takes them back, what takes that back, and so on: the whole journal of undos would be
    read for every action else.
    """
    undoes: dict[int, int] = {}
    asked: Collection[int] = edits
    while asked:
        if len(asked) > MOST_ASKED:
            return undone_edits([pair for pair in _undoes(connection, clip) if pair[0] != without])
        table = schema.edit
        # Only a later edit takes one back: a row that says otherwise, of another program, would be asked for ever.
        later = table.c.id > table.c.undoes
        query = select(table.c.id, table.c.undoes).where(table.c.clip == clip, table.c.undoes.in_(asked), later)
        found = {row.id: row.undoes for row in connection.execute(query) if row.id != without}
        undoes |= found
        asked = found.keys()
    return undone_edits(sorted(undoes.items()))


def _undoes(connection: Connection, clip: int) -> list[tuple[int, int]]:
    edit = schema.edit
    query = select(edit.c.id, edit.c.undoes).where(edit.c.clip == clip, edit.c.undoes > 0).order_by(edit.c.id)
    return [(row.id, row.undoes) for row in connection.execute(query)]


def _insert_changes(connection: Connection, clip: int, edit: Edit) -> None:
    if not edit.changes:
        return
    connection.execute(insert(schema.edit_change), list(_rows(clip, edit)))
    joints = 1 + max(int(change.joint) for change in edit.changes)
    table = schema.clip
    connection.execute(update(table).where(table.c.key == clip, table.c.joints < joints).values(joints=joints))


def _rows(clip: int, edit: Edit) -> Iterable[dict[str, object]]:
    for place, change in enumerate(edit.changes):
        yield {
            "clip": clip,
            "frame": int(change.frame),
            "edit": edit.id,
            "place": place,
            "person": int(change.person),
            "joint": int(change.joint),
            "x": None if math.isnan(change.x) else float(change.x),
            "y": None if math.isnan(change.y) else float(change.y),
            "visibility": int(change.visibility),
            "provenance": int(change.provenance),
        }


def _change(row: Row[tuple[object, ...]]) -> JointChange:
    return JointChange(
        frame=int(row.frame),
        person=int(row.person),
        joint=int(row.joint),
        x=math.nan if row.x is None else float(row.x),
        y=math.nan if row.y is None else float(row.y),
        visibility=Visibility(row.visibility),
        provenance=Provenance(row.provenance),
    )
