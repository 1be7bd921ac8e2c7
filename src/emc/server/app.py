"""The application: one project, its routes, and errors in the user's words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import emc.server.routes.calibration as calibration
import emc.server.routes.edits as edits
import emc.server.routes.live as live
import emc.server.routes.page as page
import emc.server.routes.people as people
import emc.server.routes.project as project
import emc.server.routes.queue as queue
import emc.server.routes.runs as runs
import emc.server.routes.team as team
from emc.config import read_settings
from emc.errors import ConflictError, EmcError, StorageError
from emc.server.answers.editing import conflicts_answer
from emc.server.body import BodyLimit
from emc.server.door import Door
from emc.server.events import Hub
from emc.server.frames import Frames
from emc.server.members import Members
from emc.server.names import Names
from emc.server.schemas.base import ErrorOut
from emc.server.security import Access, Guard
from emc.version import __version__
from emc.workflow.calibration import CalibrationJobs
from emc.workflow.editing import Candidates, Editing, EffortLog, JointConflicts, Lifting, Newcomers, ProjectQueue
from emc.workflow.project import open_project


def create_app(store_path: Path, token: str, *, access: Access | None = None, author: str = "") -> FastAPI:
    """Return the editor's application for the project folder `store_path`.

    token : what every request must bring. access : the whole of who may talk to it (default: the token, on loopback,
    any port). author : who makes the edits. The project is opened at once and closed with the application; raises
    `ProjectError` where it cannot be.
    """
    settings = read_settings(store_path)
    store = open_project(store_path)
    editing = Editing(store, settings.alerts, author)
    jobs = CalibrationJobs(store.folder)
    frames, hub = Frames(), Hub(store, jobs.job)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        hub.close()
        editing.close()
        frames.close()
        store.close()

    app = FastAPI(
        title="EMC editor", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", responses={422: {"model": ErrorOut}},
    )  # fmt: skip
    app.state.settings = settings
    app.state.editing = editing
    app.state.frames = frames
    app.state.hub = hub
    app.state.names = Names()
    app.state.queue = ProjectQueue(store)
    app.state.effort = EffortLog(store)
    app.state.candidates = Candidates(editing, settings)
    app.state.lifting = Lifting(editing, settings.lift)
    app.state.newcomers = Newcomers(editing, settings)
    app.state.jobs = jobs
    app.state.access = access or Access(token)
    app.state.door = Door()
    app.state.members = Members(store)
    for routes in (project, queue, edits, people, runs, team, live, calibration, page):
        app.include_router(routes.router)
    app.add_exception_handler(EmcError, error_response)
    app.add_exception_handler(RequestValidationError, error_response)
    app.add_exception_handler(HTTPException, error_response)
    app.add_exception_handler(Exception, fault_response)
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, access=app.state.access, members=app.state.members)
    return app


def error_response(_: Request, error: Exception) -> JSONResponse:
    """Answer an error with its one line and the status that belongs to it."""
    if isinstance(error, JointConflicts):
        return JSONResponse(conflicts_answer(error).model_dump(), status_code=409)
    return JSONResponse({"error": _sentence(error)}, status_code=_status(error))


def fault_response(_: Request, error: Exception) -> JSONResponse:
    """Answer a fault of the server itself: the page shows it beside the action that it could not store."""
    told = f"the server failed on this request ({type(error).__name__}: {error}): see its log, and report it"
    return JSONResponse({"error": told}, status_code=500)


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
