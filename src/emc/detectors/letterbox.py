"""How a detector shrinks a frame into its network's input, and takes boxes back: shared by several."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

MULTIPLE = 32
"""What the sides of an input are padded to: the coarsest level of the networks has one cell per this many pixels."""
GREY = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a frame was shrunk into the network's input: resized to `inner`, plain at the right and below up to `outer`.

    All sizes are (width, height) in pixels.
    """

    frame: tuple[int, int]
    inner: tuple[int, int]
    outer: tuple[int, int]

    def to_frame(self, corners: np.ndarray) -> np.ndarray:
        """Take (..., 4) x0 y0 x1 y1 from input pixels to frame pixels; pixel centres are whole numbers in both."""
        scale = np.tile(np.array(self.frame) / np.array(self.inner), 2)
        return (corners + 0.5) * scale - 0.5

    def to_input(self, corners: np.ndarray) -> np.ndarray:
        """Take (..., 4) x0 y0 x1 y1 from frame pixels to input pixels, the inverse of `to_frame`."""
        scale = np.tile(np.array(self.inner) / np.array(self.frame), 2)
        return (corners + 0.5) * scale - 0.5


def letterbox_of(width: int, height: int, side: int) -> Letterbox:
    """Return the letterbox that makes the longer side of a frame `side` pixels, padded to multiples of 32."""
    scale = side / max(width, height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    outer = tuple(-(-length // MULTIPLE) * MULTIPLE for length in inner)
    return Letterbox((width, height), inner, (outer[0], outer[1]))


def letterboxed(image: np.ndarray, box: Letterbox, border: int = GREY) -> np.ndarray:
    """Return the (H', W', 3) uint8 input of a frame; `border` is the grey level right of it and below."""
    shrinks = box.inner[0] < box.frame[0]
    resized = cv2.resize(image, box.inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    padded = np.full((box.outer[1], box.outer[0], 3), border, dtype=np.uint8)
    padded[: box.inner[1], : box.inner[0]] = resized
    return padded
