"""Records of the editing workflow as answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from emc.interfaces import RunRecord
from emc.pose.records import RENDERED_TAG, Alert, Clip, Edit, JointChange
from emc.pose.skeletons import Skeleton
from emc.server.schemas.edits import (
    ConflictOut,
    ConflictsOut,
    EditOut,
    PreviewOut,
    PreviewSpanOut,
    SpanFrameOut,
    SpanOut,
    TheirsOut,
    ValueOut,
)
from emc.server.schemas.project import (
    AlertRowOut,
    ClipOut,
    FlagOut,
    FrameOut,
    FrameRowOut,
    HistoryOut,
    PoseOut,
    SkeletonOut,
    Step,
)
from emc.workflow.editing import (
    AlertRow,
    Editing,
    FrameRow,
    FrameView,
    JointConflict,
    JointConflicts,
    PersonView,
    PropagatedSpan,
    Steps,
    looked_every,
)

SHOWN_FRAMES = 200
"""Frames that the answer to an edit shows as they are now; beyond them the page asks when it gets there."""


def clip_answers(editing: Editing) -> list[ClipOut]:
    """Return all clips of the list; what they have is asked for together, so that a hundred open as fast as one."""
    runs = editing.store.current_runs()
    counts = editing.store.alert_states([run.id for run in runs.values()])
    return [
        _clip(editing, clip, run := runs.get(clip.id), counts.get(run.id if run else "", ())[1:])
        for clip in editing.store.clips()
    ]


def clip_answer(editing: Editing, found: Clip) -> ClipOut:
    """Return a clip of the list; counts come from the store, so that nothing large is read."""
    run = editing.store.current_run(found.id)
    return _clip(editing, found, run, editing.store.alert_counts(run.id) if run else ())


def _clip(editing: Editing, found: Clip, run: RunRecord | None, counts: tuple[int, ...]) -> ClipOut:
    alerts, frames = counts or (0, 0)
    return ClipOut(
        id=found.id,
        role=str(found.role),
        group=found.group,
        frames=found.frames,
        width=found.width,
        height=found.height,
        fps=found.played_fps,
        version=found.sha256[:16] or "0",
        model=run.model if run else None,
        skeleton=editing.run_skeleton(run).name,
        alerts=alerts,
        frames_predicted=frames,
        every=looked_every(run) if run else 1,
        rendered=found.tags.get(RENDERED_TAG[0]) == RENDERED_TAG[1],
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


def history_answer(steps: Steps) -> HistoryOut:
    """Return what undo and redo would do next for the one who asks."""
    undo, redo = (None if step is None else Step(id=step, kind=steps.kinds[step]) for step in (steps.undo, steps.redo))
    return HistoryOut(
        undo=undo,
        redo=redo,
        last=steps.last,
    )


def edit_answer(
    editing: Editing,
    clip: str,
    edit: Edit | None,
    author: str,
    spans: Sequence[PropagatedSpan] = (),
    person: int | None = None,
    fault: str = "",
) -> EditOut:
    """Return what an edit changed, as it is now (the first `SHOWN_FRAMES` of its frames)."""
    touched = sorted({change.frame for change in edit.changes}) if edit else []
    views = editing.some_frames(clip, touched[:SHOWN_FRAMES])
    return EditOut(
        id=edit.id if edit else None,
        kind=edit.kind if edit else "",
        frames=[frame_answer(view) for view in views],
        history=history_answer(editing.steps(clip, author)),
        touched=(touched[0], touched[-1]) if touched else None,
        propagated=[span_answer(span) for span in spans],
        person=person,
        fault=fault,
    )


def span_answer(span: PropagatedSpan) -> SpanOut:
    """Return what a fix repaired."""
    repair = span.repair
    return SpanOut.model_validate(
        {
            "person": span.person,
            "joint": span.joint,
            "first": int(repair.frames[0]),
            "last": int(repair.frames[-1]),
            "changed": int(repair.moved.sum()),
            "before": str(repair.before),
            "after": str(repair.after),
        }
    )


def preview_answer(spans: Sequence[PropagatedSpan], seconds: float) -> PreviewOut:
    """Return what a fix would repair."""
    return PreviewOut(milliseconds=round(1000 * seconds, 1), spans=[_preview(span) for span in spans])


def _preview(span: PropagatedSpan) -> PreviewSpanOut:
    repair = span.repair
    frames = [
        SpanFrameOut(
            frame=int(repair.frames[i]),
            xy=_place(repair.xy[i]) or (0.0, 0.0),
            was=_place(span.was[i]),
            sigma=round(float(repair.spread[i]), 2),
        )
        for i in np.flatnonzero(repair.moved)
    ]
    return PreviewSpanOut(**span_answer(span).model_dump(), frames=frames)


def conflicts_answer(error: JointConflicts) -> ConflictsOut:
    """Return both values of every joint that two people changed."""
    return ConflictsOut(error=str(error), conflicts=[_conflict(conflict) for conflict in error.conflicts])


def _conflict(conflict: JointConflict) -> ConflictOut:
    theirs, by = conflict.theirs, conflict.by
    return ConflictOut(
        frame=theirs.frame,
        person=theirs.person,
        joint=theirs.joint,
        seen=conflict.seen,
        theirs=TheirsOut(**_value(theirs), version=by.id, author=by.author, kind=by.kind, created=by.created),
        yours=ValueOut(**_value(conflict.yours)),
    )


def _value(change: JointChange) -> dict[str, Any]:
    place = _place(np.array([change.x, change.y]))
    return {"xy": place, "visibility": int(change.visibility), "provenance": int(change.provenance)}


def _place(xy: np.ndarray) -> tuple[float, float] | None:
    x, y = (round(float(v), 2) for v in xy)
    return (x, y) if np.isfinite(x) and np.isfinite(y) else None


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
            "versions": person.versions.tolist(),
        }
    )
