"""What correcting cost: recorded actions and seconds, or, for simulated corrections, what they would have cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from emc.config import Settings
from emc.interfaces import Store
from emc.pose.records import SIMULATED, TEST_TAG, Clip, Edit, Prediction, Provenance, Role
from emc.workflow.samples import extras_of

CHECK_SECONDS = 1.35
PLACE_SECONDS = 1.10 + 2 * 0.10
"""Keystroke-level model (Card, Moran, Newell 1980): a mental step to check a frame; pointing and a click to place."""


def project_effort(store: Store, settings: Settings) -> dict[str, Any] | None:
    """Return the report's ``effort`` of the corrections on target clips that training may use; None where none exist.

    For edits that a person made: actions and seconds as the journal recorded them. For simulated ones: an action is a
    joint that the model had wrong (beyond alpha x head segment, or not found), its cost that of a checked frame and a
    placed joint by the keystroke-level model, and the document says ``simulated``.
    """
    clips = [clip for clip in store.clips(Role.TARGET) if clip.tags.get(TEST_TAG[0]) != TEST_TAG[1]]
    # Without predictions there is nothing that a correction could be measured against.
    clips = [clip for clip in clips if any(run.complete for run in store.runs(clip.id))]
    edits = [(clip, edit) for clip in clips for edit in store.edits(clip.id)]
    if not edits:
        return None
    simulated = [(clip, edit) for clip, edit in edits if edit.author == SIMULATED]
    recorded = [edit for _, edit in edits if edit.author != SIMULATED]
    changed, frames = 0, 0
    for clip, edit in simulated:
        changed += wrong_joints(store, clip, edit, settings)
        frames += len({change.frame for change in edit.changes})
    placed = sum(change.provenance >= Provenance.HUMAN for edit in recorded for change in edit.changes)
    return {
        "actions": len(recorded) + changed,
        "seconds": round(sum(e.seconds for e in recorded) + frames * CHECK_SECONDS + changed * PLACE_SECONDS, 1),
        "joints_changed": placed + changed,
        "simulated": bool(simulated),
        "frames_checked": frames,
        "clips": len(clips),
    }


def wrong_joints(store: Store, clip: Clip, edit: Edit, settings: Settings) -> int:
    """Return how many joints of a correction the first predictions had wrong."""
    runs = [run for run in store.runs(clip.id) if run.complete]
    predicted: dict[tuple[int, int], Prediction] = {}
    if runs:
        predicted = {(p.frame, p.person): p for p in store.predictions(runs[0].id)}
    extras = extras_of(store, clip.id)
    count = 0
    for change in edit.changes:
        if change.visibility == 0:
            continue
        found = predicted.get((change.frame, change.person))
        extra = extras.get((change.frame, change.person))
        head = extra.head if extra is not None and np.isfinite(extra.head) else 0.05 * max(clip.width, clip.height)
        if found is None:
            count += 1
            continue
        x, y = (float(v) for v in found.xy[change.joint])
        distance = float(np.hypot(x - change.x, y - change.y))
        count += not distance <= settings.evaluate.alpha * head
    return count
