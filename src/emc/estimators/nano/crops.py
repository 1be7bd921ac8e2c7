"""Crops of persons for the `nano` estimator: exact for prediction, changed at random for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

import emc.estimators.square_crops as square_crops
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


def cut(image: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return the (128, 128, 3) uint8 crop of an RGB image under a (2, 3) affine; grey beyond the image's edge."""
    return square_crops.cut(image, affine, INPUT_SIZE, MEAN)


def cut_part(part: Part, affine: np.ndarray) -> np.ndarray:
    """Return what `cut` returns of the whole picture under an affine from its pixels, where `part` holds `reach`."""
    return square_crops.cut_part(part, affine, INPUT_SIZE, MEAN)


def reach(boxes: np.ndarray) -> np.ndarray:
    """Return (N, 4) x0, y0, x1, y1: what prediction reads of a picture for each of (N, 4) xywh boxes, pixels."""
    return square_crops.reach(boxes, INPUT_SIZE, PADDING)


def exact_affine(box: np.ndarray) -> np.ndarray:
    """Return the affine of the prediction crop of a (4,) xywh box."""
    return square_crops.square_affine(box, INPUT_SIZE, PADDING)


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
