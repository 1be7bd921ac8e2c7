"""Whom to correct next: the project's predicted persons, ranked by what their correction would teach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import emc.old_names as old_names
from emc.config import Settings
from emc.errors import UsageError
from emc.interfaces import Progress, RunRecord, Store
from emc.pose.records import TEST_TAG, Clip, Role
from emc.pose.skeletons import Skeleton
from emc.stages.select_persons import Candidate, select
from emc.workflow.predict import CONFIDENCE_KIND, newest_run
from emc.workflow.progress import Silent
from emc.workflow.project import selected_clips, skeleton_called
from emc.workflow.samples import labelled_poses

APART_SECONDS = 0.5
"""Frames of one person this near to each other show much the same pose."""


def next_to_correct(
    store: Store,
    clips: Sequence[str],
    budget: int,
    how: str,
    parts: Sequence[str],
    settings: Settings,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the `budget` persons of predicted clips that are most worth correcting next, in order, with reasons.

    clips : ids; default: the predicted target clips without the tag ``split=test``. parts : body parts that count
    (default: all joints). Persons with a joint that a person placed or confirmed are done; they count as chosen.
    Raises `UsageError` where no clip is predicted, or the clips' skeletons differ.
    """
    progress = progress or Silent()
    runs = predicted_clips(store, clips)
    skeletons = {run.skeleton for _, run in runs}
    if len(skeletons) > 1:
        raise UsageError(f"the clips have skeletons {', '.join(sorted(skeletons))}: choose clips of one with --clip")
    skeleton = skeleton_called(store, skeletons.pop())
    joints = joints_of(skeleton, parts)
    models = {run.model for _, run in runs}
    fitted = (
        models <= {old_names.model_name(name) for name in store.documents(CONFIDENCE_KIND)}
        and settings.predict.confidence == "fitted"
    )
    if not fitted:
        progress.say(
            "note: the confidence is the model's own guess: correct about 30 persons (--how random draws them), then "
            "run `emc confidence fit`"
        )
    open_persons: list[Candidate] = []
    done: list[Candidate] = []
    progress.start("read predictions", len(runs))
    for clip, run in runs:
        some, others = candidates_of(store, clip, run)
        open_persons += some
        done += others
        progress.advance()
    progress.finish()
    if not open_persons:
        raise UsageError("every predicted person is corrected: predict more clips with `emc predict`")
    chosen = select(open_persons, budget, skeleton, how, joints, done, settings.calibrate.seed)
    return {
        "how": how,
        "fitted": fitted,
        "open": len(open_persons),
        "done": len(done),
        "persons": [
            {
                "clip": one.clip,
                "frame": one.frame,
                "person": one.person,
                "expected_wrong": round(one.expected, 3),
                "joints": [skeleton.joints[j] for j in one.joints],
                "reason": one.reason,
            }
            for one in chosen
        ],
    }


def predicted_clips(store: Store, clips: Sequence[str]) -> list[tuple[Clip, RunRecord]]:
    """Return the clips to choose from with their newest run."""
    if clips:
        return [(clip, newest_run(store, clip.id)) for clip in selected_clips(store, clips)]
    found = [
        (clip, newest_run(store, clip.id))
        for clip in store.clips(Role.TARGET)
        if clip.tags.get(TEST_TAG[0]) != TEST_TAG[1] and any(run.complete for run in store.runs(clip.id))
    ]
    if not found:
        raise UsageError(f"no target clip of {store.folder} is predicted yet: run `emc predict` first")
    return found


def joints_of(skeleton: Skeleton, parts: Sequence[str]) -> list[int]:
    """Return the joints of the parts, all where none is named; raises `UsageError` for an unknown part."""
    return sorted({joint for part in parts or ("total",) for joint in skeleton.part(part)})


def candidates_of(store: Store, clip: Clip, run: RunRecord) -> tuple[list[Candidate], list[Candidate]]:
    """Return the persons of a run that are still open, and those that are done."""
    corrected = {(pose.frame, pose.person) for pose in labelled_poses(store, clip.id)}
    # Pictures without a rate have no time: neighbours need not be alike.
    apart = 0.0 if clip.still else APART_SECONDS * clip.fps
    open_persons: list[Candidate] = []
    done: list[Candidate] = []
    people = store.people(clip.id)
    for found in store.predictions(run.id):
        if not people.counts(found.person):
            continue
        wrong = 1.0 - np.clip(np.nan_to_num(found.confidence), 0.0, 1.0)
        one = Candidate(clip.id, found.frame, found.person, found.xy, found.box, wrong, apart)
        (done if (found.frame, found.person) in corrected else open_persons).append(one)
    return open_persons, done
