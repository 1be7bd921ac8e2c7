"""Geometry: box <-> crop affine, point transforms, cameras, alignment of point sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch

OUTSIDE = 0.25
"""Share of a frame's longer side by which a joint may lie outside of it.

A foot cut off by the border lies outside, but what lies further is a mistake of units or of another frame size. The
editor, the import of labels and the study ask for the same, so that what one of them writes the others take.
"""


def outside(xy: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return (...,) whether (..., 2) places lie further outside of a frame than `OUTSIDE` allows; not where NaN."""
    margin = OUTSIDE * max(width, height)
    limit = np.array([width - 1, height - 1], dtype=np.float64) + margin
    return np.asarray(((xy < -margin) | (xy > limit)).any(axis=-1))


def box_to_square(box: np.ndarray, padding: float = 1.25) -> np.ndarray:
    """Return (centre x, centre y, side) of the padded square around each box.

    box : (..., 4) xywh in pixels. padding : factor on the longer side. Returns (..., 3) float64, pixels.
    """
    box = np.asarray(box, dtype=np.float64)
    centre = box[..., :2] + box[..., 2:] / 2
    side = np.maximum(box[..., 2], box[..., 3]) * padding
    return np.concatenate([centre, np.maximum(side, 1.0)[..., None]], axis=-1)


def crop_affine(square: np.ndarray, size: int, angle: float = 0.0, flip: bool = False) -> np.ndarray:
    """Return the (2, 3) affine from image pixels to pixels of a `size` x `size` crop.

    square : (3,) centre x, centre y, side in image pixels. angle : degrees, turns the content counter-clockwise as
    seen on screen. flip : mirror the crop left-right. Lengths are measured between pixel *centres* (size - 1 steps per
    side; "unbiased data processing", Huang et al., CVPR 2020), so that flipping is exact.
    """
    x, y, side = (float(v) for v in square)
    # size - 1, not size: else the mirrored crop is shifted against the crop, and with it the mean of a prediction and
    # its mirror image.
    scale = (size - 1) / side
    radians = np.deg2rad(angle)
    cos, sin = np.cos(radians) * scale, np.sin(radians) * scale
    linear = np.array([[cos, sin], [-sin, cos]])
    if flip:
        linear[0] = -linear[0]
    offset = np.full(2, (size - 1) / 2) - linear @ np.array([x, y])
    return np.concatenate([linear, offset[:, None]], axis=1)


def invert_affine(affine: np.ndarray) -> np.ndarray:
    """Return the inverse of (..., 2, 3) affines."""
    linear = np.linalg.inv(affine[..., :2])
    offset = -(linear @ affine[..., 2:])
    return np.concatenate([linear, offset], axis=-1)


def transform(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Apply a (2, 3) affine to (..., 2) points; NaN stays NaN."""
    return points @ affine[:, :2].T + affine[:, 2]


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera without distortion.

    intrinsic : (3, 3), pixels. rotation : (3, 3) and translation : (3,) metres take world points (y up) to the
    camera frame (x right, y down, z forward). size : (width, height), pixels.
    """

    intrinsic: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    size: tuple[int, int]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Take (..., 3) world points in metres to the camera frame, metres."""
        return points @ self.rotation.T + self.translation

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project (..., 3) world points to (..., 2) pixels; points behind the camera become NaN."""
        camera = self.to_camera(points)
        # Not a small depth instead: a point just behind the camera would be projected far to the other side of the
        # picture, and look like a place.
        depth = np.where(camera[..., 2:] > 1e-6, camera[..., 2:], np.nan)
        return (camera / depth) @ self.intrinsic[:2].T


def bounding_box(xy: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Return the (4,) xywh box around the finite points of (J, 2) `xy`, widened by `margin` x its longer side.

    Raises `ShapeMismatch` where no point is finite.
    """
    finite = xy[np.isfinite(xy).all(axis=-1)]
    if finite.size == 0:
        raise ShapeMismatch(f"no finite point among {xy.shape} joints: a box needs at least one placed joint")
    low, high = finite.min(axis=0), finite.max(axis=0)
    # At least a pixel: joints on one spot would make a box without a size, which every format and detector refuses.
    grow = margin * max(float((high - low).max()), 1.0)
    return np.concatenate([low - grow, high - low + 2 * grow]).astype(np.float32)


def similarity_align(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Return `moving` (N, D) after the best similarity (scale, rotation, translation) onto `fixed` (N, D).

    Reflections are refused. Source: Umeyama, PAMI 1991. Raises `ShapeMismatch` where the shapes differ.
    """
    if moving.shape != fixed.shape:
        raise ShapeMismatch(f"alignment needs equal shapes: got {moving.shape} and {fixed.shape}")
    moving_mean, fixed_mean = moving.mean(axis=0), fixed.mean(axis=0)
    a, b = moving - moving_mean, fixed - fixed_mean
    u, singular, vt = np.linalg.svd(a.T @ b)
    sign = np.ones(a.shape[1])
    # Without it a left-right swapped pose would be aligned by a reflection and score as perfect. Of a degenerate pose
    # det is 0, and the sign must not erase an axis.
    sign[-1] = np.sign(np.linalg.det(u @ vt)) or 1.0
    rotation = (u * sign) @ vt
    variance = float((a**2).sum())
    scale = float((singular * sign).sum()) / variance if variance > 0 else 1.0
    return scale * a @ rotation + fixed_mean


def box_overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the (N, M) intersection over union of (N, 4) and (M, 4) xywh boxes; 0 where both are empty."""
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    shared = np.maximum(high - low, 0).prod(axis=-1)
    union = first[:, 2:].prod(axis=-1)[:, None] + second[:, 2:].prod(axis=-1)[None] - shared
    return shared / np.maximum(union, 1e-9)
