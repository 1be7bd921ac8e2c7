"""Square crops around person boxes, read from whole pictures or from parts of them: shared by several estimators."""

from __future__ import annotations

import cv2
import numpy as np

from emc.pose.geometry import box_to_square, crop_affine, transform
from emc.pose.picture_part import Part

_SMALL = 4
"""Pictures of up to this many crops' area are looked at with a fourth channel."""


def square_affine(box: np.ndarray, size: int, padding: float) -> np.ndarray:
    """Return the (2, 3) affine from image to crop pixels of the prediction crop of a (4,) xywh box."""
    return crop_affine(box_to_square(box, padding), size)


def cut(image: np.ndarray, affine: np.ndarray, size: int, border: float) -> np.ndarray:
    """Return the (size, size, 3) uint8 crop of an RGB image under a (2, 3) affine; `border` beyond the image's edge.

    An image much larger than the crop is first shrunk by an area mean, so that thin limbs do not alias away.
    """
    return cut_part(Part.whole(image), affine, size, border)


def cut_part(part: Part, affine: np.ndarray, size: int, border: float) -> np.ndarray:
    """Return what `cut` returns of the whole picture under an affine from its pixels, where `part` holds `reach`."""
    step = _step(affine)
    # From half the size on: a bilinear cut reads 4 pixels of the picture for each of its own, and skips the others.
    # Between 1 and 2 it skips little, and the area mean would cost sharpness.
    if step >= 2:
        image, affine = _shrink(part, affine, size, step)
    else:
        image, affine = part.image, _from_corner(affine, part.corner)
    if image.shape[0] * image.shape[1] > _SMALL * size**2:
        return _warped(image, affine, size, border)
    # The same pixels in half the time: four bytes a pixel are read at once, three are not.
    four = _warped(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), affine, size, border)
    return cv2.cvtColor(four, cv2.COLOR_RGBA2RGB)


def _warped(image: np.ndarray, affine: np.ndarray, size: int, border: float) -> np.ndarray:
    return cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(border,) * 4
    )


def reach(boxes: np.ndarray, size: int, padding: float) -> np.ndarray:
    """Return (N, 4) x0, y0, x1, y1: what prediction reads of a picture for each of (N, 4) xywh boxes, pixels.

    A crop that is not first shrunk is read from the whole picture: where a part of it begins would show in how OpenCV
    rounds places between pixels.
    """
    found = np.empty((len(boxes), 4))
    for row, box in zip(found, np.asarray(boxes, dtype=np.float32), strict=True):
        affine = square_affine(box, size, padding)
        step = _step(affine)
        row[:] = (-np.inf, -np.inf, np.inf, np.inf) if step < 2 else _span(affine, size, step)
    return found


def _step(affine: np.ndarray) -> int:
    """Return how many pixels of the picture, along each axis, become one before it is cut."""
    return int(1.0 / max(float(np.sqrt(abs(np.linalg.det(affine[:, :2])))), 1e-6))


def _span(affine: np.ndarray, size: int, step: int) -> np.ndarray:
    """Return x0, y0, x1, y1, whole numbers, of what a crop is shrunk from; it may lie outside of the picture."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], dtype=np.float64)
    reach = (corners - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
    low, high = np.floor(reach.min(axis=0)).astype(int) - step, np.ceil(reach.max(axis=0)).astype(int) + step
    return np.concatenate([low, high])


def _from_corner(affine: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    if corner == (0, 0):
        return affine
    return np.concatenate([affine[:, :2], transform(np.array(corner), affine)[:, None]], axis=1)


def _shrink(whole: Part, affine: np.ndarray, size: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    span = _span(affine, size, step)
    (width, height), (left, top) = whole.size, whole.corner
    x0, y0 = np.clip(span[:2], 0, [width - 1, height - 1])
    x1, y1 = np.clip(span[2:], [x0 + 1, y0 + 1], [width, height])
    # Whole steps: OpenCV's area mean has a fast path for whole factors alone.
    columns, rows = max((x1 - x0) // step, 1), max((y1 - y0) // step, 1)
    x1, y1 = min(x0 + columns * step, width), min(y0 + rows * step, height)
    part = whole.image[y0 - top : y1 - top, x0 - left : x1 - left]
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    factor = np.array([part.shape[1] / columns, part.shape[0] / rows])
    # Pixel centres: small pixel i covers part pixels i * factor .. (i + 1) * factor - 1.
    origin = np.array([x0, y0]) + (factor - 1) / 2
    moved = np.concatenate([affine[:, :2] * factor, (affine[:, :2] @ origin + affine[:, 2])[:, None]], axis=1)
    return small, moved
