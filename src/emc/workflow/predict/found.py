"""predictions -> alerts: what a complete run found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emc.config import AlertSettings, Settings
from emc.interfaces import Estimator, RunRecord, Store
from emc.pose.people import EVERYBODY
from emc.pose.records import Alert, AlertReason, Clip, FrameAlerts
from emc.pose.skeletons import Skeleton
from emc.workflow.predict.frames import wanted_frames
from emc.workflow.predict.people import people_found
from emc.workflow.project import skeleton_called

KIND = "alert_people"
"""Kind of the project's documents, by run, that say whose alerts are stored; none: everybody's."""


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
    alerts, frames = write_run_alerts(store, run, estimator.skeleton, settings.alerts)
    looked = len(wanted_frames(store, clip, settings.video))
    people = people_found(store, run.id, clip, looked, estimator.skeleton)
    return Predicted(
        clip=clip.id,
        run=run.id,
        model=run.model,
        frames=people.frames,
        persons=people.persons,
        alerts=len(alerts),
        lost=sum(frame.lost for frame in frames),
        low=sum(frame.low for frame in frames),
        looked=looked,
        doubles=len(people.doubles),
        hints=people.hints,
    )


def write_run_alerts(
    store: Store,
    run: RunRecord,
    skeleton: Skeleton,
    settings: AlertSettings,
    kept: Sequence[Alert] = (),
    told: bool = False,
) -> tuple[list[Alert], list[FrameAlerts]]:
    """Find the alerts of the people who count in a run and store them, with those that are `kept`; returns both lists.

    Notes of which people they are: see `refresh_alerts`. told : see `Store.write_alerts`.
    """
    from emc.stages.alerts import find_alerts

    people = store.people(run.clip)
    counting = (one for one in store.predictions(run.id) if people.counts(one.person))
    alerts, frames = find_alerts(run.clip, counting, settings, skeleton)
    if kept:
        from emc.stages.lift import merge_residual_alerts

        alerts = merge_residual_alerts(alerts, kept)
    store.write_alerts(run.id, alerts, frames, told)
    if people != EVERYBODY or store.document(KIND, run.id) is not None:
        store.put_document(KIND, run.id, people.as_json())
    return alerts, frames


def refresh_alerts(store: Store, clip: str, settings: AlertSettings) -> bool:
    """Find the alerts of a clip's newest run again where others count now than when they were found.

    Returns whether that is so. What lifting found of the people who are still there is kept.
    """
    run = next((run for run in reversed(store.runs(clip)) if run.complete), None)
    if run is None:
        return False
    people = store.people(clip)
    if (store.document(KIND, run.id) or EVERYBODY.as_json()) == people.as_json():
        return False
    lifted = [one for one in store.alerts(run.id) if one.reason is AlertReason.LIFT_RESIDUAL]
    kept = [one for one in lifted if people.number(one.person) == one.person and people.counts(one.person)]
    write_run_alerts(store, run, skeleton_called(store, run.skeleton), settings, kept, told=True)
    return True
