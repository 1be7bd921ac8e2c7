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
from emc.server.studies.desks import DeskJoints, Desks
from emc.study.plan import Method
from emc.study.roster import Study
from emc.study.session import Placed, Session

router = APIRouter(prefix="/study")
WRONG_CODE_SECONDS = 1.0
SEAT_DAYS = 60


def study_of(request: Request) -> Study:
    """Return the study that runs."""
    return request.app.state.study


def desks_of(request: Request) -> Desks:
    """Return the participants' editors."""
    return request.app.state.desks


def clips_of(request: Request) -> dict[str, Clip]:
    """Return the clips of the study by id."""
    return request.app.state.clips


def seat_of(request: Request, study: Annotated[Study, Depends(study_of)]) -> Session | None:
    """Return the session of the participant whose browser asks, None where it has joined none."""
    return study.session(request.cookies.get(request.app.state.access.seat, ""))


def joined(seat: Annotated[Session | None, Depends(seat_of)]) -> Session:
    """Return the session of who asks; 404 where there is none."""
    if seat is None:
        raise HTTPException(404, "you have not joined the study in this browser: reload the page")
    return seat


StudyOf = Annotated[Study, Depends(study_of)]
DesksOf = Annotated[Desks, Depends(desks_of)]
ClipsOf = Annotated[dict[str, Clip], Depends(clips_of)]
SeatOf = Annotated[Session | None, Depends(seat_of)]
Joined = Annotated[Session, Depends(joined)]


@router.get("/state")
def state(study: StudyOf, clips: ClipsOf, seat: SeatOf) -> StateOut:
    """Say what the study is, and where the participant stands."""
    return state_answer(study, clips, seat)


@router.post("/join")
def join(study: StudyOf, clips: ClipsOf, access: AccessOf, seat: SeatOf, body: JoinIn, response: Response) -> StateOut:
    """Take part; a browser that has joined already stays who it is."""
    session = seat or study.join(body.simulated)
    _sit(response, access.seat, session)
    return state_answer(study, clips, session)


@router.post("/resume")
def resume(study: StudyOf, clips: ClipsOf, access: AccessOf, body: ResumeIn, response: Response) -> StateOut:
    """Go on with the code that was shown, in another browser too; a wrong one takes a second."""
    session = study.session(body.code)
    if session is None:
        time.sleep(WRONG_CODE_SECONDS)
        raise HTTPException(404, "nobody takes part with this code: look at it again, it looks like P07-K3MZ2T9A")
    _sit(response, access.seat, session)
    return state_answer(study, clips, session)


@router.post("/consent")
def consent(study: StudyOf, clips: ClipsOf, seat: Joined, body: ConsentIn) -> StateOut:
    """Agree to the text."""
    with seat.lock:
        seat.consent(hashlib.sha256(study.design.consent.encode()).hexdigest()[:16])
    return state_answer(study, clips, seat)


@router.post("/begin")
def begin(study: StudyOf, clips: ClipsOf, seat: Joined, body: StepIn) -> StateOut:
    """Start the clock of a step."""
    with seat.lock:
        seat.begin(body.step)
        if seat.step.method is Method.EDITOR:
            study.desk(seat)
    return state_answer(study, clips, seat)


@router.post("/events")
def events(seat: Joined, body: EventsIn) -> StoredOut:
    """Store what happened in the page; acknowledged, it survives a crash."""
    with seat.lock:
        return StoredOut(stored=seat.note([_record(event) for event in body.events]))


@router.post("/check")
async def check(study: StudyOf, clips: ClipsOf, desks: DesksOf, seat: Joined, body: CheckIn) -> CheckOut:
    """Judge a stretch of frames, and stamp the time where they are right."""
    placed: Placed = seat.placed
    if seat.step.method is Method.EDITOR and seat.step.works and seat.task is not None:
        desk = await desks.of(seat)
        placed = DeskJoints(desk.state.editing, seat.task)

    def checked() -> CheckOut:
        clocks = {"active": body.active, "idle": body.idle, "paused": body.paused}
        with seat.lock:
            record = seat.check(body.id, body.step, body.stretch, clocks, placed, body.go_on)
            return check_answer(record, state_answer(study, clips, seat))

    return await run_in_threadpool(checked)


@router.post("/ratings")
def ratings(study: StudyOf, clips: ClipsOf, seat: Joined, body: RatingsIn) -> StateOut:
    """Rate the method just used."""
    with seat.lock:
        seat.rate(body.step, body.ratings)
    return state_answer(study, clips, seat)


@router.post("/comment")
def comment(study: StudyOf, clips: ClipsOf, seat: Joined, body: CommentIn) -> StateOut:
    """Say something at the end."""
    with seat.lock:
        seat.comment(body.text)
    return state_answer(study, clips, seat)


@router.post("/withdraw", status_code=204, response_class=Response)
async def withdraw(study: StudyOf, desks: DesksOf, access: AccessOf, seat: Joined) -> Response:
    """Delete all that was recorded of the participant."""
    await desks.leave(seat.code)
    await run_in_threadpool(study.withdraw, seat.code)
    response = Response(status_code=204)
    response.delete_cookie(access.seat, path="/")
    return response


@router.get("/clips/{clip}/{frame}", responses={200: {"content": {"image/jpeg": {}}}}, response_class=Response)
def picture(clip: str, frame: int, seat: Joined, clips: ClipsOf, frames: FramesOf) -> Response:
    """Return a frame of the clip of this step as JPEG; of other clips nothing is shown before their time."""
    task = seat.task
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


def _sit(response: Response, cookie: str, session: Session) -> None:
    response.set_cookie(cookie, session.code, max_age=SEAT_DAYS * 24 * 3600, httponly=True, samesite="strict", path="/")
