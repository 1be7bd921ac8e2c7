"""predictions -> alerts: what a complete run found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emc.config import Settings
from emc.interfaces import Estimator, RunRecord, Store
from emc.pose.records import Clip

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Predicted:
    """What became of one clip: its run, and its alerts."""

    clip: str
    run: str
    model: str
    frames: int
    persons: int
    alerts: int
    lost: int
    low: int


def find_run_alerts(store: Store, run: RunRecord, clip: Clip, estimator: Estimator, settings: Settings) -> Predicted:
    """Find the alerts of a complete run, store them, and say what came out."""
    from emc.stages.alerts import find_alerts

    alerts, frames = find_alerts(clip.id, store.predictions(run.id), settings.alerts, estimator.skeleton)
    store.write_alerts(run.id, alerts, frames)
    persons = len({prediction.person for prediction in store.predictions(run.id)})
    return Predicted(
        clip=clip.id,
        run=run.id,
        model=run.model,
        frames=len(frames),
        persons=persons,
        alerts=len(alerts),
        lost=sum(frame.lost for frame in frames),
        low=sum(frame.low for frame in frames),
    )
