"""predictions -> alerts: what a complete run found."""

from __future__ import annotations

from dataclasses import dataclass

from emc.config import Settings
from emc.interfaces import Estimator, RunRecord, Store
from emc.pose.records import Clip
from emc.workflow.predict.frames import wanted_frames
from emc.workflow.predict.people import people_found


@dataclass(frozen=True, slots=True)
class Predicted:
    """What became of one clip: its run, and its alerts.

    frames : on which somebody was found; `looked`: on which somebody was looked for. doubles : numbers that followed
    a person who has another. hints : what the user should look at, a sentence each.
    """

    clip: str
    run: str
    model: str
    frames: int
    persons: int
    alerts: int
    lost: int
    low: int
    looked: int = 0
    doubles: int = 0
    hints: tuple[str, ...] = ()


def find_run_alerts(store: Store, run: RunRecord, clip: Clip, estimator: Estimator, settings: Settings) -> Predicted:
    """Find the alerts of a complete run, store them, and say what came out."""
    from emc.stages.alerts import find_alerts

    alerts, frames = find_alerts(clip.id, store.predictions(run.id), settings.alerts, estimator.skeleton)
    store.write_alerts(run.id, alerts, frames)
    looked = len(wanted_frames(store, clip, settings.video))
    people = people_found(store, run.id, clip, looked, estimator.skeleton)
    return Predicted(
        clip=clip.id,
        run=run.id,
        model=run.model,
        frames=len(frames),
        persons=people.persons,
        alerts=len(alerts),
        lost=sum(frame.lost for frame in frames),
        low=sum(frame.low for frame in frames),
        looked=looked,
        doubles=len(people.doubles),
        hints=people.hints,
    )
