"""Random changes of a training crop, and the labels that move with it: shared by several estimators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from emc.errors import ShapeMismatch
from emc.pose.records import Sample


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a training crop may depart from the prediction crop.

    rotation : degrees, each way. scale : factors on the window, low to high. shift : share of the window, each way.
    flip : probability of mirroring, left and right joints change places. colour : strength in [0, 1] of brightness,
    contrast and colour cast. cutout : probability of one patch of plain colour over the crop.
    """

    rotation: float = 30.0
    scale: tuple[float, float] = (0.75, 1.3)
    shift: float = 0.06
    flip: float = 0.5
    colour: float = 0.2
    cutout: float = 0.25


def augmented_affine(
    window: np.ndarray, size: tuple[int, int], rng: np.random.Generator, how: Augmentation
) -> tuple[np.ndarray, bool]:
    """Return a changed (2, 3) affine from image to crop pixels of a (4,) window, and whether it mirrors."""
    x, y, width, height = (float(value) for value in window)
    x += float(rng.uniform(-how.shift, how.shift)) * width
    y += float(rng.uniform(-how.shift, how.shift)) * height
    # Evenly in the logarithm: else a range from 0.75 to 1.3 enlarges more often than it shrinks.
    factor = float(np.exp(rng.uniform(np.log(how.scale[0]), np.log(how.scale[1]))))
    angle = np.deg2rad(rng.uniform(-how.rotation, how.rotation))
    flip = bool(rng.random() < how.flip)
    return window_affine(np.array([x, y, width * factor, height * factor]), size, float(angle), flip), flip


def window_affine(window: np.ndarray, size: tuple[int, int], angle: float = 0.0, flip: bool = False) -> np.ndarray:
    """Return the (2, 3) affine from image pixels to pixels of the crop of a (4,) window.

    angle : radians, turns the content clockwise as seen on screen, about the window's centre. flip : mirrors the crop.
    """
    x, y, width, height = (float(value) for value in window)
    cos, sin = np.cos(angle), np.sin(angle)
    scale = np.array([(size[1] - 1) / width, (size[0] - 1) / height])
    linear = np.array([[cos, -sin], [sin, cos]]) * scale[:, None]
    if flip:
        linear[0] = -linear[0]
    offset = np.array([size[1] - 1, size[0] - 1]) / 2 - linear @ np.array([x, y])
    return np.concatenate([linear, offset[:, None]], axis=1)


def change_look(levels: Tensor, rng: np.random.Generator, how: Augmentation) -> None:
    """Give (3, H, W) grey levels other colours, and perhaps a covered patch, in place."""
    strength = how.colour
    # One gain for all channels and a third of it for each alone: as much of each alone would be colours that no camera
    # gives.
    gain = np.exp(rng.uniform(-strength, strength) + rng.uniform(-strength / 3, strength / 3, 3))
    shift = rng.uniform(-strength, strength) * 50.0
    middle = levels.new_tensor(MEAN)[:, None, None]
    levels.sub_(middle).mul_(levels.new_tensor(gain)[:, None, None]).add_(middle + float(shift)).clamp_(0.0, 255.0)
    if rng.random() < how.cutout:
        sides = np.array(levels.shape[1:])
        extent = (rng.uniform(0.1, 0.35, 2) * sides).astype(int)
        # Wholly inside: a patch over the edge covers less, and the share that is covered would depend on where it
        # falls.
        top, left = (int(rng.integers(0, side)) for side in sides - extent)
        patch = levels.new_tensor(rng.uniform(0, 255, 3))[:, None, None]
        levels[:, top : top + extent[0], left : left + extent[1]] = patch


def label_weight(sample: Sample) -> np.ndarray:
    """Return the (J,) float32 weight of each label: 0 where not labelled, else `sample.weight` (1 by default)."""
    labelled = (np.asarray(sample.visibility) > 0) & np.isfinite(sample.xy).all(axis=-1)
    weight = np.ones(len(labelled)) if sample.weight is None else np.asarray(sample.weight)
    return np.where(labelled, weight, 0.0).astype(np.float32)


def label_spread(sample: Sample) -> np.ndarray:
    """Return the (J,) factor on the width of each joint's target (1 by default)."""
    return np.ones(len(sample.xy)) if sample.spread is None else np.asarray(sample.spread, dtype=np.float64)


def sample_places(sample: Sample, joints: int) -> np.ndarray:
    """Return a sample's (J, 2) float64 joints; raises `ShapeMismatch` where there are not `joints` of them."""
    xy = np.asarray(sample.xy, dtype=np.float64)
    if xy.shape != (joints, 2):
        raise ShapeMismatch(
            f"sample {sample.clip}:{sample.frame} has joints {xy.shape}: this network takes ({joints}, 2)"
        )
    return xy


# Of ImageNet, in grey levels.
MEAN = (123.675, 116.28, 103.53)
SPREAD = (58.395, 57.12, 57.375)
