"""Edits, undo and redo: each is stored when its answer comes."""

from __future__ import annotations

import math
import time

from fastapi import APIRouter

from emc.pose.records import Clip, JointChange, Provenance, Visibility
from emc.server.answers.editing import edit_answer, preview_answer
from emc.server.dependencies import EditingOf, ExistingClip, HubOf, SenderOf
from emc.server.schemas.edits import (
    ChangeIn,
    ConflictsOut,
    EditIn,
    EditOut,
    PreviewOut,
    PropagateIn,
    StepIn,
    WarmIn,
    WarmOut,
)
from emc.server.writing import writer
from emc.workflow.editing import EditAction

router = APIRouter(prefix="/api/clips/{clip}", responses={409: {"model": ConflictsOut}})
PREVIEW_SECONDS = 0.5


@router.post("/edits")
@writer
def edit(clip: ExistingClip, editing: EditingOf, sender: SenderOf, hub: HubOf, body: EditIn) -> EditOut:
    """Store one action, with what it propagates."""
    changes = tuple(change_of(change) for change in body.changes)
    seen = {(c.frame, c.person, c.joint): c.seen for c in body.changes if c.seen is not None}
    action = EditAction(body.kind, changes, body.seconds, body.token, sender.name, seen, body.propagate, body.reach)
    done = editing.apply(clip.id, action)
    hub.edited(done.edit, sender.page)
    return edit_answer(editing, clip.id, done.edit, sender.name, done.spans, fault=done.fault)


@router.post("/undo")
@writer
def undo(clip: ExistingClip, editing: EditingOf, sender: SenderOf, hub: HubOf, body: StepIn) -> EditOut:
    """Take back the last action of the sender as a whole, whoever else acted since."""
    stored = editing.undo(clip.id, body.target, body.token, sender.name)
    hub.edited(stored, sender.page)
    return edit_answer(editing, clip.id, stored, sender.name)


@router.post("/redo")
@writer
def redo(clip: ExistingClip, editing: EditingOf, sender: SenderOf, hub: HubOf, body: StepIn) -> EditOut:
    """Bring back the action that the sender took back last."""
    stored = editing.redo(clip.id, body.target, body.token, sender.name)
    hub.edited(stored, sender.page)
    return edit_answer(editing, clip.id, stored, sender.name)


@router.post("/propagate")
def preview(clip: ExistingClip, editing: EditingOf, body: PropagateIn) -> PreviewOut:
    """Say what a fix would repair, without storing anything."""
    start = time.perf_counter()
    action = EditAction("place", tuple(change_of(change) for change in body.changes), propagate=True, reach=body.reach)
    spans = editing.preview(clip.id, action, PREVIEW_SECONDS)
    return preview_answer(spans, time.perf_counter() - start)


@router.post("/warm", status_code=202)
def warm(clip: ExistingClip, editing: EditingOf, body: WarmIn) -> WarmOut:
    """Begin to decode what fixes of a person around a frame will need."""
    run = _run_of(editing, clip)
    ready, wanted = editing.propagator.warm(clip, run, body.person, body.frame, body.reach)
    return WarmOut(ready=ready, wanted=wanted)


def change_of(change: ChangeIn) -> JointChange:
    """Return a joint's change as the journal holds it."""
    x, y = change.xy or (math.nan, math.nan)
    visibility, provenance = Visibility(change.visibility), Provenance(change.provenance)
    return JointChange(change.frame, change.person, change.joint, x, y, visibility, provenance)


def _run_of(editing: EditingOf, clip: Clip) -> str | None:
    held = editing.open_clip(clip.id)
    return held.run.id if held.run else None
