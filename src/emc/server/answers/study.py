"""A participant's session as answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emc.pose.records import Clip
from emc.pose.skeletons import skeleton_named
from emc.server.schemas.study import CheckOut, PlacedOut, SeatOut, StateOut, StepOut, StudyOut, TaskOut
from emc.study.roster import Study
from emc.study.session import Session


def state_answer(study: Study, clips: Mapping[str, Clip], session: Session | None) -> StateOut:
    """Return the study, and a participant's place in it."""
    design = study.design
    told = StudyOut(
        name=design.name, consent=design.consent, every=design.step, frames=design.clips[0].frames, goal=design.goal,
        idle=design.idle,
    )  # fmt: skip
    return StateOut(study=told, seat=None if session is None else seat_answer(session, clips))


def seat_answer(session: Session, clips: Mapping[str, Clip]) -> SeatOut:
    """Return where a participant is."""
    state = session.state
    return SeatOut(
        code=session.code,
        step=state.step,
        steps=[
            StepOut.model_validate({"kind": step.kind, "period": step.period, "method": step.method})
            for step in session.steps
        ],
        begun=state.begun,
        stretch=state.stretch,
        stretches=session.stretches,
        failed=state.failed,
        may_go_on=session.may_go_on,
        active=state.active,
        idle=state.idle,
        paused=state.paused,
        task=_task(session, clips),
        placed=[PlacedOut(frame=frame, joint=joint, xy=xy) for (frame, joint), xy in sorted(state.placed.items())],
    )


def check_answer(record: Mapping[str, Any], state: StateOut) -> CheckOut:
    """Return what a check found."""
    wrong = {int(frame): count for frame, count in record["wrong"].items()}
    return CheckOut(passed=record["passed"], share=record["share"], missing=record["missing"], wrong=wrong, state=state)


def _task(session: Session, clips: Mapping[str, Clip]) -> TaskOut | None:
    task = session.task
    if task is None:
        return None
    skeleton = skeleton_named(task.skeleton)
    return TaskOut(
        clip=task.clip,
        frames=task.frames,
        width=task.width,
        height=task.height,
        version=clips[task.clip].sha256[:16] or "0",
        joints=list(skeleton.joints),
        limbs=list(skeleton.limbs),
    )
