"""The people of a clip: listed, deleted, merged, restored, named as athletes."""

from __future__ import annotations

from fastapi import APIRouter

from emc.pose.records import PersonAction
from emc.server.answers.editing import edit_answer
from emc.server.answers.people import people_answer
from emc.server.dependencies import EditingOf, ExistingClip, HubOf, SenderOf
from emc.server.schemas.edits import ConflictsOut, EditOut
from emc.server.schemas.people import PeopleIn, PeopleOut
from emc.server.writing import writer
from emc.workflow.editing import people_asked
from emc.workflow.people import person_edit

router = APIRouter(prefix="/api/clips/{clip}/people", responses={409: {"model": ConflictsOut}})


@router.get("")
def people(clip: ExistingClip, editing: EditingOf) -> PeopleOut:
    """List the people of a clip."""
    return people_answer(editing, clip.id)


@router.post("")
@writer
def change_people(clip: ExistingClip, editing: EditingOf, sender: SenderOf, hub: HubOf, body: PeopleIn) -> EditOut:
    """Delete, merge, restore or name people, as one action; the clip's alerts follow."""
    asked = people_asked(clip.id, body.action, body.persons, body.into)
    edit = editing.sent_before(body.token, asked)
    if edit is None:
        into = -1 if body.into is None else body.into
        edit = person_edit(editing.store, clip, _action(body), body.persons, into, sender.name, body.seconds)
    # Also of one that is stored already: what failed after it was stored is made good.
    stored = editing.change_people(edit, body.token, asked)
    hub.edited(stored, sender.page)
    return edit_answer(editing, clip.id, stored, sender.name)


def _action(body: PeopleIn) -> PersonAction:
    if body.action == "athlete":
        return PersonAction.ATHLETE if body.persons else PersonAction.EVERYONE
    return PersonAction[body.action.upper()]
