"""Prediction runs and their predictions in the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, select, tuple_, update

import emc.old_names as old_names
import emc.store.schema as schema
from emc.errors import UsageError
from emc.interfaces import RunRecord
from emc.pose.records import Prediction
from emc.store.rows.clips import clip_key, new_key, now
from emc.store.rows.documents import as_json
from emc.store.rows.packing import pack_prediction, unpack_prediction

_PREFIX = "run-"
PAGE = 2000
"""Predictions that are read at a time: bounds memory, and no read stays open between two pages."""


def begin_run(connection: Connection, clip: str, model: str, skeleton: str, settings: Mapping[str, Any]) -> RunRecord:
    """Return the unfinished run of the same clip, model, skeleton and settings, or a new one.

    What an unfinished run holds at or beyond its resume point is dropped: it will be predicted again.
    """
    key = clip_key(connection, clip)
    text = as_json(settings, f"settings of model {model}")
    canonical = json.dumps(json.loads(text), sort_keys=True)
    digest = hashlib.sha256(f"{skeleton}\n{canonical}".encode()).hexdigest()
    run, names = schema.run, old_names.model_names(model)
    found = connection.execute(
        select(run.c.key, run.c.next_frame).where(
            run.c.clip == key, run.c.model.in_(names), run.c.settings_hash == digest, run.c.finished == 0
        )
    ).first()
    if found is not None:
        beyond = schema.prediction.c.frame >= found.next_frame
        connection.execute(delete(schema.prediction).where(schema.prediction.c.run == found.key, beyond))
        return select_run(connection, found.key)
    values = {"clip": key, "model": model, "skeleton": skeleton, "settings": text, "settings_hash": digest}
    made = connection.execute(insert(run).values(created=now(), next_frame=0, finished=0, **values))
    return select_run(connection, new_key(made))


def complete_run(connection: Connection, key: int) -> None:
    """Mark a run complete, as the last of all so far; a second time changes nothing."""
    run = schema.run
    last = connection.execute(select(func.max(run.c.finished))).scalar() or 0
    connection.execute(update(run).where(run.c.key == key, run.c.finished == 0).values(finished=last + 1))


def select_runs(connection: Connection, clip: str | None) -> list[RunRecord]:
    """Return runs, of one clip or of all clips in use, newest last."""
    query = _run_query().where(schema.run.c.finished >= 0).order_by(schema.run.c.key)
    if clip is None:
        query = query.where(schema.clip.c.removed.is_(None))
    else:
        query = query.where(schema.run.c.clip == clip_key(connection, clip))
    return [_record(row) for row in connection.execute(query).mappings()]


def select_run(connection: Connection, key: int) -> RunRecord:
    """Return one run by its key."""
    return _record(connection.execute(_run_query().where(schema.run.c.key == key)).mappings().one())


def select_current_runs(connection: Connection) -> dict[str, RunRecord]:
    """Return clip -> the run that was completed last, for the clips in use that have one."""
    run = schema.run
    newest = select(run.c.clip, func.max(run.c.finished).label("finished")).where(run.c.finished > 0)
    chosen = newest.group_by(run.c.clip).subquery()
    query = _run_query().join(chosen, (chosen.c.clip == run.c.clip) & (chosen.c.finished == run.c.finished))
    query = query.where(schema.clip.c.removed.is_(None)).order_by(schema.clip.c.id)
    return {row["clip_id"]: _record(row) for row in connection.execute(query).mappings()}


def current_run_key(connection: Connection, clip: int, model: str | None = None) -> int | None:
    """Return the run of a clip that was completed last, of one model or of any; None where there is none."""
    run = schema.run
    query = select(run.c.key).where(run.c.clip == clip, run.c.finished > 0).order_by(run.c.finished.desc()).limit(1)
    names = () if model is None else old_names.model_names(model)
    return connection.execute(query.where(run.c.model.in_(names)) if names else query).scalar()


def last_person(connection: Connection, clip: int) -> int:
    """Return the largest number of a person in all predictions of a clip, -1 where there is none."""
    runs = select(schema.run.c.key).where(schema.run.c.clip == clip)
    table = schema.prediction
    found = connection.execute(select(func.max(table.c.person)).where(table.c.run.in_(runs))).scalar()
    return -1 if found is None else found


def key_of(run: str) -> int | None:
    """Return the key that a run's id is written with, None where it is none; there may be no such run."""
    number = run.removeprefix(_PREFIX)
    if run.startswith(_PREFIX) and number.isascii() and number.isdecimal() and len(number) < 10:
        return int(number) if run_id(int(number)) == run else None
    return None


def run_key(connection: Connection, run: str) -> int:
    """Return the key behind a run's id; raises `UsageError` where there is no such run."""
    number = key_of(run)
    if number is not None:
        is_run = (schema.run.c.key == number) & (schema.run.c.finished >= 0)
        key = connection.execute(select(schema.run.c.key).where(is_run)).scalar()
        if key is not None:
            return key
    raise UsageError(f"there is no prediction run '{run}' in the project: list them with `emc status`")


def run_key_of_clip(connection: Connection, run: str, clip: str) -> int:
    """Return the key behind a run's id; raises `UsageError` where it is not a run of the clip."""
    key = run_key(connection, run)
    if select_run(connection, key).clip != clip:
        raise UsageError(f"run {run} is not of clip {clip}: list the clip's runs with `emc status`")
    return key


def run_id(key: int) -> str:
    """Return the id of the run with a key."""
    return f"{_PREFIX}{key}"


def insert_predictions(connection: Connection, key: int, predictions: Sequence[Prediction], upto: int | None) -> None:
    """Store predictions, in place of those of the same frame and person; move the resume point forward to `upto`.

    Raises `UsageError` where two predictions are of the same person and frame.
    """
    rows = [
        {"run": key, "frame": int(p.frame), "person": int(p.person), "joints": len(p.xy), "data": pack_prediction(p)}
        for p in predictions
    ]
    _refuse_doubles(predictions)
    if rows:
        connection.execute(_upsert(connection), rows)
    if upto is not None:
        run = schema.run
        connection.execute(
            update(run).where(run.c.key == key, run.c.next_frame < int(upto)).values(next_frame=int(upto))
        )


def next_frame(connection: Connection, key: int) -> int:
    """Return a run's resume point."""
    return connection.execute(select(schema.run.c.next_frame).where(schema.run.c.key == key)).scalar_one()


def select_page(
    connection: Connection, key: int, first: int, last: int | None, after: tuple[int, int] | None
) -> list[Prediction]:
    """Return up to `PAGE` predictions of frames first..last, by frame then person, that come after `after`."""
    table = schema.prediction
    query = select(table.c.frame, table.c.person, table.c.joints, table.c.data).where(table.c.run == key)
    query = query.where(table.c.frame >= first) if after is None else query.where(_follows(after))
    if last is not None:
        query = query.where(table.c.frame <= last)
    rows = connection.execute(query.order_by(table.c.frame, table.c.person).limit(PAGE))
    return [unpack_prediction(row.frame, row.person, row.joints, row.data) for row in rows]


def select_all(connection: Connection, key: int, first: int, last: int | None) -> Iterator[Prediction]:
    """Yield the predictions of frames first..last as one read sees them."""
    after: tuple[int, int] | None = None
    while True:
        page = select_page(connection, key, first, last, after)
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1].frame, page[-1].person)


def renumber_persons(connection: Connection, key: int, numbers: Mapping[int, int]) -> None:
    """Give the predictions of persons other numbers: old -> new, all at once; who is not named keeps their own.

    Where two get one number and both are on a frame, the one whose number it was stays, else the smaller old one.
    """
    table = schema.prediction
    # By way of numbers below zero, which nobody has: a number may be given away and taken at once.
    steps = [(old, -2 - new) for old, new in sorted(numbers.items(), key=lambda pair: (pair[0] != pair[1], pair[0]))]
    steps = [(new, -2 - new) for new in sorted(set(numbers.values()) - numbers.keys())] + steps
    for old, new in [*steps, *((-2 - new, new) for new in sorted(set(numbers.values())))]:
        taken = select(table.c.frame).where(table.c.run == key, table.c.person == new)
        own = (table.c.run == key) & (table.c.person == old)
        connection.execute(update(table).where(own, table.c.frame.not_in(taken)).values(person=new))
        connection.execute(delete(table).where(own))


def clip_of_run(connection: Connection, key: int) -> int:
    """Return the key of a run's clip."""
    return connection.execute(select(schema.run.c.clip).where(schema.run.c.key == key)).scalar_one()


def places_of(
    connection: Connection, key: int, persons: Collection[int], first: int, last: int | None
) -> set[tuple[int, int]]:
    """Return the (frame, person) of some persons that a run has on frames first..last."""
    table = schema.prediction
    query = select(table.c.frame, table.c.person).where(table.c.run == key, table.c.person.in_(persons))
    query = query.where(table.c.frame >= first)
    if last is not None:
        query = query.where(table.c.frame <= last)
    return {(row.frame, row.person) for row in connection.execute(query)}


def joints_of_run(connection: Connection, key: int) -> int:
    """Return the number of joints of a run's predictions, 0 where it has none."""
    table = schema.prediction
    return connection.execute(select(table.c.joints).where(table.c.run == key).limit(1)).scalar() or 0


def _follows(after: tuple[int, int]) -> Any:
    table = schema.prediction
    return tuple_(table.c.frame, table.c.person) > tuple_(*after)


def _upsert(connection: Connection) -> Any:
    """Both databases spell it alike, but SQLAlchemy has one construct for each."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_or
    else:
        from sqlalchemy.dialects.sqlite import insert as insert_or
    statement = insert_or(schema.prediction)
    new = {"joints": statement.excluded.joints, "data": statement.excluded.data}
    return statement.on_conflict_do_update(index_elements=["run", "frame", "person"], set_=new)


def _refuse_doubles(predictions: Sequence[Prediction]) -> None:
    seen: set[tuple[int, int]] = set()
    for prediction in predictions:
        place = (prediction.frame, prediction.person)
        if place in seen:
            raise UsageError(
                f"two predictions of person {place[1]} on frame {place[0]}: give every person of a frame a number of "
                "its own (track the boxes first)"
            )
        seen.add(place)


def _run_query() -> Select[Any]:
    return select(schema.run, schema.clip.c.id.label("clip_id")).join(
        schema.clip, schema.run.c.clip == schema.clip.c.key
    )


def _record(row: RowMapping) -> RunRecord:
    return RunRecord(
        id=run_id(row["key"]),
        clip=row["clip_id"],
        model=old_names.model_name(row["model"]),
        skeleton=row["skeleton"],
        created=row["created"],
        complete=row["finished"] > 0,
        settings=json.loads(row["settings"]),
    )
