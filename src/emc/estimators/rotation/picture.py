"""A person's surroundings cut out and rotated, with the places of box and joints in them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from emc.pose.geometry import box_to_square, crop_affine, transform
from emc.pose.records import Sample
from emc.pose.skeletons import Skeleton

REACH = 1.7
"""Side of the rotated picture over the longer side of the box: room for the padding that an estimator adds."""
GREY = (114.0, 114.0, 114.0)
SHOULDERS = ("left_shoulder", "right_shoulder")
HIPS = ("left_hip", "right_hip")


def rotation_affine(box: np.ndarray, angle: float, largest: int) -> tuple[np.ndarray, int]:
    """Return the (2, 3) affine from image pixels to a square picture around a (4,) xywh box, and the picture's side.

    angle : degrees, rotates the content counter-clockwise as seen on screen. largest : pixels; the picture has the
    image's resolution, but at most this many pixels per side.
    """
    square = box_to_square(box, REACH)
    size = int(np.clip(round(float(square[2])), 8, largest))
    return crop_affine(square, size, angle), size


def rotated_picture(image: np.ndarray, affine: np.ndarray, size: int) -> np.ndarray:
    """Return the (size, size, 3) uint8 picture of an RGB image under an affine; grey beyond the image's edge."""
    return cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY
    )


def rotated_box(box: np.ndarray, angle: float, affine: np.ndarray) -> np.ndarray:
    """Return the (4,) xywh box of the rotated picture: its sides change places at right angles.

    At other angles it is the square of the longer side: the upright box around a box that stands on its corner would
    be half as large again as the person.
    """
    box = np.asarray(box, dtype=np.float64)
    scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    width, height = box[2:] * scale
    quarter = angle / 90.0
    if abs(quarter - round(quarter)) > 1e-6:
        width = height = max(width, height)
    elif round(quarter) % 2:
        width, height = height, width
    centre = transform(box[:2] + box[2:] / 2, affine)
    return np.array([*(centre - [width / 2, height / 2]), width, height])


def rotated_upright(sample: Sample, rotations: int, skeleton: Skeleton, largest: int) -> Sample:
    """Return a sample at the one of `rotations` even rotations at which its trunk, hips to shoulders, points up most.

    A sample that needs no rotation, or has no shoulder or no hip labelled, is returned as it is. largest : see
    `rotation_affine`.
    """
    angle = upright_angle(sample, rotations, skeleton)
    if angle == 0:
        return sample
    affine, size = rotation_affine(sample.box, angle, largest)
    scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    return replace(
        sample,
        image=rotated_picture(sample.image, affine, size),
        xy=transform(np.asarray(sample.xy, dtype=np.float64), affine).astype(np.float32),
        box=rotated_box(sample.box, angle, affine).astype(np.float32),
        head=sample.head * scale,
        torso=sample.torso * scale,
        area=sample.area * scale * scale,
        scale=sample.scale / scale,
    )


def upright_angle(sample: Sample, rotations: int, skeleton: Skeleton) -> float:
    """Return degrees, a multiple of 360 / rotations, by which the image must rotate for the trunk to point up.

    0 where shoulders or hips are not labelled.
    """
    upper, lower = (_middle(sample, skeleton, names) for names in (SHOULDERS, HIPS))
    if upper is None or lower is None:
        return 0.0
    across, down = upper - lower
    lean = np.degrees(np.arctan2(across, -down))
    return float(round(lean / (360.0 / rotations)) % rotations) * 360.0 / rotations


def _middle(sample: Sample, skeleton: Skeleton, names: tuple[str, str]) -> np.ndarray | None:
    joints = [skeleton.index(name) for name in names if name in skeleton.joints]
    placed = [sample.xy[j] for j in joints if sample.visibility[j] > 0 and np.isfinite(sample.xy[j]).all()]
    return np.mean(placed, axis=0) if placed else None
