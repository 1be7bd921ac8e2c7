"""What routes are given: the open project, the frames, and clips that exist."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from emc.errors import UsageError
from emc.pose.records import Clip
from emc.server.frames import Frames
from emc.server.security import Access
from emc.workflow.editing import Editing


def editing_of(request: Request) -> Editing:
    """Return the open project."""
    return request.app.state.editing


def frames_of(request: Request) -> Frames:
    """Return the source of frames."""
    return request.app.state.frames


def access_of(request: Request) -> Access:
    """Return what opens the server."""
    return request.app.state.access


def existing_clip(clip: str, editing: Annotated[Editing, Depends(editing_of)]) -> Clip:
    """Return the clip that an address names; the name is only ever compared with those in the project."""
    try:
        return editing.held(clip).clip
    except UsageError as error:
        raise HTTPException(404, str(error)) from error


EditingOf = Annotated[Editing, Depends(editing_of)]
FramesOf = Annotated[Frames, Depends(frames_of)]
AccessOf = Annotated[Access, Depends(access_of)]
ExistingClip = Annotated[Clip, Depends(existing_clip)]
