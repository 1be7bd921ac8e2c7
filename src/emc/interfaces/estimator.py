"""An estimator: images and person boxes in, one prediction per box out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from emc.pose.records import Box, Prediction
from emc.pose.skeletons import Skeleton

if TYPE_CHECKING:
    pass
from emc.interfaces.model_info import ModelInfo


@runtime_checkable
class Estimator(Protocol):
    """Images and person boxes in, one prediction per box out."""

    @property
    def skeleton(self) -> Skeleton:
        """Joints that the predictions have."""
        ...

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image, batched across images.

        images : (H, W, 3) uint8 RGB, each with its own list of boxes. Returns predictions image by image in the order
        of the boxes, `frame` and `person` taken from the box (`person` = `track`).
        """
        ...

    def describe(self) -> ModelInfo:
        """Return name, skeleton, input size, licence and where the weights are."""
        ...
