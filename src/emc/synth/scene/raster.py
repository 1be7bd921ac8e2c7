"""A z-buffer for many small triangles, vectorised over rows and then over pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
_NEAR = 0.05


@dataclass(frozen=True)
class Fragments:
    """The nearest surface at every covered pixel.

    Parameters
    ----------
    pixel : ndarray (N,)
        Flat pixel index, row * width + column, rising.
    face : ndarray (N,)
        Index into the faces that were drawn.
    depth : ndarray (N,)
        Distance along the viewing axis, metres.
    """

    pixel: NDArray[np.intp]
    face: NDArray[np.intp]
    depth: Float


def rasterize(screen: NDArray[np.floating], faces: NDArray[np.intp], width: int, height: int) -> Fragments:
    """Find the nearest front-facing triangle at every pixel.

    Parameters
    ----------
    screen : ndarray (V, 3)
        Vertices as x, y (pixels, centre of the top-left pixel = (0, 0)) and depth (metres).
    faces : ndarray (F, 3)
        Vertex indices, wound so that a front face has a negative area with y pointing down.
    width, height : int
        Size of the picture.

    Returns
    -------
    Fragments
        Sorted by pixel.
    """
    points = screen.astype(np.float32)
    points[:, 2] = 1.0 / np.maximum(points[:, 2], _NEAR)
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    nearest = np.maximum(np.maximum(a[:, 2], b[:, 2]), c[:, 2])
    chosen = np.flatnonzero((area < -1e-3) & (nearest < 0.99 / _NEAR))
    corners = np.stack([a[chosen], b[chosen], c[chosen]])
    low = np.minimum(np.minimum(corners[0], corners[1]), corners[2])
    high = np.maximum(np.maximum(corners[0], corners[1]), corners[2])
    first = np.clip(np.ceil(low[:, 1]), 0, height).astype(np.intp)
    last = np.clip(np.floor(high[:, 1]), -1, height - 1).astype(np.intp)
    beside = (high[:, 0] < 0) | (low[:, 0] > width - 1)
    count = np.where(beside, 0, np.maximum(last - first + 1, 0))
    row_face = np.repeat(np.arange(len(chosen)), count)
    row_y = _counted(first, count)
    return _fill(corners, area[chosen].astype(np.float32), chosen, row_face, row_y, width, height)


def _counted(start: NDArray[np.intp], count: NDArray[np.intp]) -> NDArray[np.intp]:
    """start[0], start[0] + 1, ... (count[0] of them), start[1], ..."""
    total = int(count.sum())
    ends = np.cumsum(count)
    return np.arange(total) + np.repeat(start - (ends - count), count)


def _fill(
    corners: Float,
    area: Float,
    chosen: NDArray[np.intp],
    row_face: NDArray[np.intp],
    row_y: NDArray[np.intp],
    width: int,
    height: int,
) -> Fragments:
    """Turn rows of triangles into spans, spans into pixels, and keep the nearest pixel."""
    y = row_y.astype(np.float32)
    left, right = _spans(corners, row_face, y, width)
    count = np.maximum(right - left + 1, 0)
    x = _counted(left, count)
    slope_x, slope_y, offset = _plane(corners, area)
    base = offset[row_face] + slope_y[row_face] * y
    inverse = np.repeat(base, count) + np.repeat(slope_x[row_face], count) * x
    flat = np.repeat(row_y * width, count) + x
    # One integer orders by nearness first; the face index rides in the low bits.
    key = (np.maximum(inverse, 0) * np.float32(2**24)).astype(np.int64) << 20
    key |= np.repeat(row_face, count)
    nearest = np.full(width * height, -1, np.int64)
    np.maximum.at(nearest, flat, key)
    pixel = np.flatnonzero(nearest >= 0)
    best = nearest[pixel]
    depth = np.float32(2**24) / np.maximum(best >> 20, 1).astype(np.float32)
    return Fragments(pixel=pixel, face=chosen[best & (2**20 - 1)], depth=depth)


def _spans(
    corners: Float, row_face: NDArray[np.intp], row_y: Float, width: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last pixel column of every triangle row."""
    left = np.full(len(row_y), -1, np.float32)
    right = np.full(len(row_y), width, np.float32)
    for edge in range(3):
        start, end = corners[edge], corners[(edge + 1) % 3]
        rise = end[:, 1] - start[:, 1]
        level = np.abs(rise) < 1e-9
        slope = (end[:, 0] - start[:, 0]) / np.where(level, np.float32(1), rise)
        at = start[:, 0] - slope * start[:, 1]
        x = at[row_face] + slope[row_face] * row_y
        # Wound this way, an edge that goes down the picture bounds its triangle on the left.
        side = np.where(level, 0, np.sign(rise)).astype(np.int8)[row_face]
        left = np.maximum(left, np.where(side > 0, x, np.float32(-1)))
        right = np.minimum(right, np.where(side < 0, x, np.float32(width)))
    first = np.maximum(np.ceil(left), 0).astype(np.intp)
    last = np.minimum(np.floor(right), width - 1).astype(np.intp)
    return first, last


def _plane(corners: Float, area: Float) -> tuple[NDArray[np.float64], ...]:
    """Inverse depth as an affine function of the pixel: slope along x, along y, and offset."""
    (x, y, q), b, c = (corner.T.astype(np.float64) for corner in corners)
    slope_x = ((b[2] - q) * (c[1] - y) - (c[2] - q) * (b[1] - y)) / area
    slope_y = ((c[2] - q) * (b[0] - x) - (b[2] - q) * (c[0] - x)) / area
    return slope_x, slope_y, q - slope_x * x - slope_y * y


def interpolated(
    screen: NDArray[np.floating],
    faces: NDArray[np.intp],
    values: NDArray[np.floating],
    fragments: Fragments,
    width: int,
) -> Float:
    """Vertex values (V, K) interpolated to the fragments (N, K).

    Linear on the screen: the triangles are small, so perspective does not show.
    """
    shown = np.zeros(len(faces), np.bool_)
    shown[fragments.face] = True
    used = np.flatnonzero(shown)
    order = np.cumsum(shown, dtype=np.intp) - 1
    points, attributes = screen.astype(np.float32), values.astype(np.float32)
    a, b, c = (points[faces[used, k]] for k in range(3))
    x1, y1, x2, y2 = b[:, 0] - a[:, 0], b[:, 1] - a[:, 1], c[:, 0] - a[:, 0], c[:, 1] - a[:, 1]
    area = x1 * y2 - x2 * y1
    base = attributes[faces[used, 0]]
    rise1, rise2 = attributes[faces[used, 1]] - base, attributes[faces[used, 2]] - base
    slope_x = rise1 * (y2 / area)[:, None] - rise2 * (y1 / area)[:, None]
    slope_y = rise2 * (x1 / area)[:, None] - rise1 * (x2 / area)[:, None]
    base = base - slope_x * a[:, :1] - slope_y * a[:, 1:2]
    where = order[fragments.face]
    px = (fragments.pixel % width).astype(np.float32)[:, None]
    py = (fragments.pixel // width).astype(np.float32)[:, None]
    result: Float = slope_x.astype(np.float32)[where]
    result *= px
    slant = slope_y[where]
    slant *= py
    result += slant
    result += base[where]
    return result
