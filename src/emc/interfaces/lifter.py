"""A lifter: a 2D sequence in, a 3D sequence out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    pass
from emc.interfaces.model_info import ModelInfo


@runtime_checkable
class Lifter(Protocol):
    """Lifts a 2D sequence of one person to 3D."""

    def lift(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift one person's sequence.

        xy : (T, 17, 2) COCO-17 pixels, NaN where missing. confidence : (T, 17) in [0, 1]. size : (width, height) of the
        frame. Returns (T, 17, 3) Human3.6M-17, metres, camera axes (x right, y down, z forward), pelvis at the origin.
        """
        ...

    def describe(self) -> ModelInfo:
        """Return name, licence and where the weights are."""
        ...
