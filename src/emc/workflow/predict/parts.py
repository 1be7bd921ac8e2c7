"""The part of each picture that an estimator reads: nothing else is converted, held and handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emc.interfaces import Estimator, ModelInfo
from emc.pose.picture_part import Part
from emc.pose.records import Box, Prediction
from emc.pose.skeletons import Skeleton
from emc.workflow.project import MappedEstimator

if TYPE_CHECKING:
    from emc.stages.video import Area, MediaInfo

Reach = Callable[[np.ndarray], np.ndarray]
"""Boxes (N, 4) xywh to what is read of the picture for each: (N, 4) x0, y0, x1, y1, all in pixels."""


def reach_of(estimator: Estimator) -> Reach | None:
    """Return how far around its boxes an estimator reads; None where it does not say, and may read all."""
    return getattr(estimator.inner if isinstance(estimator, MappedEstimator) else estimator, "reach", None)


class InParts:
    """An estimator that is given parts of pictures as such, with boxes in pixels of the pictures.

    areas : frame -> what of its picture is given. info : what the clip holds, with the sizes of its pictures.
    """

    def __init__(self, inner: Any, areas: Mapping[int, Area], info: MediaInfo) -> None:
        self._inner, self._areas, self._info = inner, areas, info

    @property
    def skeleton(self) -> Skeleton:
        """Joints that the predictions have."""
        return self._inner.skeleton

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every picture."""
        parts: list[Part] = []
        for image, listed in zip(images, boxes, strict=True):
            area = self._areas[listed[0].frame]
            parts.append(Part(image, (area.x0, area.y0), self._info.size(listed[0].frame)))
        return self._inner.predict_parts(parts, boxes)

    def describe(self) -> ModelInfo:
        """Return the estimator's description."""
        return self._inner.describe()


def in_parts(estimator: Estimator, areas: Mapping[int, Area], info: MediaInfo) -> Estimator | None:
    """Return an estimator that reads parts of pictures as it reads the whole; None where it does not offer that."""
    inner = estimator.inner if isinstance(estimator, MappedEstimator) else estimator
    if not hasattr(inner, "predict_parts"):
        return None
    reader = InParts(inner, areas, info)
    return MappedEstimator(reader, estimator.mapping) if isinstance(estimator, MappedEstimator) else reader


def area_read(boxes: Sequence[Box], reach: Reach | None, info: MediaInfo) -> Area:
    """Return the area of a clip's picture that holds all that is read of it for `boxes` of one frame, at least one."""
    from emc.stages.video import Area

    width, height = info.size(boxes[0].frame)
    if reach is None:
        return Area(0, 0, width, height)
    read = reach(np.array([box.xywh for box in boxes], dtype=np.float64))
    return Area.around(read, width, height)


def inside(boxes: Sequence[Box], area: Area) -> list[Box]:
    """Return boxes of a picture as boxes of an area of it."""
    return [replace(box, xywh=(box.xywh[0] - area.x0, box.xywh[1] - area.y0, *box.xywh[2:])) for box in boxes]


def put_back(predictions: Sequence[Prediction], boxes: Sequence[Box], area: Area) -> list[Prediction]:
    """Return predictions in an area as predictions in its picture; `boxes` are those of the picture, one for each."""
    if area.x0 == area.y0 == 0:
        return list(predictions)
    corner = np.array([area.x0, area.y0], dtype=np.float32)
    return [
        replace(one, xy=one.xy + corner, box=np.asarray(box.xywh, dtype=np.float32))
        for one, box in zip(predictions, boxes, strict=True)
    ]
