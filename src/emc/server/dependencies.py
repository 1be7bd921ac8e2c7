"""What routes are given: the open project, the frames, clips that exist, and who asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, HTTPException, Request

from emc.config import Settings
from emc.errors import UsageError
from emc.pose.records import Clip
from emc.server.door import Door
from emc.server.events import Hub
from emc.server.frames import Frames
from emc.server.members import Members
from emc.server.names import Names
from emc.server.security import Access
from emc.workflow.calibration import CalibrationJobs
from emc.workflow.editing import Candidates, Editing, EffortLog, Lifting, Newcomers, ProjectQueue
from emc.workflow.team import Member, Role

NAME_LENGTH = 60
PAGE = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks: the page's own id ("" where it gave none), and the name to sign edits with."""

    page: str
    name: str


def editing_of(request: Request) -> Editing:
    """Return the open project."""
    return request.app.state.editing


def frames_of(request: Request) -> Frames:
    """Return the source of frames."""
    return request.app.state.frames


def settings_of(request: Request) -> Settings:
    """Return the project's settings."""
    return request.app.state.settings


def access_of(request: Request) -> Access:
    """Return what opens the server."""
    return request.app.state.access


def door_of(request: Request) -> Door:
    """Return what counts wrong passwords."""
    return request.app.state.door


def hub_of(request: Request) -> Hub:
    """Return what tells the pages the news."""
    return request.app.state.hub


def names_of(request: Request) -> Names:
    """Return what keeps the names of browsers apart."""
    return request.app.state.names


def queue_of(request: Request) -> ProjectQueue:
    """Return the queue of the project."""
    return request.app.state.queue


def effort_of(request: Request) -> EffortLog:
    """Return what the work took and brought."""
    return request.app.state.effort


def candidates_of(request: Request) -> Candidates:
    """Return what finds other places for a joint."""
    return request.app.state.candidates


def lifting_of(request: Request) -> Lifting:
    """Return what lifts persons to 3D."""
    return request.app.state.lifting


def newcomers_of(request: Request) -> Newcomers:
    """Return what adds persons."""
    return request.app.state.newcomers


def jobs_of(request: Request) -> CalibrationJobs:
    """Return what starts and watches calibrations."""
    return request.app.state.jobs


def sender_of(request: Request) -> Sender:
    """Return who asks, from the token and the headers ``X-EMC-Page``, ``X-EMC-Browser`` and ``X-EMC-Name``."""
    headers = request.headers
    name = signed_name(request, headers.get("x-emc-name", ""), headers.get("x-emc-browser", ""))
    return Sender(page_id(headers.get("x-emc-page", "")), name)


def signed_name(request: Request, given: str, browser: str) -> str:
    """Return the name that a page signs with. given : percent-encoded. browser : its lasting id.

    A member's is the one that their token proves. Others sign with the name that they give, or as who started the
    editor; with a number after it where another browser does so already, and never with a member's.
    """
    member: Member | None = request.scope.get("emc_member")
    if member is not None:
        return member.name
    author = editing_of(request).author
    wanted = shown_name(given, author)
    members: Members | None = request.app.state.members
    if members is not None and wanted in members.names and wanted != author:
        wanted = f"{wanted} (no token)"
    return names_of(request).signed(page_id(browser), wanted)


def owner_asks(request: Request) -> None:
    """Refuse what only owners may do."""
    _needs(request, Role.OWNER)


def reviewer_asks(request: Request) -> None:
    """Refuse what only reviewers and owners may do."""
    _needs(request, Role.REVIEWER)


def _needs(request: Request, role: Role) -> None:
    member: Member | None = request.scope.get("emc_member")
    if member is not None and not member.role.may(role):
        raise HTTPException(
            403, f"{member.name} is {member.role} of this project, and this needs {role}: ask its owner"
        )


def page_id(given: str) -> str:
    """Return a page's or a browser's id, "" where it is none."""
    return given if PAGE.fullmatch(given) else ""


def shown_name(given: str, otherwise: str) -> str:
    """Return a percent-encoded name as it is shown: printable, and not too long."""
    name = "".join(c for c in unquote(given) if c.isprintable()).strip()[:NAME_LENGTH]
    return name or otherwise


def existing_clip(clip: str, editing: Annotated[Editing, Depends(editing_of)]) -> Clip:
    """Return the clip that an address names; the name is only ever compared with those in the project."""
    try:
        return editing.open_clip(clip).clip
    except UsageError as error:
        raise HTTPException(404, str(error)) from error


SettingsOf = Annotated[Settings, Depends(settings_of)]
EditingOf = Annotated[Editing, Depends(editing_of)]
FramesOf = Annotated[Frames, Depends(frames_of)]
AccessOf = Annotated[Access, Depends(access_of)]
NamesOf = Annotated[Names, Depends(names_of)]
DoorOf = Annotated[Door, Depends(door_of)]
HubOf = Annotated[Hub, Depends(hub_of)]
QueueOf = Annotated[ProjectQueue, Depends(queue_of)]
EffortOf = Annotated[EffortLog, Depends(effort_of)]
CandidatesOf = Annotated[Candidates, Depends(candidates_of)]
LiftingOf = Annotated[Lifting, Depends(lifting_of)]
NewcomersOf = Annotated[Newcomers, Depends(newcomers_of)]
JobsOf = Annotated[CalibrationJobs, Depends(jobs_of)]
SenderOf = Annotated[Sender, Depends(sender_of)]
ExistingClip = Annotated[Clip, Depends(existing_clip)]
