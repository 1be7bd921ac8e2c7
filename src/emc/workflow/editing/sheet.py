"""One joint over a run, for contact sheets and sparklines; and the predictions of two models side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.errors import UsageError
from emc.pose.records import Prediction
from emc.workflow.editing.session import Editing

MOST_FRAMES = 2000


@dataclass(frozen=True, slots=True)
class JointTrack:
    """One joint of one person: (T,) frames, (T, 2) places now and as predicted, NaN where none, and who said so."""

    frames: np.ndarray
    xy: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    visibility: np.ndarray
    provenance: np.ndarray
    versions: np.ndarray


@dataclass(frozen=True, slots=True)
class RunPredictions:
    """What one run predicted on a frame."""

    run: str
    model: str
    people: tuple[Prediction, ...]


def joint_track(editing: Editing, clip: str, person: int, joint: int, first: int, last: int) -> JointTrack:
    """Return a joint on frames first..last (inclusive); raises `UsageError` for a range or joint that there is not."""
    held = editing.open_clip(clip)
    if not 0 <= first <= last < held.clip.frames or last - first >= MOST_FRAMES:
        raise UsageError(
            f"frames {first} to {last} of clip {clip} cannot be shown: use at most {MOST_FRAMES} of 0 to "
            f"{held.clip.frames - 1}"
        )
    if not 0 <= joint < len(editing.skeleton(held)):
        raise UsageError(f"clip {clip} has no joint {joint}: choose one of its skeleton")
    run = held.run.id if held.run else None
    poses = [p for p in editing.poses(clip, first, last) if p.person == person]
    found = (
        {} if run is None else {p.frame: p for p in editing.store.predictions(run, first, last) if p.person == person}
    )
    versions = editing.store.joint_versions(clip, first, last)
    given = [found.get(pose.frame) for pose in poses]
    return JointTrack(
        frames=np.array([pose.frame for pose in poses], dtype=np.int64),
        xy=np.array([pose.xy[joint] for pose in poses], dtype=np.float64).reshape(-1, 2),
        predicted=np.array([(np.nan, np.nan) if p is None else p.xy[joint] for p in given], dtype=np.float64).reshape(
            -1, 2
        ),
        confidence=np.array([0.0 if p is None else float(np.nan_to_num(p.confidence[joint])) for p in given]),
        visibility=np.array([pose.visibility[joint] for pose in poses], dtype=np.int64),
        provenance=np.array([pose.provenance[joint] for pose in poses], dtype=np.int64),
        versions=np.array([versions.get((pose.frame, person, joint), 0) for pose in poses], dtype=np.int64),
    )


def compare_runs(
    editing: Editing, clip: str, frame: int, before: str | None, after: str | None
) -> tuple[RunPredictions | None, RunPredictions | None]:
    """Return what two runs of a clip predicted on a frame.

    after : a run's id, None for the newest complete one. before : None for the newest complete one of another model
    that was made earlier. Raises `UsageError` for a run that is not of the clip, or a frame outside of it.
    """
    held = editing.open_clip(clip)
    if not 0 <= frame < held.clip.frames:
        raise UsageError(f"clip {clip} has no frame {frame}: use 0 to {held.clip.frames - 1}")
    runs = {run.id: run for run in editing.store.runs(clip) if run.complete}
    for given in (before, after):
        if given is not None and given not in runs:
            raise UsageError(f"clip {clip} has no finished run '{given}': use one of {', '.join(runs) or 'none'}")
    newest = after or (held.run.id if held.run else None)
    if newest is None:
        return None, None
    older = [run.id for run in runs.values() if run.id != newest and run.model != runs[newest].model]
    chosen = before or (older[-1] if older else None)
    sides = [
        None
        if run is None
        else RunPredictions(run, runs[run].model, tuple(editing.store.predictions(run, frame, frame)))
        for run in (chosen, newest)
    ]
    return sides[0], sides[1]
