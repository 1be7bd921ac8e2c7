"""Runs of frames: operations on them, contact sheets, candidates, the 3D panel, and two models side by side."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from emc.pose.records import Visibility
from emc.pose.skeletons import H36M17
from emc.server.answers.editing import edit_answer
from emc.server.answers.runs import compare_answer, lifted_answer, track_answer
from emc.server.dependencies import (
    CandidatesOf,
    EditingOf,
    ExistingClip,
    FramesOf,
    HubOf,
    LiftingOf,
    NewcomersOf,
    SenderOf,
)
from emc.server.schemas.base import FrameNumber, JointNumber, PersonNumber
from emc.server.schemas.edits import ConflictsOut, EditOut
from emc.server.schemas.runs import (
    BisectOut,
    CandidateOut,
    CandidatesOut,
    CompareOut,
    LiftedOut,
    NewcomerIn,
    OperationIn,
    RunOut,
    RunsOut,
    TrackOut,
)
from emc.server.writing import writer
from emc.workflow.editing import (
    Newcomer,
    Operation,
    OperationRequest,
    compare_runs,
    joint_track,
    middle_undecided,
    newcomer_asked,
    operation_edit,
    order_asked,
    stride_of,
)

router = APIRouter(prefix="/api/clips/{clip}")
Centre = Annotated[float, Query(ge=-1e6, le=1e6, allow_inf_nan=False)]


@router.post("/operations", responses={409: {"model": ConflictsOut}})
@writer
def operate(clip: ExistingClip, editing: EditingOf, sender: SenderOf, hub: HubOf, body: OperationIn) -> EditOut:
    """Do something to a run of frames, as one action."""
    adds = body.op == "add_person"
    order = _order(body, sender.name)
    asked = order_asked(clip.id, order)
    stored = editing.sent_before(body.token, asked)
    if stored is None:
        newcomer = editing.store.last_person(clip.id) + 1 if adds else body.person
        poses = partial(editing.poses, clip.id)
        edit = operation_edit(order, clip, editing.skeleton(editing.open_clip(clip.id)), poses, newcomer)
        stored = editing.operate(edit, body.base, body.token, asked)
    hub.edited(stored, sender.page)
    person = stored.changes[0].person if adds else None
    return edit_answer(editing, clip.id, stored, sender.name, person=person)


@router.post("/persons", responses={409: {"model": ConflictsOut}})
@writer
def add_person(
    clip: ExistingClip, editing: EditingOf, sender: SenderOf, hub: HubOf, newcomers: NewcomersOf, body: NewcomerIn
) -> EditOut:
    """Add a person whom the detector missed, predicted in a box where the model can be asked, as one action."""
    asked = newcomer_asked(clip.id, body.frame, body.box, body.follow)
    if (before := editing.sent_before(body.token, asked)) is not None:
        return edit_answer(editing, clip.id, before, sender.name, person=before.changes[0].person)
    number = editing.store.last_person(clip.id) + 1
    new = Newcomer(body.frame, body.box, number, body.follow, body.seconds, sender.name)
    stored = editing.operate(newcomers.edit(clip, new), None, body.token, asked)
    hub.edited(stored, sender.page)
    return edit_answer(editing, clip.id, stored, sender.name, person=number)


@router.get("/bisect")
def bisect(
    clip: ExistingClip,
    editing: EditingOf,
    person: PersonNumber,
    joint: JointNumber,
    first: FrameNumber,
    last: FrameNumber,
) -> BisectOut:
    """Say which frame of a run to look at next: the middle of the longest stretch that nobody decided."""
    held = editing.open_clip(clip.id)
    if not first <= last < clip.frames:
        raise HTTPException(422, f"frames {first} to {last} of clip {clip.id} are no run: use 0 to {clip.frames - 1}")
    every = stride_of(held.run) if held.run else 1
    decided = [frame for frame in held.history.decided.frames(person, joint) if first <= frame <= last]
    frame, left = middle_undecided(first, last, every, decided)
    return BisectOut(frame=frame, left=left)


@router.get("/track")
def track(
    clip: ExistingClip,
    editing: EditingOf,
    person: PersonNumber,
    joint: JointNumber,
    first: FrameNumber,
    last: FrameNumber,
) -> TrackOut:
    """Return one joint over a run, for a contact sheet and its sparkline."""
    return track_answer(joint_track(editing, clip.id, person, joint, first, last))


@router.get("/candidates")
def candidates(
    clip: ExistingClip, found: CandidatesOf, frame: FrameNumber, person: PersonNumber, joint: JointNumber
) -> CandidatesOut:
    """Return other places that a joint may be meant to have."""
    return CandidatesOut(
        candidates=[
            CandidateOut.model_validate(
                {
                    "key": one.key,
                    "source": str(one.source),
                    "xy": (round(one.xy[0], 2), round(one.xy[1], 2)),
                    "score": round(one.score, 3),
                }
            )
            for one in found.of(clip.id, frame, person, joint)
        ]
    )


@router.get("/lifted")
def lifted(
    clip: ExistingClip,
    lifting: LiftingOf,
    frame: FrameNumber,
    person: PersonNumber,
    before: Annotated[str, Query(max_length=40)] = "",
) -> LiftedOut:
    """Return a person in 3D, and where 2D and 3D do not fit together.

    before : also what a run predicted, by its id; ``current``: the one that is shown, before any correction.
    """
    return lifted_answer(lifting.pose(clip.id, frame, person, before), H36M17)


@router.get("/runs")
def runs(clip: ExistingClip, editing: EditingOf) -> RunsOut:
    """List the clip's prediction runs."""
    current = editing.open_clip(clip.id).run
    return RunsOut(
        runs=[
            RunOut(
                id=run.id,
                model=run.model,
                created=run.created,
                current=current is not None and run.id == current.id,
                complete=run.complete,
            )
            for run in editing.store.runs(clip.id)
        ]
    )


@router.get("/compare")
def compare(
    clip: ExistingClip,
    editing: EditingOf,
    frame: FrameNumber,
    before: Annotated[str | None, Query(max_length=40)] = None,
    after: Annotated[str | None, Query(max_length=40)] = None,
) -> CompareOut:
    """Return what two models predicted on a frame."""
    return compare_answer(*compare_runs(editing, clip.id, frame, before, after))


@router.get("/frames/{frame}/crop", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def crop(
    clip: ExistingClip,
    frame: FrameNumber,
    frames: FramesOf,
    x: Centre,
    y: Centre,
    side: Annotated[float, Query(ge=1, le=20_000, allow_inf_nan=False)],
    size: Annotated[int, Query(ge=16, le=512)] = 160,
) -> Response:
    """Return a square of a frame around a place, shrunk or enlarged to `size` pixels; grey beyond the border."""
    if frame >= clip.frames:
        raise HTTPException(404, f"clip {clip.id} has no frame {frame}: use 0 to {clip.frames - 1}")
    headers = {"cache-control": "private, max-age=31536000, immutable"}
    return Response(frames.crop(clip, frame, (x, y, side), size), media_type="image/jpeg", headers=headers)


def _order(body: OperationIn, author: str) -> OperationRequest:
    return OperationRequest(
        operation=Operation(body.op),
        person=body.person,
        frame=body.frame,
        first=body.frame if body.first is None else body.first,
        last=body.frame if body.op in ("copy", "add_person") else body.last,
        joints=None if body.joints is None else tuple(body.joints),
        limb=body.limb,
        other=body.other,
        visibility=None if body.visibility is None else Visibility(body.visibility),
        xy=body.xy,
        seconds=body.seconds,
        author=author,
    )
