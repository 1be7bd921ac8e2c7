"""Who else is here, and what happens meanwhile: a stream of events, and where each page is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from emc.server.dependencies import EditingOf, HubOf, NamesOf, SenderOf, page_id, shown_name
from emc.server.schemas.base import EditNumber, PresenceIn

router = APIRouter(prefix="/api")


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def events(
    hub: HubOf,
    editing: EditingOf,
    names: NamesOf,
    page: Annotated[str, Query(max_length=64)] = "",
    name: Annotated[str, Query(max_length=400)] = "",
    browser: Annotated[str, Query(max_length=64)] = "",
    after: EditNumber | None = None,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> StreamingResponse:
    """Stream hello, edit, presence, job and run events; with `after`, or where a browser reconnects, missed edits."""
    if last_event_id.isascii() and last_event_id.isdecimal():
        after = int(last_event_id)
    stream = hub.listen(page_id(page), names.signed(page_id(browser), shown_name(name, editing.author)), after)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


@router.post("/presence", status_code=204, response_class=Response)
def presence(hub: HubOf, sender: SenderOf, body: PresenceIn) -> Response:
    """Note where the sender's page is."""
    if sender.page:
        hub.moved(sender.page, **body.model_dump())
    return Response(status_code=204)
