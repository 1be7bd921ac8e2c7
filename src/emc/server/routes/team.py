"""How far a clip's run is: done, checked, or sent back with a note."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request

from emc.server.dependencies import EditingOf, ExistingClip, SenderOf, reviewer_asks
from emc.server.schemas.team import ReviewIn, ReviewOut
from emc.server.writing import writer
from emc.workflow.team import Review, ReviewState, review_of, set_review

router = APIRouter(prefix="/api/clips/{clip}/review")


@router.get("")
def review(clip: ExistingClip, editing: EditingOf) -> ReviewOut:
    """Say how far the newest run of a clip is."""
    found = review_of(editing.store, clip.id)
    if found is None:
        raise HTTPException(404, f"clip {clip.id} is not predicted yet: there is no run to review")
    return _answer(found, editing)


@router.post("")
@writer
def change(request: Request, clip: ExistingClip, editing: EditingOf, sender: SenderOf, body: ReviewIn) -> ReviewOut:
    """Say that a run is done (whoever corrects it), or checked or sent back (reviewers and owners)."""
    state = ReviewState(body.state)
    if state is not ReviewState.DONE:
        reviewer_asks(request)
    return _answer(set_review(editing.store, clip.id, state, sender.name, body.note), editing)


def _answer(found: Review, editing: EditingOf) -> ReviewOut:
    changed = editing.store.last_edit() > found.edits and found.state is not ReviewState.OPEN
    return ReviewOut.model_validate(
        {"run": found.run, "state": str(found.state), "note": found.note, "by": found.by, "at": found.at}
        | {"edited_since": changed}
    )
