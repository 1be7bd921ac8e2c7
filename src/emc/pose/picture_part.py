"""A part of a picture that stands for the whole: what is read of a frame, without the rest of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a picture and where it lies.

    image : (h, w, 3) uint8 RGB. corner : (column, row) of its first pixel in the picture. size : (width, height) of the
    picture.
    """

    image: np.ndarray
    corner: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def whole(cls, image: np.ndarray) -> Part:
        """Return all of an (H, W, 3) picture."""
        return cls(image, (0, 0), (image.shape[1], image.shape[0]))
