"""The page itself: its built files, and the door where a password is asked."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from emc.server.dependencies import AccessOf, DoorOf
from emc.server.security import Access

STATIC = Path(__file__).resolve().parent.parent / "static"
# Without a referrer policy of its own the form would be sent with the origin "null", as a foreign page's is.
_LOGIN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>EMC: {what}</title>
<meta name="referrer" content="same-origin">
<meta name="viewport" content="width=device-width"><h1>EMC</h1><form method="post" action="/login">
<label>{label} <input name="password" type="password" autofocus autocomplete="current-password"></label>
<button>Open the editor</button></form>{said}"""
_WRONG = "That is not the {what}."

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page(request: Request, access: AccessOf) -> Response:
    """Show the editor to who brings a token, the door to others (where a password or a member's token opens it)."""
    if not request.scope["emc_token"]:
        return await _login_page(request, 401)
    response = built_file("index.html", "text/html")
    access.set_cookie(response, request.scope["emc_token"])
    return response


@router.post("/login")
async def login(request: Request, access: AccessOf, door: DoorOf) -> Response:
    """Exchange the password for the token, or a member's token for a cookie; a wrong one takes longer each time."""
    address = request.client.host if request.client else ""
    if (seconds := door.locked(address)) > 0:
        return await _login_page(request, 429, _locked_words(seconds), {"retry-after": str(math.ceil(seconds))})
    given = parse_qs((await request.body())[:4096].decode("utf-8", "replace")).get("password", [""])[0]
    token = await _token_for(request, access, given)
    if not token:
        # In the event loop, which costs no thread: guesses must not keep the edits of others waiting.
        await asyncio.sleep(door.wrong(address))
        seconds = door.locked(address)
        return await _login_page(request, 401, _locked_words(seconds) if seconds > 0 else _WRONG)
    door.right(address)
    response = RedirectResponse("/", status_code=303)
    access.set_cookie(response, token)
    return response


async def _token_for(request: Request, access: Access, given: str) -> str:
    """Return the token that opens the page to who gave a password or a member's token, "" where it is neither."""
    members = request.app.state.members
    if members is not None and await members.any():
        return given if await members.find(given) is not None else ""
    return access.token if access.is_password(given) else ""


async def _login_page(request: Request, status: int, said: str = "", headers: dict[str, str] | None = None) -> Response:
    members = request.app.state.members
    what = "token" if members is not None and await members.any() else "password"
    told = f'<p role="alert">{said.format(what=what)}</p>' if said else ""
    text = _LOGIN.format(what=what, label=what.capitalize(), said=told)
    return HTMLResponse(text, status_code=status, headers=headers)


def _locked_words(seconds: float) -> str:
    return f"Too many wrong tries from this address: it may try again in {math.ceil(seconds / 60)} minutes."


@router.get("/app.js")
def script() -> Response:
    """Return the page's script."""
    return built_file("app.js", "text/javascript")


@router.get("/app-scene.js")
def scene() -> Response:
    """Return the part of the script that shows poses in 3D; pages ask for it when it is first wanted."""
    return built_file("app-scene.js", "text/javascript")


@router.get("/app.css")
def style() -> Response:
    """Return the page's style."""
    return built_file("app.css", "text/css")


def built_file(name: str, kind: str) -> Response:
    """Return one of the built files by a name that the caller knows, never one from a request."""
    return FileResponse(STATIC / name, media_type=kind, headers={"cache-control": "no-cache"})
