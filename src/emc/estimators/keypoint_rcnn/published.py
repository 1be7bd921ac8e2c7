"""One class per published Keypoint R-CNN, as estimator and as detector: what the plug-ins' names stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.interfaces import ModelInfo
from emc.pose.records import Box


class Detectron2R50(KeypointRcnnEstimator):
    """Detectron2's R50-FPN, trained three times as long."""

    variant = "detectron2-r50"


class Detectron2R50Short(KeypointRcnnEstimator):
    """Detectron2's R50-FPN, trained on the short schedule."""

    variant = "detectron2-r50-1x"


class Detectron2R101(KeypointRcnnEstimator):
    """Detectron2's R101-FPN."""

    variant = "detectron2-r101"


class KeypointRcnnDetector:
    """`Detector`: the person finder inside of a Keypoint R-CNN; weights as of `KeypointRcnnEstimator`."""

    model: type[KeypointRcnnEstimator] = KeypointRcnnEstimator

    def __init__(self, weights: Path | str | None = None) -> None:
        self.estimator = self.model(weights)

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the persons of each (H, W, 3) uint8 RGB image, best first."""
        return self.estimator.detect(images, frames)

    def describe(self) -> ModelInfo:
        """Return name, licence and where the weights are, loading nothing."""
        info = self.estimator.describe()
        notes = f"box AP {info.extra['box_ap']} (persons, COCO)" if "box_ap" in info.extra else ""
        return replace(info, kind="detector", skeleton="", trainable=False, notes=notes)


class Detectron2R50Detector(KeypointRcnnDetector):
    """The finder of `Detectron2R50`."""

    model = Detectron2R50


class Detectron2R101Detector(KeypointRcnnDetector):
    """The finder of `Detectron2R101`."""

    model = Detectron2R101
