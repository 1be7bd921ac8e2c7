"""COCO keypoints JSON, in and out without loss.

Format: https://cocodataset.org/#format-data ("Keypoint Detection").
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from emc.errors import InputError
from emc.formats.json_stream import json_entries
from emc.formats.poses.coco_skeleton import category_of, skeleton_of
from emc.formats.poses.packed_fields import PackedFields
from emc.formats.whole_files import is_large, read_json, write_json
from emc.pose.geometry import outside
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.records import Visibility
from emc.pose.skeletons import Skeleton
from emc.untrusted import one_line, shown

MOST_PEOPLE = 2000
"""People on one frame, beyond which a file is wrong: comparing them with each other would take minutes."""
PERSON_FIELDS = frozenset(
    {"id", "image_id", "category_id", "keypoints", "num_keypoints", "bbox", "area", "iscrowd", "score"}
)
IMAGE_FIELDS = frozenset({"id", "file_name", "width", "height"})
SET_FIELDS = frozenset({"images", "annotations", "categories"})


class CocoFormat:
    """COCO keypoints labels; visibility 0, 1, 2 is kept, as are all fields that are not ours.

    Parameters
    ----------
    skeleton : demand these joints, in this order; None: built-in skeletons are known by their joints' names, any
        other list of names becomes a skeleton of its own.

    A labelled joint may lie outside of its image as far as the editor lets it (`emc.pose.geometry.OUTSIDE`).
    """

    name = "coco"
    holds = "labels"
    reads = (".json",)
    writes = (".json",)

    def __init__(self, skeleton: Skeleton | None = None) -> None:
        self._skeleton = skeleton

    @one_line("export it as COCO keypoints")
    def read(self, path: Path) -> LabelSet:
        """Return the labels of a file.

        Joints of visibility 0 at (0, 0) become NaN, others keep their place. An annotation without keypoints becomes
        a person without joints. Raises `InputError` that names the file, the annotation, its value and the remedy.
        """
        document, annotations = _document(path)
        images = tuple(_image(path, place, raw) for place, raw in enumerate(document["images"]))
        sizes = {image.id: (image.width, image.height) for image in images}
        _refuse_twins(path, "image", [image.id for image in images])
        categories = document["categories"]
        skeleton, of_persons = skeleton_of(path, categories, self._skeleton)
        persons: list[LabelledPerson] = []
        others: list[Mapping[str, Any]] = []
        crowd: Counter[int] = Counter()
        for place, raw in enumerate(annotations):
            where = _where(path, "annotation", place, raw)
            if raw.get("category_id", of_persons[0]) not in of_persons:
                others.append(raw)
                continue
            person = _person(where, raw, len(skeleton), of_persons[0])
            if person.image not in sizes:
                raise InputError(f"{where} is on image {person.image}, which the file lacks: add the image or drop it")
            _refuse_outside(where, person, skeleton, sizes[person.image])
            refuse_crowd(f"{path}: image {person.image}", crowd, person.image)
            persons.append(person)
        _refuse_twins(path, "annotation", [person.id for person in persons])
        extra = {key: value for key, value in document.items() if key not in SET_FIELDS}
        return LabelSet(skeleton, images, tuple(persons), tuple(categories), tuple(others), extra)

    def write(self, path: Path, labels: LabelSet) -> None:
        """Write labels; ``num_keypoints`` is counted again. The file appears whole or not at all.

        Raises `InputError` naming a person whose labelled joint has no place, `StorageError` where writing fails.
        """
        categories = labels.categories or (category_of(labels.skeleton),)
        persons = [_raw_person(path, person) for person in labels.persons]
        document = {
            **labels.extra,
            "images": [_raw_image(image) for image in labels.images],
            "annotations": [*persons, *(dict(raw) for raw in labels.others)],
            "categories": [dict(category) for category in categories],
        }
        write_json(path, document)


def refuse_crowd(where: str, people: Counter[int], frame: int) -> None:
    """Count one more person on a frame; raises `InputError` where there are more than any picture shows."""
    people[frame] += 1
    if people[frame] > MOST_PEOPLE:
        raise InputError(f"{where} has more than {MOST_PEOPLE} people: check what wrote the file, or split it")


def _document(path: Path) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
    """Return what a file says beside its annotations, and these; of a large file read as they are asked for."""
    if is_large(path):
        rest = _without_annotations(path)
        _refuse_other(path, rest, with_objects=("images", "categories"))
        return rest, _annotations(path)
    document = read_json(path)
    _refuse_other(path, document, with_objects=("images", "annotations", "categories"))
    return document, document["annotations"]


def _without_annotations(path: Path) -> Any:
    rest: dict[str, Any] = {}
    for entry in json_entries(path):
        if entry.key == "" and entry.place >= 0:
            return []
        if entry.key == "annotations":
            rest.setdefault("annotations", [])
        elif entry.place < 0:
            rest[entry.key] = entry.value
        else:
            rest.setdefault(entry.key, []).append(entry.value)
    return rest


def _annotations(path: Path) -> Iterator[dict[str, Any]]:
    for entry in json_entries(path):
        if entry.key == "annotations" and entry.place >= 0:
            yield _object(path, "annotations", entry.place, entry.value)


def _object(path: Path, part: str, place: int, raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise InputError(f"{path} has {part}[{place}] = {raw!r:.40}, no object: export it as COCO keypoints")
    return raw


def _refuse_other(path: Path, document: Any, with_objects: Sequence[str]) -> None:
    if isinstance(document, list):
        raise InputError(
            f"{path} is a list, not COCO labels: give the file with 'images' and 'annotations' (a list of results is "
            "read as predictions)"
        )
    parts = ("images", "annotations", "categories")
    missing = [part for part in parts if not isinstance(document, dict) or not isinstance(document.get(part), list)]
    if missing:
        raise InputError(f"{path} is JSON but not COCO (no list {', '.join(missing)}): export it as COCO keypoints")
    for part in with_objects:
        for place, raw in enumerate(document[part]):
            _object(path, part, place, raw)


def _refuse_outside(where: str, person: LabelledPerson, skeleton: Skeleton, size: tuple[int, int]) -> None:
    far = (person.visibility > Visibility.ABSENT) & outside(person.xy, *size)
    if all(size) and far.any():
        joint = int(np.flatnonzero(far)[0])
        x, y = person.xy[joint]
        raise InputError(
            f"{where} has {skeleton.joints[joint]} at ({x:g}, {y:g}), far outside of its image of {size[0]} x "
            f"{size[1]} pixels: correct it, or set its visibility to 0"
        )


def _where(path: Path, what: str, place: int, raw: Mapping[str, Any]) -> str:
    return f"{path}: {what} {shown(raw['id'])}" if "id" in raw else f"{path}: {what} at place {place}"


def _image(path: Path, place: int, raw: Mapping[str, Any]) -> LabelledImage:
    where = _where(path, "image", place, raw)
    id = _whole(where, raw, "id")
    # SLEAP, Label Studio and datumaro write 0 or null for the size of an image that they could not open.
    width, height = (0 if raw.get(name) is None else _whole(where, raw, name) for name in ("width", "height"))
    if width < 0 or height < 0:
        raise InputError(f"{where} has the size {width} x {height}: write its real size in pixels")
    extra = {key: value for key, value in raw.items() if key not in IMAGE_FIELDS}
    return LabelledImage(id, str(raw.get("file_name", "")), width, height, extra)


def _person(where: str, raw: Mapping[str, Any], joints: int, category: int) -> LabelledPerson:
    xy, visibility = _keypoints(where, raw.get("keypoints"), joints)
    box = raw.get("bbox")
    values = None if box is None else numbers(where, "bbox", box, 4)
    area, score = (None if raw.get(name) is None else number(where, raw, name) for name in ("area", "score"))
    return LabelledPerson(
        image=_whole(where, raw, "image_id"),
        id=_whole(where, raw, "id"),
        xy=xy,
        visibility=visibility,
        box=None if values is None else (values[0], values[1], values[2], values[3]),
        area=math.nan if area is None else area,
        iscrowd=bool(raw.get("iscrowd", 0)),
        score=score,
        category=_whole(where, raw, "category_id") if "category_id" in raw else category,
        extra=PackedFields({key: value for key, value in raw.items() if key not in PERSON_FIELDS}),
    )


def _keypoints(where: str, values: Any, joints: int) -> tuple[np.ndarray, np.ndarray]:
    if values is None or values == []:
        return np.full((joints, 2), np.nan), np.zeros(joints, dtype=np.int8)
    table = np.array(numbers(where, "keypoints", values, 3 * joints), dtype=np.float64).reshape(joints, 3)
    seen = table[:, 2]
    strange = ~np.isin(seen, [int(v) for v in Visibility])
    if strange.any():
        joint = int(np.flatnonzero(strange)[0])
        raise InputError(f"{where} has visibility {seen[joint]:g} at joint {joint}: use 0, 1 or 2")
    xy = table[:, :2].copy()
    # COCO writes an unlabelled joint as (0, 0, 0); a place that a file keeps for one is kept here too.
    xy[(seen == Visibility.ABSENT) & (xy == 0).all(axis=1)] = np.nan
    return xy, seen.astype(np.int8)


def number(where: str, raw: Mapping[str, Any], name: str) -> float:
    """Return a finite number of a JSON object; raises `InputError` naming `where`, the field and its value."""
    return numbers(where, name, [raw.get(name)], 1)[0]


def numbers(where: str, name: str, values: Any, count: int) -> list[float]:
    """Return `count` finite numbers of a JSON list; raises `InputError` naming `where`, the field and the value."""
    if not isinstance(values, list) or len(values) != count:
        held = f"{len(values)} values" if isinstance(values, list) else f"{values!r:.40}"
        per_joint = f" (3 for each of {count // 3} joints)" if name == "keypoints" else ""
        raise InputError(f"{where} has {held} in '{name}': write {count} numbers{per_joint}")
    if set(map(type, values)) <= {int, float}:
        # Whole numbers that no float holds go the long way below.
        with suppress(OverflowError):
            found = list(map(float, values))
            if all(map(math.isfinite, found)):
                return found
    for value in values:
        if not is_finite(value):
            raise InputError(f"{where} has {shown(repr(value), 40)} in '{name}': write a finite number")
    return [float(value) for value in values]


def _whole(where: str, raw: Mapping[str, Any], name: str) -> int:
    value = raw.get(name)
    if not is_finite(value) or value % 1 or abs(value) >= 2**63:
        raise InputError(f"{where} has {shown(repr(value), 40)} as '{name}': write a whole number")
    return int(value)


def is_finite(value: Any) -> TypeGuard[int | float]:
    """Return whether a value of a JSON file is a number, no truth value, that a float holds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # A whole number of 400 digits is one for JSON and for Python, and larger than any float.
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 10**300


def _refuse_twins(path: Path, what: str, ids: Sequence[int]) -> None:
    seen: set[int] = set()
    for id in ids:
        if id in seen:
            raise InputError(f"{path} has {what} {id} twice: give every {what} its own id")
        seen.add(id)


def plain(value: float) -> float | int:
    """Return whole numbers as int: COCO's own files write 433, not 433.0."""
    return int(value) if float(value).is_integer() else float(value)


def _raw_image(image: LabelledImage) -> dict[str, Any]:
    return {
        "id": image.id, "file_name": image.file_name, "width": image.width, "height": image.height, **image.extra,
    }  # fmt: skip


def _raw_person(path: Path, person: LabelledPerson) -> dict[str, Any]:
    placed = np.asarray(np.isfinite(person.xy).all(axis=1))
    labelled = person.visibility > Visibility.ABSENT
    if (labelled & ~placed).any():
        joint = int(np.flatnonzero(labelled & ~placed)[0])
        raise InputError(
            f"label {person.id} for {path} has joint {joint} visible or occluded but without a place: "
            "set its visibility to 0, or place it"
        )
    xy = np.where(placed[:, None], person.xy, 0.0)
    table = np.column_stack([xy, person.visibility]).astype(np.float64)
    raw: dict[str, Any] = {
        "id": person.id,
        "image_id": person.image,
        "category_id": person.category,
        "iscrowd": int(person.iscrowd),
        "num_keypoints": int(labelled.sum()),
        "keypoints": [plain(value) for value in table.ravel().tolist()],
    }
    if person.box is not None:
        raw["bbox"] = [plain(value) for value in person.box]
    if math.isfinite(person.area):
        raw["area"] = plain(person.area)
    if person.score is not None:
        raw["score"] = plain(person.score)
    return {**raw, **person.extra}
