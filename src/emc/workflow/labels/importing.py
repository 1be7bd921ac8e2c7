"""Labels in: a label file becomes one edit of the journal for each clip that it labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.errors import InputError, UsageError
from emc.interfaces import Store
from emc.pose.label_frames import FrameRule
from emc.pose.labels import LabelledPerson, LabelSet
from emc.pose.records import SIMULATED, Edit, Prediction, Provenance
from emc.pose.skeletons import Skeleton, SkeletonMap, skeleton_map
from emc.stages.edits import Label, edit_from_labels
from emc.workflow.labels.fitting import Fitted, fit
from emc.workflow.labels.landing import Landed, land
from emc.workflow.labels.listed import keep_listed
from emc.workflow.labels.matching import Candidate, known_persons, match_persons
from emc.workflow.labels.runs import file_digest, found_alerts, stored_run
from emc.workflow.labels.vouching import confidence_of, provenance_of, says_provenance, taken_as
from emc.workflow.project import clip_skeleton
from emc.workflow.samples import LabelExtra, head_segment, put_extras


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import did to one clip: one edit, which is taken back as a whole, or a run, or both.

    edit : its id, 0 where nothing was a person's word. persons, joints : of the edit. run : id of the run that joints
    of a model became, "" where there are none. predicted : joints in it. said : what was found out and done, in
    sentences.
    """

    clip: str
    edit: int
    persons: int
    joints: int
    run: str = ""
    predicted: int = 0
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an import will do to a clip; made before anything is written."""

    part: Landed
    fitted: Fitted
    skeleton: Skeleton
    rows: tuple[Label, ...]
    edit: Edit | None
    predictions: tuple[Prediction, ...]
    extras: dict[tuple[int, int], LabelExtra]
    said: tuple[str, ...]


def import_labels(
    store: Store,
    file: Path,
    clip: str | None = None,
    format: str = "coco",
    simulated: bool = False,
    taken: str = "",
    rule: FrameRule | None = None,
    settings: Settings | None = None,
) -> list[Imported]:
    """Import labels as corrections by a person, and what the file says is a model's as a run.

    clip : the clip that they belong to; default: the project's only one, else the clips that the file speaks of (see
    `emc.workflow.labels.landing`). taken : what joints are of which the file says nothing, ``human`` (also "") or
    ``model``; EMC's own files say it of every joint. rule : what the user says of the frames. A label becomes the known
    person that it overlaps most, else a new one. simulated : marks them as made without a person's time.
    Nothing is changed where any label is faulty: raises `InputError` or `UsageError` that names it.
    """
    otherwise = taken_as(taken)
    labels: LabelSet = reader(format).read(file)
    parts = land(store, labels, file, clip, rule)
    if not parts:
        raise InputError(f"{file} has no labelled person with joints: check that it is the right file")
    author = SIMULATED if simulated else "import"
    plans = [_planned(store, part, labels.skeleton, file, otherwise, taken, author) for part in parts]
    if not any(plan.edit or plan.predictions for plan in plans):
        raise InputError(
            f"{file} has no joint that a person placed ({'; '.join(plans[0].said)}): there is nothing to import"
        )
    return [_carried_out(store, plan, file, settings) for plan in plans if plan.edit or plan.predictions]


def reader(format: str) -> Any:
    """Return the label format by name; raises `UsageError` for one that holds no labels."""
    found = plugins.make_plugin("formats", format)
    if getattr(found, "holds", "") != "labels":
        raise UsageError(f"format '{format}' holds no labels: use coco, or give boxes to `emc predict --boxes`")
    return found


def known_joints(source: Skeleton, target: Skeleton, file: Path) -> SkeletonMap:
    """Return the mapping of a file's joints to those of a clip; raises `InputError` where it has none of them."""
    mapping = skeleton_map(source, target)
    if len(mapping.absent) == len(target):
        raise InputError(
            f"{file} labels {', '.join(source.joints[:3])} ..., none of which is a joint of skeleton {target.name}: "
            "rename them, or make a project with their skeleton (`emc new NAME --skeleton FILE.toml`)"
        )
    return mapping


def _planned(
    store: Store, part: Landed, source: Skeleton, file: Path, otherwise: Provenance, taken: str, author: str
) -> _Plan:
    fitted = fit(part, file)
    if not fitted.persons:
        raise InputError(f"{file} has no labelled person with joints: check that it is the right file")
    skeleton = clip_skeleton(store, part.clip.id)
    mapping = known_joints(source, skeleton, file)
    candidates = [_candidate(person, part, mapping) for person in fitted.persons]
    people = store.people(part.clip.id)
    gone = people.deleted | people.merged.keys()
    numbers, new = match_persons(candidates, known_persons(store, part.clip.id), gone)
    rows = [_label(person, part, mapping, numbers[person.id], otherwise, file) for person in fitted.persons]
    decided = tuple(row for row in rows if _has(row, Provenance.PROPAGATED))
    predicted, kept = _predicted(store, part, fitted.persons, rows, mapping, taken, file)
    edit = edit_from_labels(decided, part.clip, skeleton, author=author) if decided else None
    said = [
        part.said,
        *_whose(fitted.persons, rows, taken, kept),
        *fitted.said,
        *_joints_said(source, mapping),
        *([f"{new} labels overlap nobody who is known there: new persons"] if new and _anybody(store, part) else []),
    ]
    return _Plan(part, fitted, skeleton, decided, edit, predicted, _extras(fitted, part, numbers, source), tuple(said))


def _candidate(person: LabelledPerson, part: Landed, mapping: SkeletonMap) -> Candidate:
    xy, _ = mapping.labels(person.xy, person.visibility)
    box = None if person.box is None else np.asarray(person.box, dtype=np.float64)
    said = person.extra.get("person")
    number = said if isinstance(said, int) and not isinstance(said, bool) and said >= 0 else None
    return Candidate(person.id, part.frames[person.image], xy, box, number, _track(person))


def _track(person: LabelledPerson) -> str | None:
    """Return what a file calls a person over its frames: ``track_id``, or CVAT's and SLEAP's attributes."""
    attributes = person.extra.get("attributes")
    for table in (person.extra, attributes if isinstance(attributes, dict) else {}):
        for name in ("track_id", "object_id"):
            if isinstance(value := table.get(name), int | str) and not isinstance(value, bool):
                return str(value)
    return None


def _label(
    person: LabelledPerson, part: Landed, mapping: SkeletonMap, number: int, otherwise: Provenance, file: Path
) -> Label:
    """Return a labelled person in the joints of the clip, with whose word each is."""
    whose = provenance_of(person, otherwise, f"{file}: annotation {person.id}")
    xy, visibility = mapping.labels(person.xy, person.visibility)
    if says_provenance(person):
        # An absent joint keeps its place where a person left it one.
        places = mapping.places(person.xy)
        xy = np.where((visibility > 0)[:, None], xy, places)
    else:
        whose = np.where(person.visibility > 0, whose, 0).astype(np.int8)
    provenance = mapping.least(whose)
    return Label(part.frames[person.image], number, xy.astype(np.float32), visibility.astype(np.int8), provenance)


def _has(row: Label, least: Provenance) -> bool:
    return row.provenance is not None and bool((row.provenance >= least).any())


def _predicted(
    store: Store,
    part: Landed,
    persons: Sequence[LabelledPerson],
    rows: Sequence[Label],
    mapping: SkeletonMap,
    taken: str,
    file: Path,
) -> tuple[tuple[Prediction, ...], bool]:
    """Return a model's joints as predictions, and whether they are to be kept.

    Where the clip has predictions of its own, those of EMC's own files add nothing but older ones.
    """
    found: list[Prediction] = []
    for person, row in zip(persons, rows, strict=True):
        placed = np.isfinite(row.xy).all(axis=1) & (row.visibility > 0)
        of_model = placed & (np.asarray(row.provenance) == Provenance.MODEL)
        if of_model.any():
            sure = mapping.least(confidence_of(person, f"{file}: annotation {person.id}"))
            sure = np.where(of_model, sure, 0).astype(np.float32)
            xy = np.where(of_model[:, None], row.xy, np.nan).astype(np.float32)
            found.append(Prediction(row.frame, row.person, xy, sure, sure, _box(person, row)))
    kept = taken == "model" or not any(run.complete for run in store.runs(part.clip.id))
    return (tuple(found) if kept else (), kept)


def _box(person: LabelledPerson, row: Label) -> np.ndarray:
    if person.box is not None:
        return np.asarray(person.box, dtype=np.float32)
    xy = row.xy[np.isfinite(row.xy).all(axis=1)]
    return np.concatenate([xy.min(axis=0), np.maximum(np.ptp(xy, axis=0), 1.0)]).astype(np.float32)


def _whose(persons: Sequence[LabelledPerson], rows: Sequence[Label], taken: str, kept: bool) -> list[str]:
    """Say whose word the joints are taken for."""
    own = sum(says_provenance(person) for person in persons)
    of_model = sum(int(((np.asarray(row.provenance) == Provenance.MODEL) & (row.visibility > 0)).sum()) for row in rows)
    said: list[str] = []
    if own < len(persons):
        scored = any(person.score is not None for person in persons if not says_provenance(person))
        hint = "; they carry scores, as a model's do: if a model made them, say --as model" if scored else ""
        chosen = taken or "human"
        how = "as you said" if taken else f"since the file does not say{hint}"
        said.append(f"{len(persons) - own} persons are taken as placed by a {chosen}, {how}")
    if own:
        said.append(f"{own} persons say of each joint who placed it, and keep it")
    if of_model:
        where = "become a run" if kept else "are left out: the clip has predictions of its own"
        said.append(f"{of_model} joints are a model's word and {where}")
    return said


def _joints_said(source: Skeleton, mapping: SkeletonMap) -> list[str]:
    unused = [joint for joint, used in zip(source.joints, (mapping.weights != 0).any(axis=0), strict=True) if not used]
    said = [f"joints {', '.join(unused)} are none of skeleton {mapping.target.name} and are left out"] if unused else []
    return said + ([mapping.say()] if mapping.derived else [])


def _anybody(store: Store, part: Landed) -> bool:
    return bool(store.runs(part.clip.id) or store.edits(part.clip.id))


def _extras(
    fitted: Fitted, part: Landed, numbers: dict[int, int], skeleton: Skeleton
) -> dict[tuple[int, int], LabelExtra]:
    """Return head segment, area and box of the labelled persons."""
    found: dict[tuple[int, int], LabelExtra] = {}
    for person in fitted.persons:
        said = person.extra.get("head_segment")
        head = float(said) if isinstance(said, int | float) else head_segment(person.xy, person.visibility, skeleton)
        key = part.frames[person.image], numbers[person.id]
        found[key] = LabelExtra(head, float(person.area), person.box)
    return found


def _carried_out(store: Store, plan: _Plan, file: Path, settings: Settings | None) -> Imported:
    clip = plan.part.clip
    run = ""
    if plan.predictions:
        record = stored_run(store, clip, f"coco-{file_digest(file)}", plan.skeleton, plan.predictions, file)
        found_alerts(store, record, plan.skeleton, settings or Settings())  # pyright: ignore[reportCallIssue]
        run = record.id
    edit, joints = 0, 0
    if plan.edit is not None:
        put_extras(store, clip.id, plan.extras)
        stored = store.append_edit(plan.edit)
        edit, joints = stored.id, sum(c.visibility > 0 for c in stored.changes)
        keep_listed(store, plan.part, edit, plan.fitted.ignored, file)
    predicted = sum(int(np.isfinite(p.xy).all(axis=1).sum()) for p in plan.predictions)
    return Imported(clip.id, edit, len(plan.rows), joints, run, predicted, plan.said)
