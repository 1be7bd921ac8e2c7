"""Person boxes from elsewhere: CSV tables, and the boxes of COCO labels or detections."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path, PurePath
from typing import Any

from emc.errors import InputError
from emc.formats.poses.coco import numbers
from emc.formats.poses.coco_results import result_frame
from emc.formats.whole_files import read_json, read_text, write_text
from emc.pose.labels import LabelledImage
from emc.pose.records import Box

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

    def read(self, path: Path, files: Sequence[str] = ()) -> Boxes:
        """Return the boxes of each frame; see `read_boxes`."""
        text = read_text(path)
        first = text.lstrip().splitlines()[0]
        delimiter = max(",;\t", key=first.count)
        rows = csv.DictReader(StringIO(text.lstrip()), delimiter=delimiter, skipinitialspace=True)
        rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or []]
        _check_header(path, rows.fieldnames)
        places = {PurePath(name).name: index for index, name in enumerate(files)}
        found: Boxes = {}
        for row in rows:
            box = _row_box(f"{path}, line {rows.line_num}", row, places)
            found.setdefault(box.frame, []).append(box)
        return found

    def write(self, path: Path, boxes: Mapping[int, Sequence[Box]]) -> None:
        """Write boxes by frame; the file appears whole or not at all. Raises `StorageError` where writing fails."""
        out = StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["frame", *EDGES, "person", "score"])
        for frame in sorted(boxes):
            for box in boxes[frame]:
                table.writerow([frame, *box.xywh, box.track, box.score])
        write_text(path, out.getvalue())


def read_boxes(path: Path, files: Sequence[str] = ()) -> Boxes:
    """Return person boxes by frame from a CSV table, or (``.json``) from COCO labels or detections.

    Parameters
    ----------
    path : the file. `track` of a box is its ``person`` (JSON: ``track_id``), -1 where the file has none. JSON: only
        category 1 (or the one named ``person``) counts, crowds do not.
    files : names of the clip's images in their order, for files that name images in place of frames; without it the
        number at the end of an image's name is the frame.

    Raises
    ------
    InputError : names the file, the line or entry, the value and the remedy.
    """
    if path.suffix.lower() != ".json":
        return BoxesCsvFormat().read(path, files)
    document = read_json(path)
    if isinstance(document, list):
        raw, frames = document, None
    elif isinstance(document, dict) and isinstance(document.get("annotations"), list):
        raw, frames = document["annotations"], _image_frames(path, document, files)
    else:
        raise InputError(f"{path} is neither COCO labels nor a list of detections: export it as one of them, or as CSV")
    category = _person_category(document)
    found: Boxes = {}
    for place, entry in enumerate(raw):
        where = f"{path}: entry {place}"
        if not isinstance(entry, dict):
            raise InputError(f"{where} is {entry!r:.40}, no object: export the file again")
        if entry.get("category_id", category) == category and not entry.get("iscrowd"):
            box = _entry_box(where, entry, frames)
            found.setdefault(box.frame, []).append(box)
    return found


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
    if (row.get("frame") or "").strip():
        frame = _number(where, row, "frame")
        if frame < 0 or frame % 1:
            raise InputError(f"{where} has frame '{row['frame']}': write a whole number of 0 or more")
        return int(frame)
    name = next(((row.get(column) or "").strip() for column in IMAGE_COLUMNS if column in row), "")
    return _named_frame(where, name, places)


def _named_frame(where: str, name: str, places: Mapping[str, int]) -> int:
    if places:
        if PurePath(name).name not in places:
            raise InputError(f"{where} names the image '{name}', which the clip lacks: correct the name or drop it")
        return places[PurePath(name).name]
    digits = re.search(r"([0-9]+)$", PurePath(name).stem)
    if digits is None:
        raise InputError(f"{where} names the image '{name}', which ends in no frame number: add a column 'frame'")
    return int(digits.group(1))


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


def _image_frames(path: Path, document: Mapping[str, Any], files: Sequence[str]) -> dict[int, int]:
    """Return image id -> frame: by the file's name where the clip's images are known, else as the labels say."""
    places = {PurePath(name).name: index for index, name in enumerate(files)}
    images = document.get("images")
    frames: dict[int, int] = {}
    for place, raw in enumerate(images if isinstance(images, list) else []):
        if not isinstance(raw, dict) or not isinstance(raw.get("id"), int):
            raise InputError(f"{path}: image at place {place} has no whole number as 'id': export the file again")
        name = str(raw.get("file_name", ""))
        if places:
            frames[raw["id"]] = _named_frame(f"{path}: image {raw['id']}", name, places)
        else:
            frames[raw["id"]] = LabelledImage(raw["id"], name, 0, 0, raw).frame
    return frames


def _person_category(document: Any) -> int:
    categories = document.get("categories") if isinstance(document, dict) else None
    for category in categories if isinstance(categories, list) else []:
        if isinstance(category, dict) and category.get("name") == "person" and isinstance(category.get("id"), int):
            return category["id"]
    return PERSON_CATEGORY


def _entry_box(where: str, entry: dict[str, Any], frames: Mapping[int, int] | None) -> Box:
    image = result_frame(where, entry)
    if frames is not None and image not in frames:
        raise InputError(f"{where} is on image {image}, which the file lacks: add the image or drop the entry")
    xywh = numbers(where, "bbox", entry.get("bbox"), 4)
    score = numbers(where, "score", [entry.get("score", 1.0)], 1)[0]
    track = entry.get("track_id")
    return _box(where, image if frames is None else frames[image], xywh, score, track if isinstance(track, int) else -1)
