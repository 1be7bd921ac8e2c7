"""A detector: images in, person boxes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from emc.pose.records import Box

if TYPE_CHECKING:
    pass
from emc.interfaces.model_info import ModelInfo


@runtime_checkable
class Detector(Protocol):
    """Finds persons on images."""

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the boxes of each (H, W, 3) uint8 RGB image; images follow each other in time."""
        ...

    def describe(self) -> ModelInfo:
        """Return name, licence and where the weights are."""
        ...


@runtime_checkable
class ClipAdaptive(Detector, Protocol):
    """A detector that looks at frames spread over a clip before it searches it, to learn what kind of clip it is."""

    def observe(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> Sequence[Any]:
        """Return what is seen on each (H, W, 3) uint8 RGB image of a clip, in any form that can be pickled."""
        ...

    def enough(self, looks: Sequence[Any], shown: int) -> bool:
        """Return whether the first of `shown` looks tell all that there is to learn: nobody need take the others."""
        ...

    def adapted(self, looks: Sequence[Any], shown: int) -> Detector:
        """Return a detector for this clip, picklable; this one stays as it is.

        What it says of the frames that were looked at may be in its ``observed``, a mapping from frame to boxes: those
        are not given to it again.
        """
        ...
