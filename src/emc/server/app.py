"""The application: one project, its routes, and errors in the user's words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse

from emc import __version__
from emc.config import read_settings
from emc.errors import ConflictError, EmcError, StorageError
from emc.server.frames import Frames
from emc.server.routes import edits, page, project
from emc.server.schemas import ErrorOut
from emc.server.security import Access, Guard
from emc.workflow.editing import Editing
from emc.workflow.project import open_project


def create_app(store_path: Path, token: str, *, access: Access | None = None, author: str = "") -> FastAPI:
    """Return the editor's application for the project folder `store_path`.

    token : what every request must bring. access : the whole of who may talk to it (default: the token, on loopback,
    any port). author : who makes the edits. The project is opened at once and closed with the application; raises
    `ProjectError` where it cannot be.
    """
    settings = read_settings(store_path)
    store = open_project(store_path)
    frames = Frames()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        frames.close()
        store.close()

    app = FastAPI(
        title="EMC editor", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", responses={422: {"model": ErrorOut}},
    )  # fmt: skip
    app.state.editing = Editing(store, settings.alerts, author)
    app.state.frames = frames
    app.state.access = access or Access(token)
    for routes in (project, edits, page):
        app.include_router(routes.router)
    app.add_exception_handler(EmcError, _told)
    app.add_exception_handler(RequestValidationError, _told)
    app.add_exception_handler(HTTPException, _told)
    app.add_middleware(Guard, access=app.state.access)
    return app


def _told(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": _sentence(error)}, status_code=_status(error))


def _sentence(error: Exception) -> str:
    if isinstance(error, HTTPException):
        return str(error.detail)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return (
            f"the request is wrong at {'.'.join(str(part) for part in first['loc'])} ({first['msg']}): reload the page"
        )
    return str(error)


def _status(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, ConflictError):
        return 409
    # 503: the page keeps what it could not store and tries again.
    return 503 if isinstance(error, StorageError) else 422
