"""The project, the lists of what to correct, poses and frames."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from emc.server.answers.editing import (
    alert_answer,
    clip_answers,
    frame_answer,
    history_answer,
    row_answer,
    skeleton_answer,
)
from emc.server.dependencies import EditingOf, ExistingClip, FramesOf, SenderOf
from emc.server.frames import QUALITY
from emc.server.schemas.base import FrameNumber
from emc.server.schemas.project import AlertRowsOut, FrameRowsOut, FramesOut, NextOut, Order, ProjectOut
from emc.version import __version__
from emc.workflow.project import skeleton_called

router = APIRouter(prefix="/api")
Offset = Annotated[int, Query(ge=0, le=2**53)]
Limit = Annotated[int, Query(ge=1, le=200)]
Step = Annotated[int, Query(ge=-1, le=1)]


@router.get("/project")
def project(editing: EditingOf) -> ProjectOut:
    """Say what the project holds."""
    clips = clip_answers(editing)
    return ProjectOut(
        name=editing.store.folder.stem,
        key=hashlib.sha256(str(editing.store.folder).encode()).hexdigest()[:16],
        emc=__version__,
        lost=editing.settings.lost,
        low=editing.settings.low,
        clips=clips,
        skeletons={n: skeleton_answer(skeleton_called(editing.store, n)) for n in {clip.skeleton for clip in clips}},
    )


@router.get("/clips/{clip}/frames")
def frame_rows(
    clip: ExistingClip, editing: EditingOf, order: Order = "worst", offset: Offset = 0, limit: Limit = 100
) -> FrameRowsOut:
    """List predicted frames with (m, n)."""
    total, rows = editing.frame_rows(clip.id, order == "worst", offset, limit)
    return FrameRowsOut(total=total, rows=[row_answer(row) for row in rows])


@router.get("/clips/{clip}/alerts")
def alert_rows(
    clip: ExistingClip, editing: EditingOf, order: Order = "worst", offset: Offset = 0, limit: Limit = 100
) -> AlertRowsOut:
    """List the queue of joints."""
    total, rows = editing.alert_rows(clip.id, order == "worst", offset, limit)
    return AlertRowsOut(total=total, rows=[alert_answer(row) for row in rows])


@router.get("/clips/{clip}/next")
def next_open(
    clip: ExistingClip, editing: EditingOf, frame: FrameNumber, step: Step = 1, order: Order = "worst"
) -> NextOut:
    """Say which frame has the next open alert."""
    return NextOut(frame=editing.next_open(clip.id, frame, 1 if step >= 0 else -1, order == "worst"))


@router.get("/clips/{clip}/poses")
def poses(clip: ExistingClip, editing: EditingOf, sender: SenderOf, first: FrameNumber, last: FrameNumber) -> FramesOut:
    """Return frames first..last as they are now, and what the sender may take back."""
    views = editing.frames(clip.id, first, last)
    history = history_answer(editing.steps(clip.id, sender.name))
    return FramesOut(frames=[frame_answer(view) for view in views], history=history)


@router.get("/clips/{clip}/frames/{frame}", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def picture(clip: ExistingClip, frame: int, frames: FramesOf, request: Request) -> Response:
    """Return one frame as JPEG; its address with the clip's version never changes its meaning."""
    if not 0 <= frame < clip.frames:
        raise HTTPException(404, f"clip {clip.id} has no frame {frame}: use 0 to {clip.frames - 1}")
    tag = f'"{clip.sha256[:16]}-{frame}-q{QUALITY}"'
    headers = {"etag": tag, "cache-control": "private, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(frames.jpeg(clip, frame), media_type="image/jpeg", headers=headers)
