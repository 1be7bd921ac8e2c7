"""The people of a clip as answers."""

from __future__ import annotations

import math

from emc.server.schemas.people import OverlapOut, PeopleOut, PersonRowOut
from emc.workflow.editing import Editing
from emc.workflow.people import ClipPeople, ListedPerson, list_people, person_square


def people_answer(editing: Editing, clip: str) -> PeopleOut:
    """Return the people of a clip as they are now."""
    found: ClipPeople = list_people(editing.store, editing.store.clip(clip))
    return PeopleOut(
        people=[_row(person) for person in found.people],
        athletes=list(found.athletes),
        overlaps=[
            OverlapOut(person=pair.other, on=pair.kept, frames=pair.frames, inside=pair.inside)
            for pair in found.overlaps
        ],
    )


def _row(person: ListedPerson) -> PersonRowOut:
    x, y, side = person_square(person)
    return PersonRowOut(
        person=person.person,
        frames=person.frames,
        first=person.first,
        last=person.last,
        confidence=None if math.isnan(person.confidence) else round(person.confidence, 4),
        corrected=person.corrected,
        seen=person.seen,
        square=(round(x, 1), round(y, 1), round(side, 1)),
        counts=person.athlete,
        deleted=person.deleted,
        merged=list(person.merged),
    )
