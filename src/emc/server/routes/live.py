"""Who else is here, and what happens meanwhile: a stream of events, and where each page is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from emc.server.dependencies import HubOf, SenderOf, page_id, signed_name
from emc.server.events import MOST_STREAMS
from emc.server.members import Members
from emc.server.schemas.base import EditNumber, ErrorOut, PresenceIn
from emc.workflow.team import Member

router = APIRouter(prefix="/api")


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, 429: {"model": ErrorOut}},
)
async def events(
    request: Request,
    hub: HubOf,
    page: Annotated[str, Query(max_length=64)] = "",
    name: Annotated[str, Query(max_length=400)] = "",
    browser: Annotated[str, Query(max_length=64)] = "",
    after: EditNumber | None = None,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> StreamingResponse:
    """Stream hello, edit, presence, job and run events; with `after`, or where a browser reconnects, missed edits."""
    if last_event_id.isascii() and last_event_id.isdecimal():
        after = int(last_event_id)
    member: Member | None = request.scope.get("emc_member")
    # A member is one person however many browsers they use; of others the browser stands for one, else the address.
    others = page_id(browser) or (request.client.host if request.client else "")
    who = f"member {member.name}" if member else f"browser {others}"
    if not hub.admits(who):
        raise HTTPException(429, f"{MOST_STREAMS} pages are open already: close some, then reload this one")
    signed = await to_thread.run_sync(signed_name, request, name, browser)
    stream = hub.listen(page_id(page), signed, after, who, _still_member(request))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _still_member(request: Request) -> Callable[[], Awaitable[bool]] | None:
    """Return what says whether a member's token still opens the project; None for who has none."""
    if request.scope.get("emc_member") is None:
        return None
    token: str = request.scope["emc_token"]
    members: Members = request.app.state.members

    async def allowed() -> bool:
        return await members.find(token) is not None

    return allowed


@router.post("/presence", status_code=204, response_class=Response)
def presence(hub: HubOf, sender: SenderOf, body: PresenceIn) -> Response:
    """Note where the sender's page is."""
    if sender.page:
        hub.moved(sender.page, **body.model_dump())
    return Response(status_code=204)
