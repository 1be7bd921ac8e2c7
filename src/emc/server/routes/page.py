"""The page itself: its built files, and the door where a password is asked."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from emc.server.dependencies import AccessOf
from emc.server.security import may_enter

STATIC = Path(__file__).resolve().parent.parent / "static"
WRONG_PASSWORD_SECONDS = 1.0
# Without a referrer policy of its own the form would be sent with the origin "null", as a foreign page's is.
_LOGIN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>EMC: password</title>
<meta name="referrer" content="same-origin">
<meta name="viewport" content="width=device-width"><h1>EMC</h1><form method="post" action="/login">
<label>Password <input name="password" type="password" autofocus autocomplete="current-password"></label>
<button>Open the editor</button></form>"""
_WRONG = '<p role="alert">That is not the password.</p>'

router = APIRouter(include_in_schema=False)


@router.get("/")
def page(request: Request, access: AccessOf, token: str = "") -> Response:
    """Show the editor to who brings the token, the door to others (where a password opens it)."""
    if not may_enter(access, request.headers, token):
        return HTMLResponse(_LOGIN, status_code=401)
    response = built_file("index.html", "text/html")
    access.set_cookie(response)
    return response


@router.post("/login")
async def login(request: Request, access: AccessOf) -> Response:
    """Exchange the password for the token; a wrong one takes a second."""
    given = parse_qs((await request.body())[:4096].decode("utf-8", "replace")).get("password", [""])[0]
    if not access.is_password(given):
        await run_in_threadpool(time.sleep, WRONG_PASSWORD_SECONDS)
        return HTMLResponse(_LOGIN + _WRONG, status_code=401)
    response = RedirectResponse("/", status_code=303)
    access.set_cookie(response)
    return response


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
