"""Records of the editing workflow as answers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from emc.pose.records import Alert, Clip, Edit
from emc.pose.skeleton import Skeleton
from emc.server.schemas import (
    AlertRowOut,
    ClipOut,
    EditOut,
    FlagOut,
    FrameOut,
    FrameRowOut,
    HistoryOut,
    PoseOut,
    SkeletonOut,
    Step,
)
from emc.workflow.editing import MAX_FRAMES, AlertRow, Editing, FrameRow, FrameView, Held, PersonView
from emc.workflow.history import History


def clip_answer(editing: Editing, found: Clip) -> ClipOut:
    """Return a clip of the list; counts come from the store, so that nothing large is read."""
    run = editing.store.current_run(found.id)
    alerts, frames = editing.store.alert_counts(run.id) if run else (0, 0)
    return ClipOut(
        id=found.id,
        role=str(found.role),
        group=found.group,
        frames=found.frames,
        width=found.width,
        height=found.height,
        fps=found.fps,
        version=found.sha256[:16] or "0",
        model=run.model if run else None,
        skeleton=run.skeleton if run else "coco17",
        alerts=alerts,
        frames_predicted=frames,
    )


def skeleton_answer(skeleton: Skeleton) -> SkeletonOut:
    """Return a skeleton."""
    return SkeletonOut(joints=list(skeleton.joints), limbs=list(skeleton.limbs), flip=list(skeleton.flip))


def flags_answer(alerts: Iterable[Alert]) -> list[FlagOut]:
    """Return open alerts of a frame."""
    return [
        FlagOut(person=a.person, joint=a.joint, reason=str(a.reason), severity=round(a.severity, 3)) for a in alerts
    ]


def row_answer(row: FrameRow) -> FrameRowOut:
    """Return a row of the (m, n) list."""
    return FrameRowOut.model_validate(
        {"frame": row.frame, "lost": row.lost, "low": row.low, "state": row.state, "flagged": flags_answer(row.flagged)}
    )


def alert_answer(row: AlertRow) -> AlertRowOut:
    """Return a row of the queue."""
    alert = row.alert
    return AlertRowOut(
        person=alert.person,
        joint=alert.joint,
        first=alert.first,
        last=alert.last,
        reason=str(alert.reason),
        severity=round(alert.severity, 3),
        done=row.done,
        total=row.total,
    )


def frame_answer(view: FrameView) -> FrameOut:
    """Return a frame."""
    return FrameOut.model_validate(
        {
            "frame": view.frame,
            "lost": view.lost,
            "low": view.low,
            "state": view.state,
            "flagged": flags_answer(view.flagged),
            "poses": [_pose(person) for person in view.people],
        }
    )


def history_answer(history: History) -> HistoryOut:
    """Return what undo and redo would do next."""
    undo, redo = (stack[-1] if stack else None for stack in (history.done, history.undone))
    return HistoryOut(
        undo=None if undo is None else Step(id=undo, kind=history.kinds[undo]),
        redo=None if redo is None else Step(id=redo, kind=history.kinds[redo]),
    )


def edit_answer(editing: Editing, clip: str, edit: Edit | None) -> EditOut:
    """Return what an edit changed, as it is now (the first `MAX_FRAMES` of its frames)."""
    held: Held = editing.held(clip)
    touched = sorted({change.frame for change in edit.changes})[:MAX_FRAMES] if edit else []
    frames = [frame_answer(view) for frame in touched for view in editing.frames(clip, frame, frame)]
    return EditOut(
        id=edit.id if edit else None,
        kind=edit.kind if edit else "",
        frames=frames,
        history=history_answer(held.history),
    )


def _pose(person: PersonView) -> PoseOut:
    pose = person.pose
    placed = np.asarray(np.isfinite(pose.xy).all(axis=1)).tolist()
    rows = np.round(pose.xy.astype(np.float64), 2).tolist()
    box = None if pose.box is None else tuple(round(float(v), 1) for v in pose.box)
    return PoseOut.model_validate(
        {
            "person": pose.person,
            "box": box,
            "xy": [tuple(xy) if ok else None for xy, ok in zip(rows, placed, strict=True)],
            "visibility": pose.visibility.tolist(),
            "provenance": pose.provenance.tolist(),
            "confidence": np.round(person.confidence.astype(np.float64), 3).tolist(),
        }
    )
