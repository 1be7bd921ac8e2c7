"""Crops for ONNX models: person boxes to normalised batches, to the last bit as OpenMMLab and rtmlib cut them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from emc.estimators.onnx.card import BoxPart, InputPart


def crop_frames(boxes: np.ndarray, size: tuple[int, int], padding: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre (N, 2) and the extent (N, 2) in image pixels of what each crop shows.

    boxes : (N, 4) xywh in pixels. The box is widened by `padding`, then on one side to the aspect ratio of `size`
    (width, height). A box without extent gives one pixel.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    centre = (low + high) * 0.5
    width, height = ((high - low) * padding).T
    aspect = size[0] / size[1]
    wide = width > height * aspect
    extent = np.stack([np.where(wide, width, height * aspect), np.where(wide, width / aspect, height)], axis=1)
    return centre, np.maximum(extent, 1.0)


def to_image(shares: np.ndarray, centre: np.ndarray, extent: np.ndarray) -> np.ndarray:
    """Turn (N, K, 2) places, as shares of the crop, into pixels of the image; NaN stays NaN."""
    return shares * extent[:, None] + centre[:, None] - extent[:, None] / 2


def crop_affine(centre: np.ndarray, extent: np.ndarray, size: tuple[int, int], pixels: str) -> np.ndarray:
    """Return the (2, 3) affine from image pixels to crop pixels.

    centre, extent : (2,) image pixels. size : (width, height) of the crop. pixels : see `BoxPart`.
    """
    width, height = size
    if pixels == "centres":
        last = np.array([width, height]) - 1
        scale = last / extent
        return np.concatenate([np.diag(scale), (last / 2 - scale * centre)[:, None]], axis=1)
    half, reach = float(extent[0]) * 0.5, width * 0.5
    middle = np.array([width * 0.5, height * 0.5])
    return cv2.getAffineTransform(_corner(centre, half), _corner(middle, reach))


def _corner(middle: np.ndarray, reach: float) -> np.ndarray:
    """Return (3, 2) float32: a point, the one above it, and the one left of that.

    In the steps and the precision of OpenMMLab's tools: the affine then rounds as theirs does, and the crop has the
    same bits.
    """
    points = np.array([middle, middle - [0.0, reach], middle], dtype=np.float32)
    down = points[0] - points[1]
    points[2] = points[1] + np.array([-down[1], down[0]], dtype=np.float32)
    return points


class CropBatch:
    """Fills batches for one model: cuts, orders the channels and normalises."""

    def __init__(self, given: InputPart, box: BoxPart) -> None:
        self._size, self._box = given.size, box
        self._order = (0, 1, 2) if given.channels == "rgb" else (2, 1, 0)
        # A crop has 256 levels: each one's normalised value is computed once, in double precision.
        levels = np.arange(256, dtype=np.float64)[:, None]
        table = (levels - np.array(given.mean)) / np.array(given.std)
        self._tables = [np.ascontiguousarray(column, dtype=np.float32) for column in table.T]

    def cut(self, images: Sequence[np.ndarray], centres: np.ndarray, extents: np.ndarray) -> np.ndarray:
        """Return (N, 3, height, width) float32; images[i] (H, W, 3) uint8 RGB is cut at centres[i], extents[i]."""
        width, height = self._size
        batch = np.empty((len(images), 3, height, width), dtype=np.float32)
        border = (self._box.border,) * 3
        for row, image, centre, extent in zip(batch, images, centres, extents, strict=True):
            affine = crop_affine(centre, extent, self._size, self._box.pixels)
            crop = cv2.warpAffine(image, affine, self._size, flags=cv2.INTER_LINEAR, borderValue=border)
            colours = cv2.split(crop)
            for plane, channel, table in zip(row, self._order, self._tables, strict=True):
                cv2.LUT(colours[channel], table, dst=plane)
        return batch
