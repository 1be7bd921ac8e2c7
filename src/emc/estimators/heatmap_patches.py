"""The few cells around the peaks of heatmaps: all that a refinement reads, so that no whole map is ever smoothed."""

from __future__ import annotations

import numpy as np


def patches(maps: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the (N, r, c) values of (N, h, w) maps at the cells of (N, r) rows and (N, c) columns."""
    count, height, width = maps.shape
    first = np.arange(count)[:, None, None] * (height * width)
    return maps.reshape(-1)[first + (rows * width)[:, :, None] + columns[:, None, :]]


def reflected(index: np.ndarray, length: int) -> np.ndarray:
    """Return indices brought inside 0 to `length` - 1, the outermost cells twice (c b a | a b c | c b a)."""
    # Modulo, so that an index further out than the map is long comes back inside too: small maps with wide kernels.
    folded = index % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded)


def mirrored(index: np.ndarray, length: int) -> np.ndarray:
    """Return indices brought inside 0 to `length` - 1, the outermost cells once (c b | a b c | b a).

    OpenCV's rule where it is told no other.
    """
    if length == 1:
        return np.zeros_like(index)
    folded = index % (2 * length - 2)
    return np.minimum(folded, 2 * length - 2 - folded)


def repeat_edge(near: np.ndarray, row: np.ndarray, column: np.ndarray, grid: tuple[int, int]) -> None:
    """Write the map's outermost cells over those of (N, 3, 3) `near` that lie beyond them.

    row, column : (N,), where the middle cells are in maps of `grid` (height, width).
    """
    height, width = grid
    near[row == 0, 0] = near[row == 0, 1]
    near[row == height - 1, 2] = near[row == height - 1, 1]
    near[column == 0, :, 0] = near[column == 0, :, 1]
    near[column == width - 1, :, 2] = near[column == width - 1, :, 1]
