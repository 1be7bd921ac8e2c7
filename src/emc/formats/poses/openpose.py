"""Folders of OpenPose's ``--write_json``: one JSON file per frame, BODY_25 or COCO-18, in and out.

Format: "OpenPose Doc - Output" of the OpenPose documentation (CMU Perceptual Computing Lab): ``people``, each with
``pose_keypoints_2d`` = x, y, score per joint, all three 0 where the joint was not found, and ``person_id``. Faces,
hands and 3D points of a file are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from emc.errors import InputError, StorageError
from emc.formats.poses.coco import MOST_PEOPLE, numbers, plain
from emc.formats.whole_files import read_json, write_json
from emc.pose.geometry import bounding_box
from emc.pose.records import Prediction
from emc.pose.skeletons import BODY25, COCO18, Skeleton
from emc.untrusted import one_line

SUFFIX = "_keypoints.json"
POSES = ("pose_keypoints_2d", "pose_keypoints")
"""Names of the list of joints; the second is that of files before 2018."""
BY_NUMBERS: Mapping[int, Skeleton] = {3 * len(BODY25): BODY25, 3 * len(COCO18): COCO18}
MARGIN = 0.1
"""Share of a person's longer side by which the box is wider than the joints: OpenPose writes no boxes."""
VERSION = 1.3
_NUMBER = re.compile(r"(\d+)$")


class OpenPoseFormat:
    """Predictions of OpenPose; the skeleton is told by the number of values, the frame by the file's name."""

    name = "openpose"
    holds = "predictions"
    reads = ("",)
    writes = ("",)

    @one_line("write the folder again with OpenPose's --write_json")
    def skeleton_of(self, path: Path) -> Skeleton:
        """Return the skeleton of a folder: that of its first person.

        Raises `InputError` where no file has a person, or one whose number of values is of no known skeleton.
        """
        for file in openpose_files(path):
            for place, raw in enumerate(_people(file)):
                where = f"{file}: person {place}"
                values = _values(where, raw)
                if len(values) in BY_NUMBERS:
                    return BY_NUMBERS[len(values)]
                raise InputError(
                    f"{where} has {len(values)} values: run OpenPose with --model_pose BODY_25 (75) or COCO (54)"
                )
        raise InputError(f"{path} has no person on any frame: check that it is the right folder")

    @one_line("write the folder again with OpenPose's --write_json")
    def read(self, path: Path, files: Sequence[str] = ()) -> list[tuple[Prediction, float]]:
        """Return the persons of all frames with their mean score, by frame.

        files : names of the images by frame, where OpenPose ran over a folder of images (``--image_dir``); without
        them the number at the end of each file's name is the frame, as ``--video`` writes it. A person's number is
        OpenPose's own where it tracked (``person_id``), else the place in the file. Joints of score 0 are NaN, the
        confidence is the score held to [0, 1]. A person without any joint is left out. Raises `InputError` that names
        the file, the person and the remedy.
        """
        skeleton = self.skeleton_of(path)
        frames = frame_numbers(openpose_files(path), files)
        found = [one for frame, file in sorted(frames.items()) for one in _persons(file, frame, skeleton)]
        _refuse_shares(path, found)
        return found

    @one_line("write the folder again with OpenPose's --write_json")
    def tracked(self, path: Path) -> bool:
        """Return whether every person of a folder carries a number of OpenPose's tracker."""
        people = [raw for file in openpose_files(path) for raw in _people(file)]
        return bool(people) and all(_person_id(raw) is not None for raw in people)

    def write(self, path: Path, predictions: Iterable[tuple[Prediction, float]], frames: int | None = None) -> None:
        """Write a folder: a file ``<folder>_000000000012_keypoints.json`` per frame.

        predictions : of 25 or 18 joints (BODY_25, COCO-18), any order. frames : files are written for frames
        0 .. frames - 1, persons or not; None: for frames with persons. Raises `InputError` for other joints,
        `StorageError` where writing fails.
        """
        by_frame: dict[int, list[Prediction]] = {} if frames is None else {n: [] for n in range(frames)}
        for prediction, _ in predictions:
            if 3 * len(prediction.xy) not in BY_NUMBERS:
                raise InputError(
                    f"{path} cannot hold persons of {len(prediction.xy)} joints: map them to body25 or coco18 first"
                )
            by_frame.setdefault(prediction.frame, []).append(prediction)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{path} cannot be made ({error.strerror}): choose another folder") from error
        for frame, persons in by_frame.items():
            people = [_raw(person) for person in sorted(persons, key=lambda p: p.person)]
            write_json(path / f"{path.name}_{frame:012d}{SUFFIX}", {"version": VERSION, "people": people})


def openpose_files(path: Path) -> list[Path]:
    """Return the files of a folder by name; raises `InputError` where it is no folder or has none."""
    if not path.is_dir():
        raise InputError(f"{path} is no folder: give the folder that OpenPose's --write_json wrote")
    files = sorted(path.glob(f"*{SUFFIX}"))
    if not files:
        raise InputError(f"{path} has no *{SUFFIX}: give the folder that OpenPose's --write_json wrote")
    return files


def frame_numbers(files: Sequence[Path], images: Sequence[str] = ()) -> dict[int, Path]:
    """Return frame -> file, by the images' names or the number that ends each file's name.

    Raises `InputError` naming a file that belongs to no frame, or two that belong to the same.
    """
    known = {PurePath(name).stem: number for number, name in enumerate(images)}
    found: dict[int, Path] = {}
    for file in files:
        stem = file.name.removesuffix(SUFFIX)
        number = _NUMBER.search(stem)
        if images and stem not in known:
            raise InputError(f"{file} belongs to no image of the clip ({stem}.*): add the image, or move the file away")
        if not images and number is None:
            raise InputError(f"{file} has no frame number before {SUFFIX}: name it like clip_000000000012{SUFFIX}")
        frame = known[stem] if images else int(number[1]) if number else 0
        if frame in found:
            raise InputError(f"{found[frame].name} and {file.name} are both frame {frame}: keep one run per folder")
        found[frame] = file
    return found


def _people(file: Path) -> list[dict[str, Any]]:
    document = read_json(file)
    people = document.get("people") if isinstance(document, dict) else None
    if not isinstance(people, list) or not all(isinstance(raw, dict) for raw in people):
        raise InputError(f"{file} has no list 'people' of objects: write it again with OpenPose's --write_json")
    if len(people) > MOST_PEOPLE:
        raise InputError(
            f"{file} has {len(people)} people, of at most {MOST_PEOPLE} on a frame: check what wrote it, or take it out"
        )
    return people


def _values(where: str, raw: Mapping[str, Any]) -> list[Any]:
    values = next((raw[name] for name in POSES if name in raw), None)
    if not isinstance(values, list):
        raise InputError(f"{where} has no list '{POSES[0]}': write the folder again with OpenPose's --write_json")
    return values


def _persons(file: Path, frame: int, skeleton: Skeleton) -> list[tuple[Prediction, float]]:
    found: list[tuple[Prediction, float]] = []
    taken: set[int] = set()
    for place, raw in enumerate(_people(file)):
        where = f"{file}: person {place}"
        values = numbers(where, "keypoints", _values(where, raw), 3 * len(skeleton))
        table = np.array(values, dtype=np.float32).reshape(-1, 3)
        score = np.maximum(table[:, 2], 0.0)
        if not (score > 0).any():
            continue
        own = _person_id(raw)
        person = place if own is None else own
        if person in taken:
            raise InputError(
                f"{where} has person_id {person}, which the frame has twice: give each person of a frame its own number"
            )
        taken.add(person)
        xy = np.where(score[:, None] > 0, table[:, :2], np.float32(np.nan))
        box = bounding_box(xy, MARGIN)
        prediction = Prediction(frame, person, xy, score, np.clip(score, 0, 1), box)
        found.append((prediction, float(score[score > 0].mean())))
    return found


def _person_id(raw: Mapping[str, Any]) -> int | None:
    """Return the number that OpenPose's tracker gave a person, None where it did not track (-1, or no entry)."""
    value = raw.get("person_id")
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _refuse_shares(path: Path, found: Sequence[tuple[Prediction, float]]) -> None:
    if found and max(float(np.nanmax(np.abs(prediction.xy))) for prediction, _ in found) <= 1.0:
        raise InputError(f"{path} has places from -1 to 1, not pixels: run OpenPose with --keypoint_scale 0")


def _raw(prediction: Prediction) -> dict[str, Any]:
    placed = np.asarray(np.isfinite(prediction.xy).all(axis=1))
    xy = np.where(placed[:, None], prediction.xy, 0.0)
    table = np.column_stack([xy, np.where(placed, prediction.score, 0.0)]).astype(np.float64)
    values = [plain(round(value, 6)) for value in table.ravel().tolist()]
    return {"person_id": [prediction.person], POSES[0]: values}
