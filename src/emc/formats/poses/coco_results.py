"""COCO keypoint results: a JSON list of detections, in and out.

Format: https://cocodataset.org/#format-results ("Keypoint Detection").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import InputError
from emc.formats.poses.coco import number, numbers, plain, refuse_crowd
from emc.formats.whole_files import read_json, write_json
from emc.pose.geometry import bounding_box
from emc.pose.label_frames import FrameRule, frame_field
from emc.pose.records import Prediction
from emc.pose.skeletons import COCO17, Skeleton
from emc.untrusted import one_line

UNUSED = frozenset({"segmentation", "caption"})
"""Fields of a result that nothing here reads and that may be large."""
Place = Callable[[str, dict[str, Any]], int]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One result as it stands in its file, for scoring: `raw` its JSON object, `where` its place for errors.

    xy : (J, 2) float64, also of joints of score 0, as pycocotools takes them. score : of the person.
    """

    where: str
    raw: dict[str, Any]
    xy: np.ndarray
    score: float


@one_line("export the results again")
def read_results(path: Path, joints: int) -> list[Result]:
    """Return the results of a file in their order; raises `InputError` as `CocoResultsFormat.read` does."""
    found: list[Result] = []
    for where, raw in _entries(path):
        values = numbers(where, "keypoints", raw.get("keypoints"), 3 * joints)
        xy = np.array(values, dtype=np.float64).reshape(joints, 3)[:, :2]
        found.append(Result(where, raw, xy, number(where, raw, "score")))
    return found


class CocoResultsFormat:
    """COCO keypoint results of `skeleton`; written with a field ``frame``, of which COCO knows nothing.

    The third value of each joint is its score. Joints of score 0 count as not found (NaN); the confidence is the score
    held to [0, 1], since nobody has calibrated it.
    """

    name = "coco-results"
    holds = "predictions"
    reads = (".json",)
    writes = (".json",)

    def __init__(self, skeleton: Skeleton = COCO17) -> None:
        self._skeleton = skeleton

    @one_line("export the results again")
    def read(self, path: Path, place: Place | None = None) -> list[tuple[Prediction, float]]:
        """Return predictions with the score of each person; persons of a frame are numbered as they come.

        place : the frame of a result, by what is to be said of it in an error and its JSON object (default: its image
        id, which is a frame only if its labels file says so). Raises `InputError` that names the file, the result's
        place in the list and the remedy.
        """
        persons: Counter[int] = Counter()
        found: list[tuple[Prediction, float]] = []
        for where, raw in _entries(path):
            frame = (place or image_id)(where, raw)
            found.append((self._prediction(where, raw, frame, persons[frame]), number(where, raw, "score")))
            refuse_crowd(f"{path}: frame {frame}", persons, frame)
        return found

    def write(self, path: Path, predictions: Iterable[tuple[Prediction, float]]) -> None:
        """Write predictions with the score of each person; raises `StorageError` where writing fails."""
        write_json(path, [_raw(prediction, score) for prediction, score in predictions])

    def _prediction(self, where: str, raw: dict[str, Any], frame: int, person: int) -> Prediction:
        joints = len(self._skeleton)
        values = numbers(where, "keypoints", raw.get("keypoints"), 3 * joints)
        table = np.array(values, dtype=np.float32).reshape(joints, 3)
        score = table[:, 2].copy()
        xy = np.where(score[:, None] > 0, table[:, :2], np.float32(np.nan))
        if raw.get("bbox") is not None:
            box = np.array(numbers(where, "bbox", raw["bbox"], 4), dtype=np.float32)
        elif np.isfinite(xy).any():
            box = bounding_box(xy)
        else:
            raise InputError(f"{where} has neither a joint of score above 0 nor a bbox: drop it from the list")
        return Prediction(frame, person, xy, score, np.clip(score, 0, 1), box)


def _entries(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the results of a file, each with what is to be said of it in an error."""
    document = read_json(path, without=UNUSED)
    if not isinstance(document, list):
        raise InputError(f"{path} is not a list of COCO results: give the list, or import it as COCO labels")
    found: list[tuple[str, dict[str, Any]]] = []
    for at, raw in enumerate(document):
        if not isinstance(raw, dict):
            raise InputError(f"{path}: result {at} is {raw!r:.40}, no object: export the results again")
        found.append((f"{path}: result {at}", raw))
    return found


def result_frame(where: str, raw: dict[str, Any], rule: FrameRule | None = None) -> int:
    """Return the frame of a result: its field ``frame``, else its image id where the user says that it is the frame.

    Raises `InputError` where it says no frame, or one that is no whole number of 0 or more.
    """
    frame = None if rule and rule.by == "id" else frame_field(raw, where)
    if frame is None:
        if not rule or rule.by != "id":
            raise InputError(
                f"{where} has no field 'frame', and image_id is a key of its labels file: give that file too, add "
                "'frame', or say --frames-by id if it is the frame"
            )
        frame = image_id(where, raw)
    if frame < 0:
        raise InputError(f"{where} has frame {frame}: write a whole number of 0 or more")
    return frame


def image_id(where: str, raw: dict[str, Any]) -> int:
    """Return the image id of a result; raises `InputError` where it is no whole number of 0 or more."""
    value = number(where, raw, "image_id")
    if value < 0 or value % 1:
        raise InputError(f"{where} has image_id {value:g}: write the id of its image, a whole number of 0 or more")
    return int(value)


def _raw(prediction: Prediction, score: float) -> dict[str, Any]:
    placed = np.asarray(np.isfinite(prediction.xy).all(axis=1))
    xy = np.where(placed[:, None], prediction.xy, 0.0)
    table = np.column_stack([xy, np.where(placed, prediction.score, 0.0)]).astype(np.float64)
    return {
        "image_id": prediction.frame,
        "frame": prediction.frame,
        "category_id": 1,
        "keypoints": [plain(value) for value in table.ravel().tolist()],
        "score": plain(score),
        "bbox": [plain(value) for value in prediction.box.astype(np.float64).tolist()],
    }
