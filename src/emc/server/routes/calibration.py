"""The calibrate button: a worker process, its ladder as it grows, and predictions with what was chosen."""

from __future__ import annotations

from fastapi import APIRouter

from emc.server.dependencies import HubOf, JobsOf
from emc.server.schemas import ErrorOut
from emc.server.schemas_runs import CalibrateIn, JobOut, NothingIn

router = APIRouter(prefix="/api/calibration", responses={409: {"model": ErrorOut}})


@router.get("")
def job(jobs: JobsOf) -> JobOut:
    """Say how the calibration stands."""
    return JobOut.model_validate(jobs.job())


@router.post("")
def start(jobs: JobsOf, hub: HubOf, body: CalibrateIn) -> JobOut:
    """Start a calibration, or let one go on that was interrupted."""
    started = JobOut.model_validate(jobs.start(predict=body.predict, steps=body.steps))
    hub.poll(force=True)
    return started


@router.post("/predict")
def predict(jobs: JobsOf, hub: HubOf, body: NothingIn) -> JobOut:
    """Predict the clips again with the model that was chosen last."""
    started = JobOut.model_validate(jobs.start(calibrate=False))
    hub.poll(force=True)
    return started


@router.post("/cancel")
def cancel(jobs: JobsOf, hub: HubOf, body: NothingIn) -> JobOut:
    """End a calibration; what it trained so far is kept."""
    ended = JobOut.model_validate(jobs.cancel())
    hub.poll(force=True)
    return ended
