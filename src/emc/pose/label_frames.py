"""Which frame of a clip a label or a box lies on: what its file says, checked against itself and against the clip.

A file may say it in a field ``frame``, by the number at the end of an image's name, or by the order of its images; its
COCO ``id`` is a key of the file and says nothing. Numbers may count from 0 or from 1. What is in doubt is refused with
both readings named; nothing is shifted in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from emc.errors import InputError, UsageError
from emc.pose.labels import LabelledImage

FRAME_FIELDS = ("frame", "frame_index", "frame_id")
SOURCES = ("field", "name", "order", "id")
"""Where the frame of an image can be read from, best first; `id` only where the user says so."""
WORDS = {
    "field": "the field 'frame'",
    "name": "the number at the end of file_name",
    "order": "the order of the images",
    "id": "the image id",
}
REMEDY = "say which holds with --frames-by field, name, order or id, or correct the file"
# Label Studio puts eight hex digits before the name of an uploaded file; Roboflow a hash behind it.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
_HASHED = re.compile(r"_(png|jpe?g|bmp|tiff?|webp)\.rf\.[0-9A-Za-z]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClipFrames:
    """The frames of a clip that labels may lie on.

    names : file names by frame of a folder of images, empty for a video. width, height : of a frame in pixels, 0 where
    unknown. sizes : (width, height) by frame where they differ, else empty.
    """

    clip: str
    count: int
    width: int = 0
    height: int = 0
    names: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()

    def size(self, frame: int) -> tuple[int, int]:
        """Return (width, height) of a frame in pixels."""
        return self.sizes[frame] if self.sizes else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class FrameRule:
    """What the user says of the frames in a file; by default it is found out.

    by : one of `SOURCES`, "" where not said. first : the number that the first frame of the clip has in the file.
    """

    by: str = ""
    first: int | None = None

    def __post_init__(self) -> None:
        if self.by and self.by not in SOURCES:
            raise UsageError(f"--frames-by {self.by} is unknown: use {', '.join(SOURCES)}")
        if self.first is not None and self.first < 0:
            raise UsageError(f"--first-frame {self.first} cannot be: give the number of the clip's first frame, 0 or 1")


@dataclass(frozen=True, slots=True)
class PlacedImages:
    """Image id -> frame of the clip, and one line that says how the frames were found."""

    frames: Mapping[int, int]
    said: str


def place_images(
    images: Sequence[LabelledImage], clip: ClipFrames, file: Path, rule: FrameRule | None = None, strict: bool = True
) -> PlacedImages:
    """Return the frame of each image.

    Images of a folder are found by their names; those that the folder lacks are left out. Images of a video by the
    rule, else by a field, else by the number in the name, else by their order. strict : refuse a field and a number in
    the name that differ.
    Raises `InputError` that names the file and both readings where they disagree, two images are the same frame, or a
    frame is outside of the clip.
    """
    rule = rule or FrameRule()
    if clip.names and rule.by in ("", "name"):
        return _by_folder(images, clip, file)
    source, numbers = _numbers(images, clip, file, rule, strict)
    _refuse_same(images, numbers, file, source)
    first = rule.first
    if first is None and (source == "order" or all("clip" in image.extra for image in images)):
        # EMC's own files, which name the clip, count from 0, and so does an order.
        first = 0
    first, why = first_number(list(numbers.values()), clip, f"{file}: {WORDS[source]}", first)
    return PlacedImages({id: number - first for id, number in numbers.items()}, f"frames by {WORDS[source]}, {why}")


def first_number(numbers: Sequence[int], clip: ClipFrames, where: str, first: int | None = None) -> tuple[int, str]:
    """Return the number that a file gives the first frame of a clip, 0 or 1, and in words what it counts from.

    Numbers from 1 to the clip's count without a gap count from 1. Numbers that begin with 1 and go on without a gap but
    end before the clip does may be either, and are refused. Raises `InputError` where a number is outside of the clip.
    """
    low, high = min(numbers, default=0), max(numbers, default=0)
    if first is not None:
        check_range([number - first for number in (low, high)], clip, where, first)
        return first, f"from {first}"
    gapless = len(set(numbers)) == high - low + 1
    if low == 1 and gapless and high == clip.count:
        return 1, f"from 1, since they are 1 to {high} and the clip has {clip.count} frames"
    if low == 1 and gapless and 1 < high < clip.count:
        raise InputError(
            f"{where} goes from 1 to {high} without a gap, which may count from 0 or from 1: say which with "
            "--first-frame 0 or --first-frame 1"
        )
    if low >= 1 and high == clip.count:
        raise InputError(
            f"{where} goes up to {high}, clip {clip.clip} has frames 0 to {clip.count - 1}: if the file counts from 1, "
            "say so with --first-frame 1, else give the file that belongs to the clip"
        )
    check_range([low, high], clip, where)
    return 0, "from 0"


def check_range(frames: Sequence[int], clip: ClipFrames, where: str, first: int = 0) -> None:
    """Raise `InputError` where a frame is outside of the clip; `first` is what the file calls its first frame."""
    for frame in (min(frames, default=0), max(frames, default=0)):
        if not 0 <= frame < clip.count:
            raise InputError(
                f"{where} names frame {frame + first}, clip {clip.clip} has frames {first} to "
                f"{clip.count - 1 + first}: give the file that belongs to the clip, or correct it"
            )


def trailing_number(file_name: str) -> int | None:
    """Return the number at the end of an image's name, without its suffix; None where it ends in no digit."""
    name = _HASHED.sub("", PurePath(file_name).stem)
    digits = re.search(r"([0-9]+)$", name)
    return int(digits.group(1)) if digits else None


def frame_field(raw: Mapping[str, Any], where: str) -> int | None:
    """Return what a field ``frame`` (``_index``, ``_id``), its own or among ``attributes``, says; None without one.

    Raises `InputError` naming the field where it is no whole number.
    """
    attributes: Any = raw.get("attributes")
    tables: list[Mapping[str, Any]] = [raw, attributes] if isinstance(attributes, dict) else [raw]
    for table in tables:
        for name in FRAME_FIELDS:
            value: Any = table.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
                raise InputError(f"{where} has {value!r:.40} as '{name}': write a whole number of 0 or more")
            return int(value)
    return None


def named_place(file_name: str, places: Mapping[str, int]) -> int | None:
    """Return the frame of a folder's image by its name, also as Label Studio or Roboflow rename it, or None."""
    name = PurePath(file_name.replace("\\", "/")).name
    if name in places:
        return places[name]
    plain = _UPLOADED.sub("", name)
    if plain in places:
        return places[plain]
    hashed = _HASHED.search(PurePath(name).stem)
    if hashed:
        stem = PurePath(name).stem[: hashed.start()]
        return next((place for known, place in places.items() if PurePath(known).stem == stem), None)
    return None


def _by_folder(images: Sequence[LabelledImage], clip: ClipFrames, file: Path) -> PlacedImages:
    places = {name: frame for frame, name in enumerate(clip.names)}
    found = {image.id: place for image in images if (place := named_place(image.file_name, places)) is not None}
    _refuse_same([image for image in images if image.id in found], found, file, "name")
    for image in images:
        said = frame_field(image.extra, f"{file}: image {image.id}") if "clip" in image.extra else None
        if said is not None and image.id in found and said != found[image.id]:
            raise InputError(
                f"{file}: image {image.id} says frame {said}, but {image.file_name} is frame {found[image.id]} of clip "
                f"{clip.clip}: say --frames-by name if the folder has changed since, or field"
            )
    return PlacedImages(found, "frames by file name")


def _numbers(
    images: Sequence[LabelledImage], clip: ClipFrames, file: Path, rule: FrameRule, strict: bool
) -> tuple[str, dict[int, int]]:
    """Return what the frames are read from, and image id -> number as the file counts."""
    fields = {image.id: frame_field(image.extra, f"{file}: image {image.id}") for image in images}
    names = {image.id: trailing_number(image.file_name) for image in images}
    if rule.by == "id":
        return "id", {image.id: image.id for image in images}
    if rule.by == "order" or not images:
        return "order", {image.id: place for place, image in enumerate(images)}
    if rule.by == "field" or (not rule.by and any(value is not None for value in fields.values())):
        known = _complete(images, fields, file, "field")
        if strict and not rule.by:
            _refuse_other_names(images, known, names, file)
        return "field", known
    if rule.by == "name" or any(value is not None for value in names.values()):
        return "name", _complete(images, names, file, "name")
    if len(images) != clip.count:
        raise InputError(
            f"{file} says no frames: no field 'frame', no number at the end of {images[0].file_name!r:.60}, and "
            f"{len(images)} images for the {clip.count} frames of clip {clip.clip}; add a field 'frame' to its images"
        )
    return "order", {image.id: place for place, image in enumerate(images)}


def _complete(
    images: Sequence[LabelledImage], values: Mapping[int, int | None], file: Path, source: str
) -> dict[int, int]:
    known = {id: value for id, value in values.items() if value is not None}
    if len(known) < len(images):
        lacking = next(image for image in images if image.id not in known)
        raise InputError(
            f"{file}: image {lacking.id} ({lacking.file_name!r:.60}) lacks {WORDS[source]}, which other images have: "
            f"add it; or {REMEDY}"
        )
    return known


def _refuse_other_names(
    images: Sequence[LabelledImage], fields: Mapping[int, int], names: Mapping[int, int | None], file: Path
) -> None:
    """Raise `InputError` where each image has its own number in its name, and it is not that of the field."""
    numbers = [number for number in names.values() if number is not None]
    if len(numbers) < len(images) or len(set(numbers)) < len(numbers):
        return
    other = next((image for image in images if names[image.id] != fields[image.id]), None)
    if other is not None:
        raise InputError(
            f"{file}: image {other.id} says frame {fields[other.id]} in {WORDS['field']} but {names[other.id]} at the "
            f"end of {other.file_name!r:.60}: {REMEDY}"
        )


def _refuse_same(images: Sequence[LabelledImage], frames: Mapping[int, int], file: Path, source: str) -> None:
    seen: dict[int, LabelledImage] = {}
    for image in images:
        twin = seen.setdefault(frames[image.id], image)
        if twin is not image:
            raise InputError(
                f"{file}: images {twin.id} ({twin.file_name!r:.60}) and {image.id} ({image.file_name!r:.60}) are both "
                f"frame {frames[image.id]} by {WORDS[source]}: {REMEDY}"
            )
