"""The queue of the whole project: pages, counts, and the next run."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from emc.server.dependencies import EditingOf, EffortOf, QueueOf, existing_clip
from emc.server.schemas.base import FrameNumber, JointNumber, PersonNumber
from emc.server.schemas.queue import (
    AheadOut,
    DensityOut,
    EffortOut,
    FacetsOut,
    PersonCountOut,
    QueueNextOut,
    QueueOut,
    QueueRowOut,
)
from emc.workflow.editing import QueueFilter, QueuePlace, QueueRow, queue_order
from emc.workflow.team import Member

router = APIRouter(prefix="/api/queue")
Names = Annotated[list[str], Query(max_length=200)]
FORECAST_SECONDS = (60.0, 300.0, 900.0, 3600.0)
OrderName = Literal["value", "severity", "seconds", "frame", "frames", "reason", "joint", "person"]


def filter_of(
    request: Request,
    clip: Names = [],  # noqa: B006 - FastAPI copies defaults
    reason: Names = [],  # noqa: B006
    joint: Names = [],  # noqa: B006
    person: Annotated[list[PersonNumber], Query(max_length=200)] = [],  # noqa: B006
    state: Literal["open", "confirmed", "all"] = "open",
    order: OrderName = "value",
    down: bool = True,
) -> QueueFilter:
    """Return what of the queue is asked for; where no clip is, a member with clips of their own gets those."""
    member: Member | None = request.scope.get("emc_member")
    own = request.app.state.members.clips(member.name) if member is not None and not clip else ()
    lists = tuple(clip) or own, tuple(reason), tuple(joint), tuple(person)
    return QueueFilter(state, queue_order(order), down, *lists)


FilterOf = Annotated[QueueFilter, Depends(filter_of)]


@router.get("")
def rows(
    queue: QueueOf,
    wanted: FilterOf,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> QueueOut:
    """List runs of joints in the asked order."""
    total, found = queue.rows(wanted, offset, limit)
    return QueueOut(total=total, rows=[_row(row) for row in found])


@router.get("/facets")
def facets(queue: QueueOf, wanted: FilterOf) -> FacetsOut:
    """Count what the filter lets through."""
    found = queue.facets(wanted)
    return FacetsOut(
        open=found.open,
        confirmed=found.confirmed,
        seconds=round(found.seconds, 1),
        reasons=found.reasons,
        joints=found.joints,
        clips=found.clips,
        persons=[PersonCountOut(clip=clip, person=person, n=n) for (clip, person), n in found.persons.items()],
    )


@router.get("/density")
def density(
    queue: QueueOf, editing: EditingOf, clip: str, bins: Annotated[int, Query(ge=1, le=4000)] = 1200
) -> DensityOut:
    """Say where along a clip joints are flagged, and where they are confirmed; all of its runs count."""
    found = existing_clip(clip, editing)
    wrong, confirmed = queue.density(found.id, max(found.frames, 1), bins)
    return DensityOut(open=wrong.round(3).tolist(), confirmed=confirmed.round(3).tolist())


@router.get("/effort")
def effort(queue: QueueOf, log: EffortOf, author: Annotated[str | None, Query(max_length=200)] = None) -> EffortOut:
    """Say what the work on the project took and brought so far, and what more of it is expected to bring."""
    found = log.summary(author)
    return EffortOut(
        seconds=round(found.seconds, 1),
        actions=found.actions,
        decided=found.decided,
        repaired=found.repaired,
        per_minute=None if found.per_minute is None else round(found.per_minute, 2),
        curve=[round(value, 2) for value in found.curve],
        forecast=[
            AheadOut(seconds=one.seconds, runs=one.runs, joints=round(one.joints, 1), worked=round(one.worked, 1))
            for one in queue.remaining(FORECAST_SECONDS)
        ],
    )


@router.get("/next")
def next_row(
    queue: QueueOf,
    wanted: FilterOf,
    step: Annotated[int, Query(ge=-1, le=1)] = 1,
    clip_at: str | None = None,
    frame_at: FrameNumber | None = None,
    person_at: PersonNumber | None = None,
    joint_at: JointNumber | None = None,
) -> QueueNextOut:
    """Say which run comes after the one that holds a place."""
    place = None
    if clip_at is not None and frame_at is not None and person_at is not None and joint_at is not None:
        place = QueuePlace(clip_at, frame_at, person_at, joint_at)
    row, index = queue.next_row(wanted, place, -1 if step < 0 else 1)
    return QueueNextOut(row=None if row is None else _row(row), index=index)


def _row(row: QueueRow) -> QueueRowOut:
    return QueueRowOut.model_validate(
        {
            "key": row.key,
            "clip": row.clip,
            "person": row.person,
            "joint": row.joint,
            "name": row.name,
            "first": row.first,
            "last": row.last,
            "reason": row.reason,
            "severity": round(row.severity, 3),
            "frames": row.frames,
            "done": row.done,
            "total": row.frames,
            "value": round(row.value, 3),
            "seconds": round(row.seconds, 2),
            "state": row.state,
        }
    )
