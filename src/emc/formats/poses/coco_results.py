"""COCO keypoint results: a JSON list of detections, in and out.

Format: https://cocodataset.org/#format-results ("Keypoint Detection").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import InputError
from emc.formats.poses.coco import number, numbers, plain
from emc.formats.whole_files import read_json, write_json
from emc.pose.geometry import bounding_box
from emc.pose.records import Prediction
from emc.pose.skeletons import COCO17, Skeleton


class CocoResultsFormat:
    """COCO keypoint results of `skeleton`; the image id is the frame.

    The third value of each joint is its score. Joints of score 0 count as not found (NaN); the confidence is the score
    held to [0, 1], since nobody has calibrated it.
    """

    name = "coco-results"
    holds = "predictions"
    reads = (".json",)
    writes = (".json",)

    def __init__(self, skeleton: Skeleton = COCO17) -> None:
        self._skeleton = skeleton

    def read(self, path: Path) -> list[tuple[Prediction, float]]:
        """Return predictions with the score of each person; persons of a frame are numbered as they come.

        Raises `InputError` that names the file, the result's place in the list and the remedy.
        """
        document = read_json(path)
        if not isinstance(document, list):
            raise InputError(f"{path} is not a list of COCO results: give the list, or import it as COCO labels")
        persons: Counter[int] = Counter()
        found: list[tuple[Prediction, float]] = []
        for place, raw in enumerate(document):
            where = f"{path}: result {place}"
            if not isinstance(raw, dict):
                raise InputError(f"{where} is {raw!r:.40}, no object: export the results again")
            frame = result_frame(where, raw)
            found.append((self._prediction(where, raw, frame, persons[frame]), number(where, raw, "score")))
            persons[frame] += 1
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


def result_frame(where: str, raw: dict[str, Any]) -> int:
    """Return the frame (image id) of a result; raises `InputError` where it is no whole number of 0 or more."""
    value = number(where, raw, "image_id")
    if value < 0 or value % 1:
        raise InputError(f"{where} has image_id {value:g}: write the frame, a whole number of 0 or more")
    return int(value)


def _raw(prediction: Prediction, score: float) -> dict[str, Any]:
    placed = np.asarray(np.isfinite(prediction.xy).all(axis=1))
    xy = np.where(placed[:, None], prediction.xy, 0.0)
    table = np.column_stack([xy, np.where(placed, prediction.score, 0.0)]).astype(np.float64)
    return {
        "image_id": prediction.frame,
        "category_id": 1,
        "keypoints": [plain(value) for value in table.ravel().tolist()],
        "score": plain(score),
        "bbox": [plain(value) for value in prediction.box.astype(np.float64).tolist()],
    }
