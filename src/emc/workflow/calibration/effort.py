"""What correcting cost: recorded actions and seconds, or, for simulated corrections, what they would have cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from emc.config import Settings
from emc.interfaces import Store
from emc.pose.journal import undone_edits
from emc.pose.records import SIMULATED, TEST_TAG, Clip, Edit, Prediction, Provenance, Role
from emc.workflow.samples import extras_of

IMPORT = "import"
CHECK_SECONDS = 1.35
PLACE_SECONDS = 1.10 + 2 * 0.10
"""Keystroke-level model (Card, Moran, Newell 1980): a mental step to check a frame; pointing and a click to place."""


RECORDED, SIMULATED_ALL, SIMULATED_PARTLY = "recorded", "simulated", "partly simulated"


def project_effort(store: Store, settings: Settings) -> dict[str, Any] | None:
    """Return the report's ``effort`` of the corrections on target clips that training may use; None where none exist.

    For edits that a person made: actions and seconds as the journal recorded them. For simulated ones: an action is a
    joint that the model had wrong (beyond alpha x head segment, or not found), its cost that of a checked frame and a
    placed joint by the keystroke-level model, and the document says ``simulated``, in ``how`` whether all of it or a
    part is, and in ``recorded`` what a person did. Labels that were imported took time that nobody knows: they are
    ``joints_imported`` and neither an action nor seconds.
    """
    clips = [clip for clip in store.clips(Role.TARGET) if clip.tags.get(TEST_TAG[0]) != TEST_TAG[1]]
    # Without predictions there is nothing that a correction could be measured against.
    clips = [clip for clip in clips if any(run.complete for run in store.runs(clip.id))]
    edits = [(clip, edit) for clip in clips for edit in store.edits(clip.id)]
    if not edits:
        return None
    simulated = [(clip, edit) for clip, edit in edits if edit.author == SIMULATED]
    others = [(clip, edit) for clip, edit in edits if edit.author != SIMULATED]
    recorded = _recorded([edit for _, edit in others if edit.kind != IMPORT])
    changed, frames = 0, 0
    for clip, edit in simulated:
        changed += wrong_joints(store, clip, edit, settings)
        frames += len({change.frame for change in edit.changes})
    return {
        "actions": recorded["actions"] + changed,
        "seconds": round(recorded["seconds"] + frames * CHECK_SECONDS + changed * PLACE_SECONDS, 1),
        "joints_changed": recorded["joints_changed"] + changed,
        "simulated": bool(simulated),
        "how": RECORDED if not simulated else SIMULATED_PARTLY if recorded["actions"] else SIMULATED_ALL,
        "recorded": recorded,
        "joints_imported": _imported(others),
        "frames_checked": frames,
        "clips": len(clips),
    }


def _recorded(edits: Sequence[Edit]) -> dict[str, Any]:
    placed = sum(change.provenance >= Provenance.HUMAN for edit in edits for change in edit.changes)
    return {
        "actions": len(edits),
        "seconds": round(float(sum(edit.seconds for edit in edits)), 1),
        "joints_changed": placed,
    }


def _imported(edits: Sequence[tuple[Clip, Edit]]) -> int:
    """Return how many joints stand in imports that were not taken back."""
    gone = undone_edits([(edit.id, edit.undoes) for _, edit in edits if edit.undoes])
    return len(
        {
            (clip.id, change.frame, change.person, change.joint)
            for clip, edit in edits
            if edit.kind == IMPORT and edit.id not in gone
            for change in edit.changes
            if change.visibility > 0
        }
    )


def wrong_joints(store: Store, clip: Clip, edit: Edit, settings: Settings) -> int:
    """Return how many joints of a correction the first predictions had wrong."""
    runs = [run for run in store.runs(clip.id) if run.complete]
    predicted: dict[tuple[int, int], Prediction] = {}
    if runs:
        predicted = {(p.frame, p.person): p for p in store.raw_predictions(runs[0].id)}
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
