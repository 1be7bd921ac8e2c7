"""Labels as they stand in a file, made to fit the clip: scaled to its size, and without what nobody meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import InputError
from emc.pose.geometry import outside
from emc.pose.label_sizes import refuse_box, scale_between, scaled
from emc.pose.labels import LabelledPerson
from emc.pose.records import Visibility
from emc.workflow.labels.landing import Landed

TWIN = 0.01
"""Pixels within which two annotations are the same one twice."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Labelled persons of one clip in pixels of its frames, and in sentences what was done to them.

    persons : with at least one joint that is labelled, or that a person said is absent. ignored : crowds and persons
    without joints, which scores neither ask for nor count against anybody.
    """

    persons: tuple[LabelledPerson, ...]
    ignored: tuple[LabelledPerson, ...]
    said: tuple[str, ...]


def fit(part: Landed, file: Path) -> Fitted:
    """Return the labels of a part of a file in pixels of the clip's frames.

    Raises `InputError` that names the file, the annotation and both sizes where an image has other proportions than
    the frame, and where a box or a joint cannot lie on it.
    """
    _refuse_shares(part, file)
    told: Counter[str] = Counter()
    kept: list[LabelledPerson] = []
    on_image: dict[int, list[LabelledPerson]] = defaultdict(list)
    ignored: list[LabelledPerson] = []
    for person in part.persons:
        own = _in_pixels(person, part, file, told)
        if own.iscrowd or not (has_joints(own) or decided_absent(own)):
            ignored.append(own)
        elif any(_same(own, other) for other in on_image[own.image]):
            told["twins"] += 1
        else:
            kept.append(own)
            on_image[own.image].append(own)
    return Fitted(tuple(kept), tuple(ignored), tuple(_sentences(told, len(ignored))))


def has_joints(person: LabelledPerson) -> bool:
    """Return whether any joint of a person is labelled."""
    return bool((person.visibility > Visibility.ABSENT).any())


def decided_absent(person: LabelledPerson) -> bool:
    """Return whether somebody said of a joint that it is not there (EMC's own files tell)."""
    words: Any = person.extra.get("provenance")
    return isinstance(words, list) and any(word in ("human", "confirmed") for word in words)


def _in_pixels(person: LabelledPerson, part: Landed, file: Path, told: Counter[str]) -> LabelledPerson:
    where = f"{file}: annotation {person.id}"
    image, size = part.images[person.image], part.at.size(part.frames[person.image])
    factor = scale_between((image.width, image.height), size, f"{file}: image {image.id} ({image.file_name})")
    if not (image.width and image.height):
        told["unknown"] += 1
    xy, seen = person.xy, person.visibility.copy()
    nowhere = (seen > Visibility.ABSENT) & (xy == 0).all(axis=1)
    told["origin"] += int(nowhere.sum())
    seen[nowhere] = Visibility.ABSENT
    xy = np.where(nowhere[:, None], np.nan, xy)
    box = person.box if person.box is not None and min(person.box[2:]) > 0 else None
    if factor != 1:
        told[f"x{factor:g}"] += 1
        xy = (xy + 0.5) * factor - 0.5
        box = None if box is None else scaled(box, factor)
    _refuse_far(where, xy, seen, size)
    if box is not None:
        refuse_box(box, size, where)
    return replace(
        person, xy=xy, visibility=seen, box=box, area=person.area * factor**2, extra=_longer(person.extra, factor)
    )


def _longer(extra: Any, factor: float) -> Any:
    head = extra.get("head_segment")
    return {**extra, "head_segment": head * factor} if factor != 1 and isinstance(head, int | float) else extra


def _refuse_far(where: str, xy: np.ndarray, seen: np.ndarray, size: tuple[int, int]) -> None:
    far = (seen > Visibility.ABSENT) & outside(xy, *size)
    if far.any():
        x, y = xy[int(np.flatnonzero(far)[0])]
        raise InputError(
            f"{where} has joint {int(np.flatnonzero(far)[0])} at ({x:.1f}, {y:.1f}), far outside of its frame of "
            f"{size[0]} x {size[1]} pixels: give pixels of this clip, or set its visibility to 0"
        )


def _refuse_shares(part: Landed, file: Path) -> None:
    """Raise `InputError` where all joints lie between 0 and 1: they are shares of the frame, not pixels."""
    places = [person.xy[person.visibility > Visibility.ABSENT] for person in part.persons]
    xy = np.concatenate(places) if places else np.zeros((0, 2))
    if len(xy) > 2 and float(np.nanmax(np.abs(xy), initial=0.0)) <= 1.0 and xy.any():
        raise InputError(
            f"{file} has all {len(xy)} joints of clip {part.clip.id} between 0 and 1, which reads as shares of the "
            "frame: write pixels"
        )


def _same(one: LabelledPerson, other: LabelledPerson) -> bool:
    return (
        one.xy.shape == other.xy.shape
        and np.array_equal(one.visibility, other.visibility)
        and bool(np.allclose(one.xy, other.xy, rtol=0, atol=TWIN, equal_nan=True))
    )


def _sentences(told: Counter[str], ignored: int) -> Sequence[str]:
    said = [
        f"{count} annotations were made at another size and are scaled by {word[1:]}"
        for word, count in sorted(told.items())
        if word.startswith("x")
    ]
    if told["unknown"]:
        said.append(f"{told['unknown']} annotations are on images of unknown size: taken as made at the clip's")
    if told["origin"]:
        said.append(f"{told['origin']} joints at (0, 0) are marked as labelled: taken as not labelled")
    if told["twins"]:
        said.append(f"{told['twins']} annotations are there twice: taken once")
    if ignored:
        said.append(f"{ignored} crowds and persons without joints are kept: scores ignore them")
    return said
