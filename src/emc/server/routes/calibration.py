"""The calibrate button: a worker process, its ladder as it grows, and predictions with what was chosen."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from emc.errors import UsageError
from emc.server.dependencies import EditingOf, HubOf, JobsOf, SettingsOf, owner_asks
from emc.server.schemas.base import ErrorOut
from emc.server.schemas.runs import CalibrateIn, JobOut, NothingIn, ReadyOut
from emc.workflow.calibration import calibration_readiness

router = APIRouter(prefix="/api/calibration", responses={409: {"model": ErrorOut}})


@router.get("")
def job(jobs: JobsOf) -> JobOut:
    """Say how the calibration stands."""
    return JobOut.model_validate(jobs.job())


@router.get("/ready")
def ready(editing: EditingOf, settings: SettingsOf) -> ReadyOut:
    """Say whether enough is corrected to calibrate, and what is missing."""
    found = calibration_readiness(editing.store, settings)
    return ReadyOut(
        ready=not found.problems,
        persons=found.persons,
        frames=found.frames,
        clips=found.clips,
        groups=found.groups,
        joints=found.joints,
        train=found.train,
        validation=found.validation,
        problems=list(found.problems),
        notes=list(found.notes),
    )


@router.post("", dependencies=[Depends(owner_asks)])
def start(jobs: JobsOf, hub: HubOf, editing: EditingOf, settings: SettingsOf, body: CalibrateIn) -> JobOut:
    """Start a calibration, or let an interrupted one go on; one that cannot succeed is refused with the reason."""
    problems = calibration_readiness(editing.store, settings).problems
    if problems:
        raise UsageError("; ".join(problems))
    started = JobOut.model_validate(jobs.start(predict=body.predict, steps=body.steps))
    hub.poll(force=True)
    return started


@router.post("/predict", dependencies=[Depends(owner_asks)])
def predict(jobs: JobsOf, hub: HubOf, body: NothingIn) -> JobOut:
    """Predict the clips again with the model that was chosen last."""
    started = JobOut.model_validate(jobs.start(calibrate=False))
    hub.poll(force=True)
    return started


@router.post("/cancel", dependencies=[Depends(owner_asks)])
def cancel(jobs: JobsOf, hub: HubOf, body: NothingIn) -> JobOut:
    """End a calibration; what it trained so far is kept."""
    ended = JobOut.model_validate(jobs.cancel())
    hub.poll(force=True)
    return ended
