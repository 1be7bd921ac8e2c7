"""No request is read beyond a bound: what is longer is refused before it fills the memory."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 4 * 1024 * 1024
"""Bytes: an edit of ten thousand joints is a third of it."""
PATIENCE = 10.0
"""Seconds from the end of a request's head to the end of its body."""


class BodyLimit:
    """ASGI middleware that answers 413 to bodies of more than `MAX_BODY` bytes, and 408 to those that do not end."""

    patience = PATIENCE

    def __init__(self, app: ASGIApp, most: int = MAX_BODY) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in, and pass it on up to the bound."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isascii() or not announced.isdecimal() or int(announced) > self._most:
            await self._refuse(scope, receive, send)
            return
        body = b""
        if scope["method"] not in ("GET", "HEAD"):
            # The whole body is taken first: once an answer has begun, it cannot be turned into a refusal.
            try:
                async with asyncio.timeout(self.patience):
                    found = await _whole(receive, self._most)
            except TimeoutError:
                await _late(self.patience)(scope, receive, send)
                return
            if found is None:
                return
            body = found
            if len(body) > self._most:
                await self._refuse(scope, receive, send)
                return
        await self._app(scope, _replayed(body, receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = f"the request is longer than {self._most} bytes: change fewer joints at once"
        await JSONResponse({"error": said}, status_code=413)(scope, receive, send)


async def _whole(receive: Receive, most: int) -> bytes | None:
    """Return a request's body, or what of it goes beyond `most` first; None where the connection ends before it."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > most or not message.get("more_body", False):
            return body


def _late(seconds: float) -> JSONResponse:
    said = f"the request did not end within {seconds:g} s: send it again"
    return JSONResponse({"error": said}, status_code=408, headers={"connection": "close"})


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read already, and then what follows it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
