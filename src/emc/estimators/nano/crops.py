"""Crops of persons for the `nano` estimator: exact for prediction, changed at random for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from emc.errors import ShapeMismatch
from emc.estimators.nano.network import INPUT_SIZE
from emc.pose.geometry import box_to_square, crop_affine, transform
from emc.pose.picture_part import Part
from emc.pose.records import Sample
from emc.pose.skeletons import COCO17

PADDING = 1.25
MEAN = 114.0
SPREAD = 64.0
NOISY_SHARE = 0.2
_LEVELS = np.arange(256)[:, None] - MEAN
_SMALL = 4
"""Pictures of up to this many crops' area are looked at with a fourth channel."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a training crop may depart from the prediction crop.

    rotation : degrees, each way. scale : factors on the crop's side, low to high. shift : share of the side, each way.
    flip : probability of mirroring, left and right joints change places. colour : strength in [0, 1] of brightness,
    contrast and colour cast. cutout : probability of one patch of plain colour over the crop. grey : probability of
    losing all colour. noise : largest standard deviation of pixel noise, in grey levels (on a fifth of the crops).
    """

    rotation: float = 40.0
    scale: tuple[float, float] = (0.75, 1.25)
    shift: float = 0.06
    flip: float = 0.5
    colour: float = 0.3
    cutout: float = 0.25
    grey: float = 0.05
    noise: float = 8.0


def cut(image: np.ndarray, affine: np.ndarray, size: int = INPUT_SIZE) -> np.ndarray:
    """Return the (size, size, 3) uint8 crop of an RGB image under a (2, 3) affine; grey beyond the image's edge.

    An image much larger than the crop is first shrunk by an area mean, so that thin limbs do not alias away.
    """
    return cut_part(Part.whole(image), affine, size)


def cut_part(part: Part, affine: np.ndarray, size: int = INPUT_SIZE) -> np.ndarray:
    """Return what `cut` returns of the whole picture under an affine from its pixels, where `part` holds `reach`."""
    step = _step(affine)
    if step >= 2:
        image, affine = _shrink(part, affine, size, step)
    else:
        image, affine = part.image, _from_corner(affine, part.corner)
    if image.shape[0] * image.shape[1] > _SMALL * size**2:
        return _warped(image, affine, size)
    # The same pixels in half the time: four bytes a pixel are read at once, three are not.
    return cv2.cvtColor(_warped(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), affine, size), cv2.COLOR_RGBA2RGB)


def _warped(image: np.ndarray, affine: np.ndarray, size: int) -> np.ndarray:
    return cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(MEAN,) * 4
    )


def reach(boxes: np.ndarray) -> np.ndarray:
    """Return (N, 4) x0, y0, x1, y1: what prediction reads of a picture for each of (N, 4) xywh boxes, pixels.

    A crop that is not first shrunk is read from the whole picture: where a part of it begins would show in how OpenCV
    rounds places between pixels.
    """
    found = np.empty((len(boxes), 4))
    for row, box in zip(found, np.asarray(boxes, dtype=np.float32), strict=True):
        affine = exact_affine(box)
        step = _step(affine)
        row[:] = (-np.inf, -np.inf, np.inf, np.inf) if step < 2 else _span(affine, INPUT_SIZE, step)
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
    columns, rows = max((x1 - x0) // step, 1), max((y1 - y0) // step, 1)
    x1, y1 = min(x0 + columns * step, width), min(y0 + rows * step, height)
    part = whole.image[y0 - top : y1 - top, x0 - left : x1 - left]
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    factor = np.array([part.shape[1] / columns, part.shape[0] / rows])
    # Pixel centres: small pixel i covers part pixels i * factor .. (i + 1) * factor - 1.
    origin = np.array([x0, y0]) + (factor - 1) / 2
    moved = np.concatenate([affine[:, :2] * factor, (affine[:, :2] @ origin + affine[:, 2])[:, None]], axis=1)
    return small, moved


def exact_affine(box: np.ndarray) -> np.ndarray:
    """Return the affine of the prediction crop of a (4,) xywh box."""
    return crop_affine(box_to_square(box, PADDING), INPUT_SIZE)


def exact_crop(sample: Sample, joints: int = len(COCO17)) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the prediction crop of a sample, its places in crop pixels, its label weights and their spread."""
    affine = exact_affine(sample.box)
    places = transform(_places(sample, joints), affine)
    return cut(sample.image, affine), places, label_weight(sample), label_spread(sample)


def augmented_crop(
    sample: Sample, rng: np.random.Generator, how: Augmentation, mirror: Sequence[int] = COCO17.flip
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a changed crop of a sample, its places in crop pixels, its label weights and their spread.

    mirror : for each joint its mirror joint, which stand for each other in a mirrored crop.
    """
    square = box_to_square(sample.box, PADDING)
    # One call for all, with what `uniform` makes of each: asked for one by one they cost more than cutting the crop.
    right, down, larger, turn, side = rng.random(5).tolist()
    low, high = np.log(how.scale[0]), np.log(how.scale[1])
    square[:2] += (2 * how.shift * np.array([right, down]) - how.shift) * square[2]
    square[2] *= float(np.exp(low + (high - low) * larger))
    angle, flip = 2 * how.rotation * turn - how.rotation, side < how.flip
    affine = crop_affine(square, INPUT_SIZE, angle, flip)
    crop = change_look(cut(sample.image, affine), rng, how)
    xy, weight, spread = transform(_places(sample, len(mirror)), affine), label_weight(sample), label_spread(sample)
    if flip:
        order = list(mirror)
        xy, weight, spread = xy[order], weight[order], spread[order]
    return crop, xy, weight, spread


def change_look(crop: np.ndarray, rng: np.random.Generator, how: Augmentation) -> np.ndarray:
    """Return a (S, S, 3) uint8 crop with other colours, perhaps with noise, perhaps with a covered patch."""
    grey, all_gain, *gains, brighter = rng.random(6).tolist()
    if grey < how.grey:
        crop = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
    strength, apart = how.colour, how.colour / 3
    gain = np.exp((2 * strength * all_gain - strength) + (2 * apart * np.array(gains) - apart))
    crop = cv2.LUT(crop, _tones(gain, (2 * strength * brighter - strength) * SPREAD))
    if how.noise > 0 and rng.random() < NOISY_SHARE:
        sigma = np.float32(rng.uniform(0, how.noise))
        grain = rng.standard_normal(crop.shape, dtype=np.float32)
        grain *= sigma
        grain += crop
        crop = np.clip(grain, 0, 255, out=grain).astype(np.uint8)
    if rng.random() < how.cutout:
        _cover(crop, rng)
    return crop


def _tones(gain: np.ndarray, shift: float) -> np.ndarray:
    """Return the (1, 256, 3) uint8 table of a (3,) gain around the middle tone and a shift in grey levels."""
    tones = _LEVELS * gain
    tones += MEAN
    tones += shift
    return np.clip(tones, 0, 255, out=tones).astype(np.uint8)[None]


def _cover(crop: np.ndarray, rng: np.random.Generator) -> None:
    size = crop.shape[0]
    height, width = (rng.uniform(0.1, 0.35, 2) * size).astype(int)
    top, left = rng.integers(0, size - height), rng.integers(0, size - width)
    crop[top : top + height, left : left + width] = rng.uniform(0, 255, 3)


def label_weight(sample: Sample) -> np.ndarray:
    """Return the (J,) float32 weight of each label: 0 where not labelled, else `sample.weight` (1 by default)."""
    labelled = (np.asarray(sample.visibility) > 0) & np.isfinite(sample.xy).all(axis=-1)
    if sample.weight is None:
        return labelled.astype(np.float32)
    return np.where(labelled, np.asarray(sample.weight), 0.0).astype(np.float32)


def label_spread(sample: Sample) -> np.ndarray:
    """Return the (J,) factor on the width of each joint's target (1 by default)."""
    return np.ones(len(sample.xy)) if sample.spread is None else np.asarray(sample.spread, dtype=np.float64)


def to_tensor(crops: Sequence[np.ndarray]) -> Tensor:
    """Return crops as one (B, 3, S, S) float32 tensor, channels last in memory, about zero mean and unit spread."""
    stacked = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
    return stacked.float().sub_(MEAN).mul_(1 / SPREAD)


def _places(sample: Sample, joints: int) -> np.ndarray:
    xy = np.asarray(sample.xy, dtype=np.float64)
    if xy.shape != (joints, 2):
        raise ShapeMismatch(
            f"sample {sample.clip}:{sample.frame} has joints {xy.shape}: this network takes ({joints}, 2)"
        )
    return xy
