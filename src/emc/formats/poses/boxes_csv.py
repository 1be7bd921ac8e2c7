"""Person boxes from elsewhere: CSV tables, and the boxes of COCO labels or detections."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path, PurePath
from typing import Any

from emc.errors import InputError
from emc.formats.poses.coco import numbers
from emc.formats.poses.coco_results import result_frame
from emc.formats.whole_files import read_json, read_text, write_text
from emc.pose.label_frames import (
    ClipFrames,
    FrameRule,
    first_number,
    named_place,
    place_images,
    trailing_number,
)
from emc.pose.label_sizes import refuse_box, scale_between, scaled
from emc.pose.labels import LabelledImage
from emc.pose.records import Box
from emc.untrusted import one_line

EDGES = ("x", "y", "w", "h")
IMAGE_COLUMNS = ("image", "file_name")
PERSON_CATEGORY = 1

Boxes = dict[int, list[Box]]


class BoxesCsvFormat:
    """A table ``frame,x,y,w,h[,person][,score]``: top-left corner and size in pixels, frames counted from 0.

    In place of ``frame`` a column ``image`` or ``file_name`` may name the picture. Comma, semicolon and tab separate.
    """

    name = "boxes-csv"
    holds = "boxes"
    reads = (".csv", ".tsv", ".txt")
    writes = (".csv",)

    @one_line("begin with a line frame,x,y,w,h, or export it again")
    def read(self, path: Path, files: Sequence[str] = ()) -> Boxes:
        """Return the boxes by the frames that the table names, as it counts them; see `read_boxes`.

        files : names of the clip's images in their order, for tables that name images in place of frames; without it
        the number at the end of an image's name is the frame.
        """
        rows = _rows(path)
        _check_header(path, rows.fieldnames or ())
        places = {PurePath(name).name: index for index, name in enumerate(files)}
        found: Boxes = {}
        for row in rows:
            box = _row_box(f"{path}, line {rows.line_num}", row, places)
            found.setdefault(box.frame, []).append(box)
        return found

    @staticmethod
    def by_name(path: Path) -> bool:
        """Return whether a table names images, and no frames."""
        return "frame" not in (_rows(path).fieldnames or ())

    def write(self, path: Path, boxes: Mapping[int, Sequence[Box]]) -> None:
        """Write boxes by frame; the file appears whole or not at all. Raises `StorageError` where writing fails."""
        out = StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["frame", *EDGES, "person", "score"])
        for frame in sorted(boxes):
            for box in boxes[frame]:
                table.writerow([frame, *box.xywh, box.track, box.score])
        write_text(path, out.getvalue())


@dataclass(frozen=True, slots=True)
class BoxFile:
    """Boxes by frame of the clip, and what was found out about the file, in whole sentences for its reader."""

    boxes: Boxes
    said: tuple[str, ...]


@one_line("export it as COCO labels, a list of detections, or CSV")
def read_boxes(path: Path, clip: ClipFrames, rule: FrameRule | None = None) -> BoxFile:
    """Return person boxes by frame from a CSV table, or (``.json``) from COCO labels or detections.

    Parameters
    ----------
    path : the file. `track` of a box is its ``person`` (JSON: ``track_id``), -1 where the file has none. JSON: only
        category 1 (or the one named ``person``) counts, crowds do not.
    clip : the clip that they are of. Frames are found as `emc.pose.label_frames` says; boxes of COCO labels made on
        another size of the clip are scaled. A list of detections says its frames in a field ``frame``; its
        ``image_id`` is one only where the user says so. rule : what the user says of the frames.

    Raises
    ------
    InputError : names the file, the line or entry, the value and the remedy.
    """
    rule = rule or FrameRule()
    if path.suffix.lower() != ".json":
        return _table(path, clip, rule)
    document = read_json(path, without=("segmentation", "keypoints", "caption"))
    if isinstance(document, list):
        return _detections(path, document, clip, rule)
    if isinstance(document, dict) and isinstance(document.get("annotations"), list):
        return _labels(path, document, clip, rule)
    raise InputError(f"{path} is neither COCO labels nor a list of detections: export it as one of them, or as CSV")


def _table(path: Path, clip: ClipFrames, rule: FrameRule) -> BoxFile:
    raw = BoxesCsvFormat().read(path, clip.names)
    named = BoxesCsvFormat.by_name(path)
    if named and clip.names:
        first, said = 0, "frames by file name"
    else:
        source = "file_name" if named else "frame"
        first, why = first_number(sorted(raw), clip, f"{path}: the column {source}", rule.first)
        said = f"frames by the column {source}, {why}"
    return BoxFile(_shifted(raw, first, clip, path), (said,))


def _detections(path: Path, document: Sequence[Any], clip: ClipFrames, rule: FrameRule) -> BoxFile:
    found: Boxes = {}
    for place, entry in enumerate(document):
        where = f"{path}: entry {place}"
        if not isinstance(entry, dict):
            raise InputError(f"{where} is {entry!r:.40}, no object: export the file again")
        if entry.get("category_id", PERSON_CATEGORY) != PERSON_CATEGORY or entry.get("iscrowd"):
            continue
        box = _entry_box(where, entry, result_frame(where, entry, rule))
        found.setdefault(box.frame, []).append(box)
    source = "the image_id" if rule.by == "id" else "the field 'frame'"
    first, why = first_number(sorted(found), clip, f"{path}: {source}", rule.first)
    return BoxFile(_shifted(found, first, clip, path), (f"frames by {source}, {why}",))


def _labels(path: Path, document: Mapping[str, Any], clip: ClipFrames, rule: FrameRule) -> BoxFile:
    images = _images(path, document)
    placed = place_images(list(images.values()), clip, path, rule)
    category = _person_category(document)
    found: Boxes = {}
    factors: set[float] = set()
    for place, entry in enumerate(document["annotations"]):
        where = f"{path}: entry {place}"
        if not isinstance(entry, dict):
            raise InputError(f"{where} is {entry!r:.40}, no object: export the file again")
        if entry.get("category_id", category) != category or entry.get("iscrowd"):
            continue
        image = images.get(entry.get("image_id", -1))
        if image is None:
            raise InputError(f"{where} is on image {entry.get('image_id')}, which the file lacks: add it or drop this")
        frame = placed.frames.get(image.id)
        if frame is None:
            raise InputError(f"{where} names the image '{image.file_name}', which the clip lacks: correct or drop it")
        factor = scale_between((image.width, image.height), clip.size(frame), f"{path}: image {image.id}")
        box = _entry_box(where, entry, frame)
        factors.add(factor)
        box = box if factor == 1 else replace(box, xywh=scaled(box.xywh, factor))
        refuse_box(box.xywh, clip.size(frame), where)
        found.setdefault(frame, []).append(box)
    said = [placed.said, *(f"boxes made at another size, scaled by {factor:g}" for factor in sorted(factors - {1.0}))]
    return BoxFile(found, tuple(said))


def _shifted(raw: Boxes, first: int, clip: ClipFrames, path: Path) -> Boxes:
    """Return the boxes with frames from 0; raises `InputError` for a box that is not on its frame."""
    found: Boxes = {}
    for number, boxes in raw.items():
        for box in boxes:
            refuse_box(box.xywh, clip.size(number - first), f"{path}: frame {number}")
        found[number - first] = [replace(box, frame=number - first) for box in boxes]
    return found


def _rows(path: Path) -> csv.DictReader[str]:
    text = read_text(path)
    first = text.lstrip().splitlines()[0]
    rows = csv.DictReader(StringIO(text.lstrip()), delimiter=max(",;\t", key=first.count), skipinitialspace=True)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or []]
    return rows


def _check_header(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in EDGES if name not in names]
    if "frame" not in names and not any(name in names for name in IMAGE_COLUMNS):
        missing.insert(0, "frame")
    if missing:
        raise InputError(
            f"{path}, line 1 has the columns {', '.join(names)!r:.80} but no {', '.join(missing)}: "
            "begin with a line frame,x,y,w,h"
        )


def _row_box(where: str, row: Mapping[str, Any], places: Mapping[str, int]) -> Box:
    if None in row or None in row.values():
        raise InputError(f"{where} has not as many values as line 1 has columns: correct the line")
    xywh = [_number(where, row, name) for name in EDGES]
    score = _number(where, row, "score") if (row.get("score") or "").strip() else 1.0
    track = _number(where, row, "person") if (row.get("person") or "").strip() else -1
    if track % 1:
        raise InputError(f"{where} has person '{row['person']}': write a whole number")
    return _box(where, _row_frame(where, row, places), xywh, score, int(track))


def _row_frame(where: str, row: Mapping[str, Any], places: Mapping[str, int]) -> int:
    name = next(((row.get(column) or "").strip() for column in IMAGE_COLUMNS if column in row), "")
    if not (row.get("frame") or "").strip():
        return _named_frame(where, name, places)
    frame = _number(where, row, "frame")
    if frame < 0 or frame % 1:
        raise InputError(f"{where} has frame '{row['frame']}': write a whole number of 0 or more")
    said = named_place(name, places) if places else trailing_number(name)
    if said is not None and said != frame:
        raise InputError(f"{where} has frame {frame:g} but image '{name}', which is {said}: drop one of the columns")
    return int(frame)


def _named_frame(where: str, name: str, places: Mapping[str, int]) -> int:
    if places:
        place = named_place(name, places)
        if place is None:
            raise InputError(f"{where} names the image '{name}', which the clip lacks: correct the name or drop it")
        return place
    number = trailing_number(name)
    if number is None:
        raise InputError(f"{where} names the image '{name}', which ends in no frame number: add a column 'frame'")
    return number


def _number(where: str, row: Mapping[str, Any], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where} has '{row[name]}' as {name}: write a number")
    return value


def _box(where: str, frame: int, xywh: Sequence[float], score: float, track: int) -> Box:
    x, y, width, height = xywh
    if width <= 0 or height <= 0:
        raise InputError(f"{where} has a box of {width:g} x {height:g} pixels: its width and height must be above 0")
    return Box(frame, (x, y, width, height), score, track)


def _images(path: Path, document: Mapping[str, Any]) -> dict[int, LabelledImage]:
    images = document.get("images")
    found: dict[int, LabelledImage] = {}
    for place, raw in enumerate(images if isinstance(images, list) else []):
        if not isinstance(raw, dict) or not isinstance(raw.get("id"), int):
            raise InputError(f"{path}: image at place {place} has no whole number as 'id': export the file again")
        width, height = (int(raw.get(side) or 0) for side in ("width", "height"))
        found[raw["id"]] = LabelledImage(raw["id"], str(raw.get("file_name", "")), width, height, raw)
    return found


def _person_category(document: Any) -> int:
    categories = document.get("categories") if isinstance(document, dict) else None
    for category in categories if isinstance(categories, list) else []:
        if isinstance(category, dict) and category.get("name") == "person" and isinstance(category.get("id"), int):
            return category["id"]
    return PERSON_CATEGORY


def _entry_box(where: str, entry: dict[str, Any], frame: int) -> Box:
    xywh = numbers(where, "bbox", entry.get("bbox"), 4)
    score = numbers(where, "score", [entry.get("score", 1.0)], 1)[0]
    track = entry.get("track_id")
    return _box(where, frame, xywh, score, track if isinstance(track, int) else -1)
