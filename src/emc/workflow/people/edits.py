"""Edits of whole people: each is one entry of the journal, and the alerts follow it."""

from __future__ import annotations

from collections.abc import Sequence

from emc.config import AlertSettings
from emc.errors import UsageError
from emc.interfaces import Store
from emc.pose.journal import invert, standing_edits
from emc.pose.records import Clip, Edit, PersonAction, PersonChange
from emc.workflow.people.listing import list_people
from emc.workflow.predict import refresh_alerts

KINDS = {
    PersonAction.DELETE: "delete person",
    PersonAction.MERGE: "merge persons",
    PersonAction.RESTORE: "restore person",
    PersonAction.ATHLETE: "athlete",
    PersonAction.EVERYONE: "athlete",
}
"""Kind that an edit of people has in the journal."""


def delete_person(store: Store, clip: Clip, person: int, settings: AlertSettings, author: str = "") -> Edit:
    """Take a person out of a clip; their corrections stay in the journal and come back when it is taken back.

    Raises `UsageError` that names the people where there is no such person; so do the others.
    """
    return store_person_edit(store, person_edit(store, clip, PersonAction.DELETE, [person], author=author), settings)


def merge_persons(store: Store, clip: Clip, person: int, into: int, settings: AlertSettings, author: str = "") -> Edit:
    """Let a person be another one.

    Where both are on a frame, a joint that somebody placed or confirmed wins (that of `into`, where both have one),
    else the pose of `into`.
    """
    return store_person_edit(store, person_edit(store, clip, PersonAction.MERGE, [person], into, author), settings)


def restore_person(store: Store, clip: Clip, person: int, settings: AlertSettings, author: str = "") -> Edit:
    """Bring back a person who was deleted or merged, whoever did that."""
    return store_person_edit(store, person_edit(store, clip, PersonAction.RESTORE, [person], author=author), settings)


def name_athletes(store: Store, clip: Clip, persons: Sequence[int], settings: AlertSettings, author: str = "") -> Edit:
    """Say who counts in a clip; everyone where nobody is named. The others are left out of alerts, calibration, 3D."""
    action = PersonAction.ATHLETE if persons else PersonAction.EVERYONE
    return store_person_edit(store, person_edit(store, clip, action, persons, author=author), settings)


def person_edit(
    store: Store,
    clip: Clip,
    action: PersonAction,
    persons: Sequence[int],
    into: int = -1,
    author: str = "",
    seconds: float = 0.0,
) -> Edit:
    """Return an edit of people, checked against those who are there, not yet stored.

    Raises `UsageError` where a person is not there, or nobody is named.
    """
    if action is PersonAction.EVERYONE:
        changes = [PersonChange(-1, action)]
    elif not persons:
        raise UsageError(f"nobody of clip {clip.id} is named: say which person")
    else:
        changes = [PersonChange(person, action, into) for person in dict.fromkeys(persons)]
        _check(store, clip, action, [*dict.fromkeys(persons)], into)
    return Edit(clip.id, KINDS[action], (), author, seconds, persons=tuple(changes))


def store_person_edit(store: Store, edit: Edit, settings: AlertSettings) -> Edit:
    """Append an edit of people, or one that takes such an edit back, and find the clip's alerts again."""
    stored = store.append_edit(edit)
    refresh_alerts(store, edit.clip, settings)
    return stored


def take_back_people(store: Store, clip: Clip, settings: AlertSettings, author: str = "") -> Edit:
    """Take back the author's own newest edit of people that stands, whoever else acted since; returns the undo.

    Raises `UsageError` where there is none; another's is not taken back, but can be outdone by an edit of one's own.
    """
    standing = [edit for edit in standing_edits(store.edits(clip.id)) if edit.persons]
    own = [edit for edit in standing if edit.author == author]
    if own:
        return store_person_edit(store, invert(own[-1], (), author), settings)
    if not standing:
        raise UsageError(f"nobody of clip {clip.id} was deleted, merged or named: there is nothing to take back")
    last = standing[-1]
    raise UsageError(
        f"'{last.kind}' of clip {clip.id} was done by {last.author or 'somebody without a name'}: bring the person "
        f"back with `emc persons restore {clip.id} PERSON`, or name the athletes again"
    )


def _check(store: Store, clip: Clip, action: PersonAction, persons: Sequence[int], into: int) -> None:
    if action is PersonAction.RESTORE:
        people = store.people(clip.id)
        for person in persons:
            if person not in people.merged and person not in people.deleted:
                raise UsageError(f"person {person} of clip {clip.id} was neither deleted nor merged")
        return
    listed = list_people(store, clip)
    for person in persons:
        listed.person(person)
    if action is PersonAction.MERGE:
        listed.person(into)
        if into in persons:
            raise UsageError(f"person {into} of clip {clip.id} cannot be merged into themselves: name two people")
