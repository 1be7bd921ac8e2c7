"""A participant's way through a study: joining, consent, the clocks, checks, ratings, and leaving."""

from __future__ import annotations

import hashlib
import time
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from emc.pose.records import Clip
from emc.server.answers.study import check_answer, state_answer
from emc.server.dependencies import AccessOf, FramesOf
from emc.server.schemas.study import (
    CheckIn,
    CheckOut,
    CommentIn,
    ConsentIn,
    EventIn,
    EventsIn,
    JoinIn,
    RatingsIn,
    ResumeIn,
    StateOut,
    StepIn,
    StoredOut,
)
from emc.server.studies.participant_editors import EditedJoints, ParticipantEditors
from emc.study.plan import Method
from emc.study.roster import Study
from emc.study.session import Placed, Session

router = APIRouter(prefix="/study")
WRONG_CODE_SECONDS = 1.0
SESSION_DAYS = 60


def study_of(request: Request) -> Study:
    """Return the study that runs."""
    return request.app.state.study


def editors_of(request: Request) -> ParticipantEditors:
    """Return the participants' editors."""
    return request.app.state.editors


def clips_of(request: Request) -> dict[str, Clip]:
    """Return the clips of the study by id."""
    return request.app.state.clips


def session_of(request: Request, study: Annotated[Study, Depends(study_of)]) -> Session | None:
    """Return the session of the participant whose browser asks, None where it has joined none."""
    return study.session(request.cookies.get(request.app.state.access.session_cookie, ""))


def joined_session(session: Annotated[Session | None, Depends(session_of)]) -> Session:
    """Return the session of who asks; 404 where there is none."""
    if session is None:
        raise HTTPException(404, "you have not joined the study in this browser: reload the page")
    return session


StudyOf = Annotated[Study, Depends(study_of)]
EditorsOf = Annotated[ParticipantEditors, Depends(editors_of)]
ClipsOf = Annotated[dict[str, Clip], Depends(clips_of)]
SessionOf = Annotated[Session | None, Depends(session_of)]
JoinedSession = Annotated[Session, Depends(joined_session)]


@router.get("/state")
def state(study: StudyOf, clips: ClipsOf, session: SessionOf) -> StateOut:
    """Say what the study is, and where the participant stands."""
    return state_answer(study, clips, session)


@router.post("/join")
def join(
    study: StudyOf, clips: ClipsOf, access: AccessOf, session: SessionOf, body: JoinIn, response: Response
) -> StateOut:
    """Take part; a browser that has joined already stays who it is."""
    session = session or study.join(body.simulated)
    _set_session_cookie(response, access.session_cookie, session)
    return state_answer(study, clips, session)


@router.post("/resume")
def resume(study: StudyOf, clips: ClipsOf, access: AccessOf, body: ResumeIn, response: Response) -> StateOut:
    """Go on with the code that was shown, in another browser too; a wrong one takes a second."""
    session = study.session(body.code)
    if session is None:
        time.sleep(WRONG_CODE_SECONDS)
        raise HTTPException(404, "nobody takes part with this code: look at it again, it looks like P07-K3MZ2T9A")
    _set_session_cookie(response, access.session_cookie, session)
    return state_answer(study, clips, session)


@router.post("/consent")
def consent(study: StudyOf, clips: ClipsOf, session: JoinedSession, body: ConsentIn) -> StateOut:
    """Agree to the text."""
    with session.lock:
        session.consent(hashlib.sha256(study.design.consent.encode()).hexdigest()[:16])
    return state_answer(study, clips, session)


@router.post("/begin")
def begin(study: StudyOf, clips: ClipsOf, session: JoinedSession, body: StepIn) -> StateOut:
    """Start the clock of a step."""
    with session.lock:
        session.begin(body.step)
        if session.step.method is Method.EDITOR:
            study.workspace(session)
    return state_answer(study, clips, session)


@router.post("/events")
def events(session: JoinedSession, body: EventsIn) -> StoredOut:
    """Store what happened in the page; acknowledged, it survives a crash."""
    with session.lock:
        return StoredOut(stored=session.note([_record(event) for event in body.events]))


@router.post("/check")
async def check(study: StudyOf, clips: ClipsOf, editors: EditorsOf, session: JoinedSession, body: CheckIn) -> CheckOut:
    """Check a stretch of frames, and stamp the time where they are right."""
    placed: Placed = session.placed
    if session.step.method is Method.EDITOR and session.step.works and session.task is not None:
        editor = await editors.of(session)
        placed = EditedJoints(editor.state.editing, session.task)

    def checked() -> CheckOut:
        clocks = {"active": body.active, "idle": body.idle, "paused": body.paused}
        with session.lock:
            record = session.check(body.id, body.step, body.stretch, clocks, placed, body.go_on)
            return check_answer(record, state_answer(study, clips, session))

    return await run_in_threadpool(checked)


@router.post("/ratings")
def ratings(study: StudyOf, clips: ClipsOf, session: JoinedSession, body: RatingsIn) -> StateOut:
    """Rate the method just used."""
    with session.lock:
        session.rate(body.step, body.ratings)
    return state_answer(study, clips, session)


@router.post("/comment")
def comment(study: StudyOf, clips: ClipsOf, session: JoinedSession, body: CommentIn) -> StateOut:
    """Say something at the end."""
    with session.lock:
        session.comment(body.text)
    return state_answer(study, clips, session)


@router.post("/withdraw", status_code=204, response_class=Response)
async def withdraw(study: StudyOf, editors: EditorsOf, access: AccessOf, session: JoinedSession) -> Response:
    """Delete all that was recorded of the participant."""
    await editors.leave(session.code)
    await run_in_threadpool(study.withdraw, session.code)
    response = Response(status_code=204)
    response.delete_cookie(access.session_cookie, path="/")
    return response


@router.get("/clips/{clip}/{frame}", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def picture(clip: str, frame: int, session: JoinedSession, clips: ClipsOf, frames: FramesOf) -> Response:
    """Return a frame of the clip of this step as JPEG; of other clips nothing is shown before their time."""
    task = session.task
    if task is None or task.clip != clip or not 0 <= frame < task.frames:
        raise HTTPException(404, f"frame {frame} of {clip} is not part of what you do now: reload the page")
    headers = {"cache-control": "private, max-age=31536000, immutable"}
    return Response(frames.jpeg(clips[clip], frame), media_type="image/jpeg", headers=headers)


def _record(event: EventIn) -> dict[str, object]:
    record = event.model_dump(exclude={"frame", "joint", "xy", "how"})
    if event.kind != "place":
        return record
    if event.frame is None or event.joint is None or event.how is None:
        raise HTTPException(422, "a placed joint needs frame, joint and how: reload the page")
    return {**record, "frame": event.frame, "joint": event.joint, "xy": event.xy, "how": event.how}


def _set_session_cookie(response: Response, cookie: str, session: Session) -> None:
    response.set_cookie(
        cookie, session.code, max_age=SESSION_DAYS * 24 * 3600, httponly=True, samesite="strict", path="/"
    )
