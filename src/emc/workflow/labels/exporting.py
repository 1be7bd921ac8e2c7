"""Labels out: the current poses of clips as a COCO keypoints file that says of each joint whose word it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import UsageError
from emc.interfaces import Store
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.records import Clip, Pose, Provenance, Visibility
from emc.pose.skeletons import COCO17, Skeleton
from emc.workflow.labels.importing import reader
from emc.workflow.labels.runs import newest_predictions
from emc.workflow.media import checked_clips
from emc.workflow.people import refuse_unknown
from emc.workflow.project import clip_frames, clip_skeleton, padded_pose, selected_clips


def export_labels(
    store: Store,
    file: Path,
    clips: Sequence[str] = (),
    format: str = "coco",
    only: str = "all",
    media: bool = True,
    people: Sequence[int] = (),
) -> dict[str, Any]:
    """Write the current poses of clips; `only`: ``all``, or ``human``: joints that a person placed or confirmed.

    media : False: also where the media of a clip are missing or changed, which else is an `InputError`. people : only
    these persons. The answer counts the joints written, and of them those that only a machine placed
    (``unconfirmed``).
    """
    if only not in ("all", "human"):
        raise UsageError(f"--only {only} is unknown: use all or human")
    chosen = [store.clip(clip.id) for clip in selected_clips(store, clips)]
    if media:
        checked_clips(store, chosen)
    skeleton = one_skeleton(store, chosen)
    refuse_unknown(store, [clip.id for clip in chosen], people)
    images: list[LabelledImage] = []
    persons: list[LabelledPerson] = []
    for clip in chosen:
        offset = len(images)
        images.extend(clip_images(clip, offset))
        persons.extend(clip_persons(store, clip, offset, len(persons) + 1, only == "human", people))
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


def export_clip(store: Store, clip: Clip, file: Path, people: Sequence[int] = ()) -> dict[str, Any]:
    """Write one clip's current poses as COCO keypoints; image_id = frame index from 0."""
    return export_labels(store, file, [clip.id], people=people)


def clip_images(clip: Clip, offset: int) -> Iterable[LabelledImage]:
    """Yield the frames of a clip as images; the id counts frames of all exported clips, from 0."""
    at = clip_frames(clip)
    for frame in range(clip.frames):
        name = at.names[frame] if at.names else f"{clip.id}_{frame:06d}.png"
        yield LabelledImage(offset + frame, name, *at.size(frame), {"clip": clip.id, "frame": frame})


def clip_persons(
    store: Store, clip: Clip, offset: int, first_id: int, human: bool, people: Sequence[int] = ()
) -> list[LabelledPerson]:
    """Return the poses of a clip as labelled persons, with person, provenance and confidence per joint.

    people : only these persons, all where none is named.
    """
    confidences = {(p.frame, p.person): p for p in newest_predictions(store, clip)}
    persons: list[LabelledPerson] = []
    joints = len(clip_skeleton(store, clip.id))
    for pose in (padded_pose(pose, joints) for pose in store.poses(clip.id)):
        visibility = exported_visibility(pose, human)
        decided = pose.provenance >= Provenance.HUMAN
        if not ((visibility > 0) | decided).any() or (people and pose.person not in people):
            continue
        prediction = confidences.get((pose.frame, pose.person))
        confidence = prediction.confidence if prediction else np.ones(len(pose.xy))
        confidence = np.pad(confidence, (0, len(pose.xy) - len(confidence)))
        confidence = np.where(pose.provenance >= Provenance.HUMAN, 1.0, confidence)
        box = exported_box(pose, visibility)
        # An absent joint keeps the place that a person left it at: it comes back as it went out.
        kept = ((visibility > 0) | decided) & np.isfinite(pose.xy).all(axis=1)
        persons.append(
            LabelledPerson(
                image=offset + pose.frame,
                id=first_id + len(persons),
                xy=np.where(kept[:, None], pose.xy, np.nan).astype(np.float64).round(2),
                visibility=visibility,
                box=box,
                area=round(box[2] * box[3], 2) if box else float("nan"),
                score=round(float(confidence[visibility > 0].mean()), 4) if (visibility > 0).any() else None,
                extra={
                    "person": pose.person,
                    "confidence": [round(float(c), 4) for c in confidence],
                    "provenance": [Provenance(int(p)).name.lower() for p in pose.provenance],
                },
            )
        )
    return persons


def exported_visibility(pose: Pose, human: bool) -> np.ndarray:
    """Return (J,) visibility to export: with `human` only joints that a person placed or confirmed."""
    keep = np.isfinite(pose.xy).all(axis=1)
    if human:
        keep &= pose.provenance >= Provenance.HUMAN
    return np.where(keep, pose.visibility, Visibility.ABSENT).astype(np.int8)


def exported_box(pose: Pose, visibility: np.ndarray) -> tuple[float, float, float, float] | None:
    """Return xywh: the box that the pose was predicted in, else that around its joints; None without either."""
    if pose.box is not None and np.isfinite(pose.box).all():
        x, y, w, h = (round(float(v), 2) for v in pose.box)
        return x, y, w, h
    xy = pose.xy[visibility > 0]
    if not len(xy):
        return None
    low, size = xy.min(axis=0), np.ptp(xy, axis=0)
    return round(float(low[0]), 2), round(float(low[1]), 2), round(float(size[0]), 2), round(float(size[1]), 2)
