"""Where the images of a label file lie: on which clip of the project, and on which frame of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from emc.errors import InputError, UsageError
from emc.interfaces import Store
from emc.pose.label_frames import ClipFrames, FrameRule, named_place, place_images
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.records import Clip
from emc.workflow.media import checked_clips
from emc.workflow.project import clip_frames, selected_clips

_COUNTED = re.compile(r"[_\-. ]*(frame|img|image)?[_\-. ]*[0-9]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Landed:
    """The part of a label file that belongs to one clip.

    frames : image id -> frame. said : how the frames were found.
    """

    clip: Clip
    at: ClipFrames
    images: Mapping[int, LabelledImage]
    frames: Mapping[int, int]
    persons: tuple[LabelledPerson, ...]
    said: str


def the_clip(store: Store, name: str | None) -> Clip:
    """Return the named clip, or the only one; raises `UsageError` where it is not clear which is meant."""
    if name is not None:
        return store.clip(name)
    clips = selected_clips(store, ())
    if len(clips) > 1:
        raise UsageError(f"the project has {len(clips)} clips: name the one the labels belong to with --clip")
    return store.clip(clips[0].id)


def land(store: Store, labels: LabelSet, file: Path, clip: str | None, rule: FrameRule | None) -> list[Landed]:
    """Return the parts of a label file by clip; a clip that the file lists but does not label has none.

    The clip is the one named, else the project's only one, else that which the file names (field ``clip``), else the
    one whose images or media the file names of its images speak of. Raises `InputError` or `UsageError` naming what
    belongs nowhere.
    """
    used = {person.image for person in labels.persons}
    found: list[Landed] = []
    for target, images in _by_clip(store, labels, file, clip).items():
        if any(image.id in used for image in images):
            meant = store.clip(target)
            checked_clips(store, [meant])
            found.append(_landed(meant, images, labels.persons, file, rule))
    return found


def _landed(
    clip: Clip, images: Sequence[LabelledImage], persons: Sequence[LabelledPerson], file: Path, rule: FrameRule | None
) -> Landed:
    at = clip_frames(clip)
    placed = place_images(images, at, file, rule)
    here = {image.id: image for image in images}
    mine = tuple(person for person in persons if person.image in here)
    for person in mine:
        if person.image not in placed.frames:
            raise InputError(
                f"{file} labels {here[person.image].file_name}, which clip {clip.id} ({clip.path}) lacks: add that "
                "image, or import the file into the clip that it belongs to"
            )
    return Landed(clip, at, here, placed.frames, mine, placed.said)


def _by_clip(store: Store, labels: LabelSet, file: Path, clip: str | None) -> dict[str, list[LabelledImage]]:
    named = {str(image.extra["clip"]) for image in labels.images if "clip" in image.extra}
    if clip is not None:
        target = store.clip(clip).id
        if len(named) < 2:
            return {target: list(labels.images)}
        if target not in named:
            raise UsageError(f"{file} labels the clips {', '.join(sorted(named))}, not {target}: name one of them")
        return {target: [image for image in labels.images if image.extra.get("clip") == target]}
    clips = selected_clips(store, ())
    if len(named) > 1 or (named and len(clips) > 1):
        return _as_named(labels, named, clips, file)
    if len(clips) == 1:
        return {clips[0].id: list(labels.images)}
    return _by_names(labels, clips, file)


def _as_named(labels: LabelSet, named: set[str], clips: Sequence[Clip], file: Path) -> dict[str, list[LabelledImage]]:
    unknown = sorted(named - {clip.id for clip in clips})
    if unknown:
        raise InputError(
            f"{file} labels clip {unknown[0]}, which the project lacks (it has "
            f"{', '.join(clip.id for clip in clips)}): add it, or name the clip that is meant with --clip"
        )
    groups: dict[str, list[LabelledImage]] = defaultdict(list)
    for image in labels.images:
        if "clip" not in image.extra:
            raise InputError(f"{file}: image {image.id} names no clip, others do: add a field 'clip' to it")
        groups[str(image.extra["clip"])].append(image)
    return groups


def _by_names(labels: LabelSet, clips: Sequence[Clip], file: Path) -> dict[str, list[LabelledImage]]:
    """Return the images of each clip by their file names: of a folder its files, of a video ``NAME_frame_000012``."""
    folders = {clip.id: _places(clip) for clip in clips if clip.kind == "images"}
    stems: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip.kind != "images":
            for stem in (clip.id, PurePath(clip.path).stem):
                stems[stem.lower()].add(clip.id)
    used = {person.image for person in labels.persons}
    groups: dict[str, list[LabelledImage]] = defaultdict(list)
    for image in labels.images:
        stem = _COUNTED.sub("", PurePath(image.file_name).stem).lower()
        could = {name for name, places in folders.items() if named_place(image.file_name, places) is not None}
        could |= stems.get(stem, set())
        if len(could) == 1:
            groups[could.pop()].append(image)
        elif image.id in used:
            held = "several clips have" if could else "no clip has"
            raise UsageError(
                f"the project has {len(clips)} clips and {held} {image.file_name!r:.60} of {file}: name the one the "
                "labels belong to with --clip"
            )
    return groups


def _places(clip: Clip) -> dict[str, int]:
    return {name: frame for frame, name in enumerate(clip_frames(clip).names)}
