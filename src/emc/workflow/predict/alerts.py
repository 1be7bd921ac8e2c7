"""What to correct first: the alerts of each clip's newest run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emc.errors import UsageError
from emc.interfaces import RunRecord, Store
from emc.workflow.project import selected_clips, skeleton_called


def newest_run(store: Store, clip: str, model: str | None = None) -> RunRecord:
    """Return a clip's newest complete run (of one model); raises `UsageError` where there is none."""
    runs = [run for run in _complete_runs(store, clip) if model in (None, run.model)]
    if not runs:
        raise UsageError(f"clip {clip} has no predictions yet: run `emc predict --clip {clip}` first")
    return runs[-1]


def list_alerts(store: Store, clips: Sequence[str], limit: int) -> dict[str, Any]:
    """Return, per clip, (m, n) of the worst frames and the queue of joints, most severe first.

    ``without`` names the clips that have no predictions. Raises `UsageError` where all of those asked for are such, or
    one that was asked for by its name.
    """
    chosen = [clip.id for clip in selected_clips(store, clips)]
    without = [] if clips else [clip for clip in chosen if not _complete_runs(store, clip)]
    if without == chosen and chosen:
        raise UsageError(f"no clip of {store.folder} has predictions yet: run `emc predict` first")
    return {"clips": [_clip_alerts(store, clip, limit) for clip in chosen if clip not in without], "without": without}


def _complete_runs(store: Store, clip: str) -> list[RunRecord]:
    return [run for run in store.runs(clip) if run.complete]


def _clip_alerts(store: Store, clip: str, limit: int) -> dict[str, Any]:
    run = newest_run(store, clip)
    joints = skeleton_called(store, run.skeleton).joints
    return {
        "clip": clip,
        "model": run.model,
        "frames": [
            {"frame": row.frame, "lost": row.lost, "low": row.low} for row in store.frame_alerts(run.id, limit=limit)
        ],
        "joints": [
            {
                "person": alert.person,
                "joint": joints[alert.joint],
                "first": alert.first,
                "last": alert.last,
                "reason": str(alert.reason),
                "severity": alert.severity,
            }
            for alert in store.alerts(run.id, limit=limit)
        ],
    }
