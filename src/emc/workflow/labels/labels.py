"""Labels in and out: a COCO keypoints file becomes one edit of the journal, and poses become such a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.errors import InputError, UsageError
from emc.interfaces import Store
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.records import SIMULATED, Clip, Pose, Prediction, Provenance, Visibility
from emc.pose.skeletons import COCO17, Skeleton, SkeletonMap, skeleton_map
from emc.stages.edits import Label, edit_from_labels
from emc.workflow.media import checked_clips
from emc.workflow.project import clip_skeleton, image_names, padded_pose, selected_clips
from emc.workflow.samples import LabelExtra, head_segment, put_extras

SAME_PERSON = 0.3
"""Least overlap (intersection over union) of a label's box with a predicted one to be the same person."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import did: one edit, which is taken back as a whole."""

    clip: str
    edit: int
    persons: int
    joints: int


def import_labels(
    store: Store, file: Path, clip: str | None = None, format: str = "coco", simulated: bool = False
) -> list[Imported]:
    """Import labels as corrections by a person.

    clip : the clip that they belong to; default: the project's only one. Images are matched to frames by file name
    for a folder of images, by frame index (the image's ``frame``, else its id) for a video. A label becomes the
    predicted person that it overlaps most, else a new one. simulated : marks them as made without a person's time.
    Nothing is changed where any label is faulty: raises `InputError` or `UsageError` that names it.
    """
    target = the_clip(store, clip)
    checked_clips(store, [target])
    labels: LabelSet = reader(format).read(file)
    frames = frame_numbers(target, labels, file)
    assigned = assign_persons(store, target, labels, frames)
    skeleton = clip_skeleton(store, target.id)
    mapping = known_joints(labels.skeleton, skeleton, file)
    rows = [to_label(person, mapping, *assigned[person.id]) for person in labels.persons if person.id in assigned]
    if not rows:
        raise InputError(f"{file} has no labelled person with joints: check that it is the right file")
    edit = edit_from_labels(rows, target, skeleton, author=SIMULATED if simulated else "import")
    put_extras(store, target.id, extras(labels, assigned))
    stored = store.append_edit(edit)
    return [Imported(target.id, stored.id, len(rows), sum(c.visibility > 0 for c in stored.changes))]


def the_clip(store: Store, name: str | None) -> Clip:
    """Return the named clip, or the only one; raises `UsageError` where it is not clear which is meant."""
    if name is not None:
        return store.clip(name)
    clips = selected_clips(store, ())
    if len(clips) > 1:
        raise UsageError(f"the project has {len(clips)} clips: name the one the labels belong to with --clip")
    return store.clip(clips[0].id)


def reader(format: str) -> Any:
    """Return the label format by name; raises `UsageError` for one that holds no labels."""
    found = plugins.make_plugin("formats", format)
    if getattr(found, "holds", "") != "labels":
        raise UsageError(f"format '{format}' holds no labels: use coco, or give boxes to `emc predict --boxes`")
    return found


def frame_numbers(clip: Clip, labels: LabelSet, file: Path) -> dict[int, int]:
    """Return image id -> frame of the clip; raises `InputError` naming the first image that the clip lacks."""
    if clip.kind != "images":
        return {image.id: image.frame for image in labels.images}
    names = {name: number for number, name in enumerate(image_names(clip))}
    used = {person.image for person in labels.persons}
    found: dict[int, int] = {}
    for image in labels.images:
        number = names.get(PurePath(image.file_name).name)
        if number is not None:
            found[image.id] = number
        elif image.id in used:
            raise InputError(
                f"{file} labels {image.file_name}, which clip {clip.id} ({clip.path}) lacks: add that image, or import "
                "the file into the clip that it belongs to"
            )
    return found


def assign_persons(store: Store, clip: Clip, labels: LabelSet, frames: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Return annotation id -> (frame, person): the file's own ``person``, else the predicted one it overlaps most."""
    by_frame: dict[int, list[LabelledPerson]] = defaultdict(list)
    for person in labels.persons:
        if not person.iscrowd and len(person.xy) and (person.visibility > 0).any():
            by_frame[frames[person.image]].append(person)
    known: dict[int, dict[int, np.ndarray]] = defaultdict(dict)
    for pose in store.poses(clip.id):
        if pose.box is not None:
            known[pose.frame][pose.person] = pose.box
    assigned: dict[int, tuple[int, int]] = {}
    for frame, persons in by_frame.items():
        for annotation, number in match_persons(persons, known[frame]).items():
            assigned[annotation] = (frame, number)
    return assigned


def match_persons(persons: Sequence[LabelledPerson], boxes: dict[int, np.ndarray]) -> dict[int, int]:
    """Return annotation id -> person number on one frame; every number is given once."""
    chosen: dict[int, int] = {}
    for person in persons:
        said = person.extra.get("person")
        if isinstance(said, int) and said not in chosen.values():
            chosen[person.id] = said
    pairs = sorted(
        (
            (overlap(np.asarray(p.box), box), p.id, number)
            for p in persons
            if p.box is not None
            for number, box in boxes.items()
        ),
        reverse=True,
    )
    for share, annotation, number in pairs:
        if share >= SAME_PERSON and annotation not in chosen and number not in chosen.values():
            chosen[annotation] = number
    taken = set(chosen.values()) | set(boxes)
    for person in persons:
        if person.id not in chosen:
            chosen[person.id] = next(n for n in range(len(taken) + len(persons) + 1) if n not in taken)
            taken.add(chosen[person.id])
    return chosen


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the intersection over union of two (4,) xywh boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    both = float(a[2] * a[3] + b[2] * b[3]) - shared
    return shared / both if both > 0 else 0.0


def known_joints(source: Skeleton, target: Skeleton, file: Path) -> SkeletonMap:
    """Return the mapping of a file's joints to those of a clip; raises `InputError` where it has none of them."""
    mapping = skeleton_map(source, target)
    if len(mapping.absent) == len(target):
        raise InputError(
            f"{file} labels {', '.join(source.joints[:3])} ..., none of which is a joint of skeleton {target.name}: "
            "rename them, or make a project with their skeleton (`emc new NAME --skeleton FILE.toml`)"
        )
    return mapping


def to_label(person: LabelledPerson, mapping: SkeletonMap, frame: int, number: int) -> Label:
    """Return a labelled person in the joints of the clip."""
    xy, visibility = mapping.labels(person.xy, person.visibility)
    return Label(frame, number, xy.astype(np.float32), visibility.astype(np.int8))


def extras(labels: LabelSet, assigned: dict[int, tuple[int, int]]) -> dict[tuple[int, int], LabelExtra]:
    """Return head segment, area and box of the labelled persons."""
    found: dict[tuple[int, int], LabelExtra] = {}
    for person in labels.persons:
        if person.id not in assigned:
            continue
        said = person.extra.get("head_segment")
        head = (
            float(said)
            if isinstance(said, (int, float))
            else head_segment(person.xy, person.visibility, labels.skeleton)
        )
        found[assigned[person.id]] = LabelExtra(head, float(person.area), person.box)
    return found


def export_labels(
    store: Store, file: Path, clips: Sequence[str] = (), format: str = "coco", only: str = "all", media: bool = True
) -> dict[str, Any]:
    """Write the current poses of clips; `only`: ``all``, or ``human``: joints that a person placed or confirmed.

    media : False: also where the media of a clip are missing or changed, which else is an `InputError`. The answer
    counts the joints written, and of them those that only a machine placed (``unconfirmed``).
    """
    if only not in ("all", "human"):
        raise UsageError(f"--only {only} is unknown: use all or human")
    chosen = [store.clip(clip.id) for clip in selected_clips(store, clips)]
    if media:
        checked_clips(store, chosen)
    skeleton = one_skeleton(store, chosen)
    images: list[LabelledImage] = []
    persons: list[LabelledPerson] = []
    for clip in chosen:
        offset = len(images)
        images.extend(clip_images(clip, offset))
        persons.extend(clip_persons(store, clip, offset, len(persons) + 1, only == "human"))
    reader(format).write(file, LabelSet(skeleton, tuple(images), tuple(persons)))
    return {
        "file": str(file),
        "clips": [clip.id for clip in chosen],
        "images": len(images),
        "persons": len(persons),
        "joints": int(sum((person.visibility > 0).sum() for person in persons)),
        "unconfirmed": sum(unconfirmed_joints(person) for person in persons),
    }


def unconfirmed_joints(person: LabelledPerson) -> int:
    """Return how many of an exported person's joints nobody placed or confirmed."""
    decided = {Provenance.HUMAN.name.lower(), Provenance.CONFIRMED.name.lower()}
    shown = zip(person.visibility > 0, person.extra["provenance"], strict=True)
    return sum(bool(here) and by not in decided for here, by in shown)


def one_skeleton(store: Store, clips: Sequence[Clip]) -> Skeleton:
    """Return the skeleton of all the clips; raises `UsageError` where they have different ones."""
    found = {skeleton.name: skeleton for skeleton in (clip_skeleton(store, clip.id) for clip in clips)}
    if len(found) > 1:
        raise UsageError(f"the clips have skeletons {', '.join(sorted(found))}: export clips of one with --clip")
    return next(iter(found.values()), COCO17)


def export_clip(store: Store, clip: Clip, file: Path) -> dict[str, Any]:
    """Write one clip's current poses as COCO keypoints; image_id = frame index from 0."""
    return export_labels(store, file, [clip.id])


def clip_images(clip: Clip, offset: int) -> Iterable[LabelledImage]:
    """Yield the frames of a clip as images; the id counts frames of all exported clips, from 0."""
    names = image_names(clip) if clip.kind == "images" else ()
    for frame in range(clip.frames):
        name = names[frame] if names else f"{clip.id}_{frame:06d}.png"
        yield LabelledImage(offset + frame, name, clip.width, clip.height, {"clip": clip.id, "frame": frame})


def clip_persons(store: Store, clip: Clip, offset: int, first_id: int, human: bool) -> list[LabelledPerson]:
    """Return the poses of a clip as labelled persons, with person, provenance and confidence per joint."""
    confidences = {(p.frame, p.person): p for p in newest_predictions(store, clip)}
    persons: list[LabelledPerson] = []
    joints = len(clip_skeleton(store, clip.id))
    for pose in (padded_pose(pose, joints) for pose in store.poses(clip.id)):
        visibility = exported_visibility(pose, human)
        if not (visibility > 0).any():
            continue
        prediction = confidences.get((pose.frame, pose.person))
        confidence = prediction.confidence if prediction else np.ones(len(pose.xy))
        confidence = np.pad(confidence, (0, len(pose.xy) - len(confidence)))
        confidence = np.where(pose.provenance >= Provenance.HUMAN, 1.0, confidence)
        x, y, w, h = exported_box(pose, visibility)
        persons.append(
            LabelledPerson(
                image=offset + pose.frame,
                id=first_id + len(persons),
                xy=np.where(visibility[:, None] > 0, pose.xy, np.nan).astype(np.float64).round(2),
                visibility=visibility,
                box=(x, y, w, h),
                area=round(w * h, 2),
                score=round(float(confidence[visibility > 0].mean()), 4),
                extra={
                    "person": pose.person,
                    "confidence": [round(float(c), 4) for c in confidence],
                    "provenance": [Provenance(int(p)).name.lower() for p in pose.provenance],
                },
            )
        )
    return persons


def newest_predictions(store: Store, clip: Clip) -> Iterable[Prediction]:
    """Return the predictions of a clip's newest complete run, none where there is no run."""
    runs = [run for run in store.runs(clip.id) if run.complete]
    return store.predictions(runs[-1].id) if runs else ()


def exported_visibility(pose: Pose, human: bool) -> np.ndarray:
    """Return (J,) visibility to export: with `human` only joints that a person placed or confirmed."""
    keep = np.isfinite(pose.xy).all(axis=1)
    if human:
        keep &= pose.provenance >= Provenance.HUMAN
    return np.where(keep, pose.visibility, Visibility.ABSENT).astype(np.int8)


def exported_box(pose: Pose, visibility: np.ndarray) -> tuple[float, float, float, float]:
    """Return xywh: the box that the pose was predicted in, else that around its joints."""
    if pose.box is not None and np.isfinite(pose.box).all():
        x, y, w, h = (round(float(v), 2) for v in pose.box)
        return x, y, w, h
    xy = pose.xy[visibility > 0]
    low, size = xy.min(axis=0), np.ptp(xy, axis=0)
    return round(float(low[0]), 2), round(float(low[1]), 2), round(float(size[0]), 2), round(float(size[1]), 2)
