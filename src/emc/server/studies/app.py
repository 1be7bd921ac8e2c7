"""The server of a study: the participants' pages, and behind them an editor for each participant."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

import emc.server.routes.page as page
import emc.server.studies.routes as study
from emc.errors import EmcError, StorageError
from emc.pose.records import Clip
from emc.server.app import error_response
from emc.server.body import BodyLimit
from emc.server.dependencies import AccessOf
from emc.server.door import Door
from emc.server.frames import Frames
from emc.server.schemas.base import ErrorOut
from emc.server.security import Access, Guard
from emc.server.serving import refuse_open_door, serve_app
from emc.server.studies.participant_editors import ParticipantEditors
from emc.store import SqlStore
from emc.study.plan import Method
from emc.study.preparing import START
from emc.study.roster import Study
from emc.version import __version__

PORT = 8741
"""Tried first: participants come back to the same address after a pause or a crash."""
ACCESS_FILE = "access.json"


class StudyServer:
    """ASGI application: requests of the editor's page (``/api``) go to the editor of who asks, others to the study.

    app : the study's own application; editors : the editors.
    """

    def __init__(self, app: FastAPI, editors: ParticipantEditors, study: Study, access: Access) -> None:
        self.app = app
        self.editors = editors
        self._study = study
        self._access = access
        self._refused = Guard(_nothing_to_edit, access)
        self._forbidden = Guard(_forbidden, access)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        await (await self._for(scope))(scope, receive, send)

    async def _for(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            return self.app
        if scope["path"].startswith("/api/calibration") and scope["method"] not in ("GET", "HEAD"):
            return self._forbidden
        session = self._study.session(_cookie(scope, self._access.session_cookie))
        if session is None or not session.step.works or session.step.method is not Method.EDITOR:
            return self._refused
        return await self.editors.of(session) if session.state.begun else self._refused


def create_study_app(folder: Path, access: Access) -> StudyServer:
    """Return the server of the study in `folder`; raises `ProjectError` where it cannot be opened."""
    running = Study(folder)
    editors, frames = ParticipantEditors(running, access), Frames()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await editors.close()
        frames.close()

    app = FastAPI(
        title="EMC study", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/study/openapi.json", responses={422: {"model": ErrorOut}},
    )  # fmt: skip
    app.state.door, app.state.members = Door(), None
    app.state.study, app.state.editors, app.state.frames, app.state.access = running, editors, frames, access
    app.state.clips = {task.clip: _clip(folder, task.clip) for task in running.design.tasks()}
    # Before the editor's own pages, of which the password's door and the built files are used.
    app.add_api_route("/", _page, include_in_schema=False)
    app.add_api_route("/app-studymain.js", _script, include_in_schema=False)
    app.include_router(study.router)
    app.include_router(page.router)
    for kind in (EmcError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, error_response)
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, access=access)
    return StudyServer(app, editors, running, access)


def serve_study(
    folder: Path,
    ready: Callable[[str], object],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    password: str = "",
) -> None:
    """Serve a study until Ctrl-C; its address stays the same from start to start, so that participants can come back.

    ready : called with that address once connections are accepted. Raises `UsageError` for a host other than loopback
    without a password, and for a port that cannot be had.
    """
    refuse_open_door(host, bool(password))
    token = stable_token(folder)

    def build(access: Access) -> tuple[ASGIApp, Callable[[], object]]:
        server = create_study_app(folder, access)
        return server, server.editors.end_streams

    serve_app(build, token, ready, host=host, port=port, usual=PORT, password=password)


def stable_token(folder: Path) -> str:
    """Return the token of a study's address, made when first asked for; only the owner can read its file."""
    file = folder / ACCESS_FILE
    try:
        if file.is_file():
            return str(json.loads(file.read_text(encoding="utf-8"))["token"])
        token = secrets.token_urlsafe(32)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            json.dump({"token": token}, opened)
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(f"cannot use {file} ({error}): delete it, then start again") from error
    return token


async def _page(request: Request, access: AccessOf) -> Response:
    """Show the study to who brings the token, the door to others (where a password opens it)."""
    if not request.scope["emc_token"]:
        return await page.page(request, access)
    # The same built page as the editor's: this word makes it show the study instead.
    text = (page.STATIC / "index.html").read_text(encoding="utf-8")
    response = HTMLResponse(
        text.replace("<html ", '<html data-page="study" ', 1), headers={"cache-control": "no-cache"}
    )
    access.set_cookie(response)
    return response


def _script() -> Response:
    return page.built_file("app-studymain.js", "text/javascript")


def _clip(folder: Path, name: str) -> Clip:
    with SqlStore.open(folder / START / f"{name}.emc") as store:
        return store.clip(name)


def _cookie(scope: Scope, name: str) -> str:
    try:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


async def _nothing_to_edit(scope: Scope, receive: Receive, send: Send) -> None:
    said = "there is nothing to correct with the editor now: reload the page"
    await JSONResponse({"error": said}, status_code=404)(scope, receive, send)


async def _forbidden(scope: Scope, receive: Receive, send: Send) -> None:
    said = "calibrating is not part of a study"
    await JSONResponse({"error": said}, status_code=403)(scope, receive, send)
