"""Edits, undo and redo: each is stored when its answer comes."""

from __future__ import annotations

import math

from fastapi import APIRouter

from emc.pose.records import JointChange, Provenance, Visibility
from emc.server.answers import edit_answer
from emc.server.dependencies import EditingOf, ExistingClip
from emc.server.schemas import ChangeIn, EditIn, EditOut, StepIn

router = APIRouter(prefix="/api/clips/{clip}")


@router.post("/edits")
def edit(clip: ExistingClip, editing: EditingOf, body: EditIn) -> EditOut:
    """Store one action."""
    changes = [_change(change) for change in body.changes]
    return edit_answer(editing, clip.id, editing.apply(clip.id, body.kind, changes, body.seconds, body.token))


@router.post("/undo")
def undo(clip: ExistingClip, editing: EditingOf, body: StepIn) -> EditOut:
    """Take back an action as a whole."""
    return edit_answer(editing, clip.id, editing.undo(clip.id, body.target, body.token))


@router.post("/redo")
def redo(clip: ExistingClip, editing: EditingOf, body: StepIn) -> EditOut:
    """Bring back an action that was taken back."""
    return edit_answer(editing, clip.id, editing.redo(clip.id, body.target, body.token))


def _change(change: ChangeIn) -> JointChange:
    x, y = change.xy or (math.nan, math.nan)
    visibility, provenance = Visibility(change.visibility), Provenance(change.provenance)
    return JointChange(change.frame, change.person, change.joint, x, y, visibility, provenance)
