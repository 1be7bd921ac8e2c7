"""Score what is there already, without running a model: a COCO results file, or a run of the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emc.config import EvaluateSettings
from emc.errors import InputError, UsageError
from emc.formats.poses.coco_results import Result, image_id, read_results
from emc.interfaces import Store
from emc.pose.label_frames import frame_field
from emc.pose.records import Clip, Ignored, Sample
from emc.pose.skeletons import Skeleton
from emc.stages.evaluate import Detection, PopulationScores, assigned, evaluate_found
from emc.workflow.labels import Listed, listed_on
from emc.workflow.project import clip_skeleton, skeleton_called
from emc.workflow.samples import uncut_samples
from emc.workflow.scoring import head_name

IMPORTED = "imported"
"""The word for the newest run that another program predicted."""


@dataclass(frozen=True, slots=True)
class Found:
    """Persons found on some clips, and by whom."""

    model: str
    detections: tuple[Detection, ...]
    skeleton: Skeleton


def results_on(store: Store, clips: Sequence[Clip], file: Path) -> Found:
    """Return the persons of a COCO results file on the clips.

    A result says its frame in a field ``frame`` (and its ``clip``, where there are several), else by its image id,
    which is looked up in the label file that was imported last. Raises `InputError` naming the file, the result and
    the remedy.
    """
    skeleton = one_skeleton(store, clips)
    listed = {clip.id: listed_on(store, clip.id) for clip in clips}
    found: list[Detection] = []
    for result in read_results(file, len(skeleton)):
        clip, frame = _place(result, listed)
        x, y = result.xy.T
        # As pycocotools' loadRes has it: the area of the box around all joints.
        area = float((x.max() - x.min()) * (y.max() - y.min()))
        found.append(Detection(clip, frame, result.xy, result.score, area))
    if not found:
        raise InputError(f"{file} holds no results: check that it is the right file")
    return Found(file.name, tuple(found), skeleton)


def run_on(store: Store, clips: Sequence[Clip], word: str) -> Found:
    """Return the persons of each clip's newest run that `word` means: ``imported``, a run's id, or a model's name.

    A person's score is the mean confidence of all joints. Raises `UsageError` naming the runs that there are.
    """
    skeleton = one_skeleton(store, clips)
    found: list[Detection] = []
    models: set[str] = set()
    for clip in clips:
        runs = [run for run in store.runs(clip.id) if run.complete]
        meant = [run for run in runs if _is_meant(run.id, run.model, run.settings, word)]
        if not meant:
            continue
        models.add(meant[-1].model)
        if skeleton_called(store, meant[-1].skeleton).joints != skeleton.joints:
            raise UsageError(f"run {meant[-1].id} has other joints than the labels: {skeleton.name}")
        for one in store.predictions(meant[-1].id):
            score = float(np.nan_to_num(one.confidence).mean())
            found.append(Detection(clip.id, one.frame, one.xy.astype(np.float64), score))
    if not models:
        known = sorted({f"{run.id} ({run.model})" for clip in clips for run in store.runs(clip.id) if run.complete})
        raise UsageError(f"no complete run '{word}' on these clips: there is {', '.join(known) or 'none'}")
    return Found(" and ".join(sorted(models)), tuple(found), skeleton)


def score_found(
    store: Store, clips: Sequence[Clip], found: Found, settings: EvaluateSettings
) -> tuple[PopulationScores | None, list[str]]:
    """Score found persons against the labels of clips, None where nobody is labelled there; and say what was left out.

    On images that an imported label file lists, whoever is found and not labelled is wrong, as in COCO's protocol. On
    other frames with labels people may be there whom nobody labelled: only those who match a label count.
    """
    samples = [sample for clip in clips for sample in uncut_samples(store, clip)]
    if not samples:
        return None, []
    listed = {clip.id: listed_on(store, clip.id) for clip in clips}
    complete = [(clip, frame) for clip, said in listed.items() for frame in sorted(said.frames)]
    here = [one for one in found.detections if one.clip in listed]
    judged, said = _judged(here, samples, found.skeleton, set(complete))
    scores = evaluate_found(
        judged,
        samples,
        found.skeleton,
        [*complete, *sorted({(s.clip, s.frame) for s in samples} - set(complete))],
        head_name(samples, settings, found.skeleton),
        settings.alpha,
        settings.bootstrap,
        settings.seed,
        [one for rows in listed.values() for one in rows.ignored],
    )
    return scores, said


def one_skeleton(store: Store, clips: Sequence[Clip]) -> Skeleton:
    """Return the skeleton of all the clips; raises `UsageError` where they have different ones."""
    found = {skeleton.name: skeleton for skeleton in (clip_skeleton(store, clip.id) for clip in clips)}
    if len(found) > 1:
        raise UsageError(f"the clips have skeletons {', '.join(sorted(found))}: name clips of one with --clip")
    return next(iter(found.values()))


def ignored_on(store: Store, clips: Sequence[Clip]) -> list[Ignored]:
    """Return the crowds and persons without joints that label files list on the clips."""
    return [one for clip in clips for one in listed_on(store, clip.id).ignored]


def _judged(
    found: Sequence[Detection], samples: Sequence[Sample], skeleton: Skeleton, complete: set[tuple[str, int]]
) -> tuple[list[Detection], list[str]]:
    """Return the detections that can be judged, and what was left out."""
    labelled = {(s.clip, s.frame) for s in samples}
    chosen = {i for i in assigned(found, samples, skeleton) if i is not None}
    kept = [one for i, one in enumerate(found) if (one.clip, one.frame) in complete or i in chosen]
    unlabelled = sum((one.clip, one.frame) not in complete | labelled for one in found)
    others = len(found) - len(kept) - unlabelled
    said: list[str] = []
    if others:
        said.append(f"{others} found persons match no label, on frames where not everybody is labelled: left out")
    if unlabelled:
        said.append(f"{unlabelled} found persons are on frames without labels: left out")
    return kept, said


def _place(result: Result, listed: Mapping[str, Listed]) -> tuple[str, int]:
    frame = frame_field(result.raw, result.where)
    if frame is not None:
        clip = str(result.raw.get("clip", next(iter(listed))))
        if clip not in listed or ("clip" not in result.raw and len(listed) > 1):
            raise InputError(f"{result.where} says frame {frame} but not of which clip: name one with --clip")
        return clip, frame
    number = image_id(result.where, result.raw)
    places = [(clip, said.images[number]) for clip, said in listed.items() if number in said.images]
    if len(places) == 1:
        return places[0]
    if places:
        raise InputError(f"{result.where} has image_id {number}, which several clips have: name one with --clip")
    raise InputError(
        f"{result.where} has image_id {number}, which no imported label file lists: import the label file that the "
        "results refer to (`emc import coco FILE`), or add a field 'frame'"
    )


def _is_meant(run: str, model: str, settings: Mapping[str, object], word: str) -> bool:
    if word == IMPORTED:
        return IMPORTED in settings
    return word in (run, model) or model.startswith(f"{word}-")
