"""A part of a picture, cut so that it can be converted alone and has the same bits as in the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COLUMNS, ROWS = 64, 4
"""Areas begin and end at multiples of these: within them, conversion to RGB does not see what lies beside."""


@dataclass(frozen=True, slots=True)
class Area:
    """Columns x0 to x1 and rows y0 to y1 of a picture in pixels, the ends not included."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def around(cls, reaches: np.ndarray, width: int, height: int) -> Area:
        """Return the smallest area of a picture of `width` x `height` that holds all `reaches`, never an empty one.

        reaches : (N, 4) x0, y0, x1, y1 in pixels, N >= 1; what lies outside of the picture is left out.
        """
        low = np.floor(reaches[:, :2].min(axis=0)).clip(0, [width - 1, height - 1]).astype(int)
        high = np.ceil(reaches[:, 2:].max(axis=0)).clip(low + 1, [width, height]).astype(int)
        x0, y0 = int(low[0]) // COLUMNS * COLUMNS, int(low[1]) // ROWS * ROWS
        x1, y1 = min(-(-int(high[0]) // COLUMNS) * COLUMNS, width), min(-(-int(high[1]) // ROWS) * ROWS, height)
        # The last rows may be fewer: then the count is made whole at the top, on an even row, where colours begin.
        return cls(x0, max(y0 - (y0 - y1) % ROWS, 0), x1, y1)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.x1 - self.x0, self.y1 - self.y0

    @property
    def alone(self) -> bool:
        """Whether it can be converted alone from planes whose colours have half as many columns and rows."""
        return not (self.x0 % 2 or self.y0 % 2 or (self.x1 - self.x0) % 2 or (self.y1 - self.y0) % ROWS)

    def of(self, image: np.ndarray) -> np.ndarray:
        """Return this part of an (H, W, ...) picture: a copy, or the picture itself where it is all of it."""
        if self.size == (image.shape[1], image.shape[0]):
            return image
        return image[self.y0 : self.y1, self.x0 : self.x1].copy()
