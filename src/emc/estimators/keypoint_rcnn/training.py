"""Batches for calibrating a Keypoint R-CNN: labelled persons as images, boxes and the maps that are wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from emc.estimators.augmentation import Augmentation, change_look, label_weight, sample_places, window_affine
from emc.estimators.keypoint_rcnn.heatmaps import encode
from emc.estimators.keypoint_rcnn.images import normalised, prepare, stacked
from emc.estimators.keypoint_rcnn.network import HEATMAP
from emc.estimators.keypoint_rcnn.recipe import Recipe
from emc.pose.geometry import transform
from emc.pose.records import Sample
from emc.pose.skeletons import COCO17

CHANGES = Augmentation(rotation=20.0, scale=(0.24, 0.56), shift=0.1, flip=0.5, colour=0.2, cutout=0.25)
"""How training images are changed; `scale` is the person's longer side over the recipe's shorter side."""
WINDOW = 0.64
"""Side of a training image over the recipe's shorter side: 512 pixels instead of 800."""
COPIES = 3
"""Boxes per person: its own and changed ones, as proposals are never exact."""
WORDS = ("image", "regions", "maps", "weight", "labelled")
"""What a batch holds."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One labelled person on the network's input.

    pixels : (3, h, w) normalised. boxes : (R, 4) input pixels. xy : (J, 2) in the recipe's frame, NaN where unknown.
    weight : (J,) float32.
    """

    pixels: Tensor
    boxes: np.ndarray
    xy: np.ndarray
    weight: np.ndarray


def exact_batch(samples: Sequence[Sample], recipe: Recipe, joints: int) -> dict[str, Tensor]:
    """Return the batch that stands for what `predict` sees of each sample's image and box."""
    images = [prepare(sample.image, recipe) for sample in samples]
    placed: list[Placed] = []
    for sample, image in zip(samples, images, strict=True):
        xy = (sample_places(sample, joints) + recipe.half_pixel) * image.factor
        box = input_box(np.asarray(sample.box, dtype=np.float64), image.factor, image.size)
        placed.append(Placed(image.pixels, box[None], xy, label_weight(sample)))
    return _batch(placed, stacked(images))


def changed_batch(
    samples: Sequence[Sample],
    recipe: Recipe,
    joints: int,
    rng: np.random.Generator,
    how: Augmentation,
    mirror: Sequence[int] = COCO17.flip,
) -> dict[str, Tensor]:
    """Return a batch of square images about each person, changed at random, `COPIES` boxes each.

    mirror : for each joint its mirror joint, which stand for each other in a mirrored image.
    """
    placed = [_changed(sample, recipe, joints, rng, how, mirror) for sample in samples]
    return _batch(placed, torch.stack([one.pixels for one in placed]))


def window_side(recipe: Recipe) -> int:
    """Return the side of training images, pixels, a multiple of 32."""
    return 32 * math.ceil(WINDOW * recipe.short_side / 32)


def input_box(box: np.ndarray, factor: tuple[float, float], size: tuple[int, int]) -> np.ndarray:
    """Return a (4,) xywh box of an image as x0, y0, x1, y1 of the network's input, cut to it.

    factor : input pixels per image pixel. size : (height, width) of the input without padding. A box that lies outside
    comes back as it is. The network has seen no box that reaches beyond its image.
    """
    scale = np.array([*factor, *factor])
    corners = np.concatenate([box[:2], box[:2] + np.maximum(box[2:], 1)]) * scale
    cut = np.clip(corners, 0, [size[1], size[0], size[1], size[0]])
    return cut if (cut[2:] > cut[:2]).all() else corners


def _changed(
    sample: Sample, recipe: Recipe, joints: int, rng: np.random.Generator, how: Augmentation, mirror: Sequence[int]
) -> Placed:
    side = window_side(recipe)
    x, y, width, height = (float(value) for value in sample.box)
    low, high = np.log(how.scale[0]), np.log(how.scale[1])
    zoom = float(np.exp(rng.uniform(low, high))) * recipe.short_side / max(width, height, 1.0)
    shift = rng.uniform(-how.shift, how.shift, 2) * max(width, height)
    angle, flip = float(np.deg2rad(rng.uniform(-how.rotation, how.rotation))), bool(rng.random() < how.flip)
    # Boxes have their zero at the corner of the first pixel, images and joints at its centre.
    centre = np.array([x + width / 2, y + height / 2]) - 0.5
    extent = (side - 1) / zoom
    affine = window_affine(np.array([*(centre + shift), extent, extent]), (side, side), angle, flip)
    xy, weight = transform(sample_places(sample, joints), affine), label_weight(sample)
    if flip:
        xy, weight = xy[list(mirror)], weight[list(mirror)]
    box = _rotated_box(transform(centre, affine) + 0.5, (width * zoom, height * zoom), angle, xy[weight > 0])
    boxes = np.stack([box, *(_jittered(box, rng) for _ in range(COPIES - 1))])
    return Placed(
        _drawn(sample.image, affine, side, recipe, rng, how), _inside(boxes, side), xy + recipe.half_pixel, weight
    )


def _drawn(
    image: np.ndarray, affine: np.ndarray, side: int, recipe: Recipe, rng: np.random.Generator, how: Augmentation
) -> Tensor:
    grey = [float(value) for value in (recipe.mean[::-1] if recipe.bgr else recipe.mean)]
    drawn = cv2.warpAffine(np.ascontiguousarray(image), affine, (side, side), flags=cv2.INTER_LINEAR, borderValue=grey)
    levels = torch.from_numpy(drawn).permute(2, 0, 1).float().contiguous()
    change_look(levels, rng, how)
    return normalised(levels, recipe)


def _rotated_box(centre: np.ndarray, sides: tuple[float, float], angle: float, xy: np.ndarray) -> np.ndarray:
    """Return x0, y0, x1, y1 around the turned ellipse that fills a box, and around the labelled joints."""
    cos, sin = math.cos(angle), math.sin(angle)
    half = np.hypot([sides[0] / 2 * cos, sides[0] / 2 * sin], [sides[1] / 2 * sin, sides[1] / 2 * cos])
    low, high = centre - half, centre + half
    if len(xy):
        low, high = np.minimum(low, xy.min(axis=0)), np.maximum(high, xy.max(axis=0) + 1)
    return np.concatenate([low, high])


def _jittered(box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a box moved by up to 8 % of its sides and up to 15 % smaller or 20 % larger, each side by itself."""
    sides = box[2:] - box[:2]
    centre = (box[:2] + box[2:]) / 2 + rng.uniform(-0.08, 0.08, 2) * sides
    half = sides / 2 * rng.uniform(0.85, 1.2, 2)
    return np.concatenate([centre - half, centre + half])


def _inside(boxes: np.ndarray, side: int) -> np.ndarray:
    """Return boxes cut to the image, at least a pixel wide and high."""
    low = np.clip(boxes[:, :2], 0, side - 1)
    return np.concatenate([low, np.maximum(np.clip(boxes[:, 2:], 0, side), low + 1)], axis=1)


def _batch(placed: Sequence[Placed], image: Tensor) -> dict[str, Tensor]:
    copies = len(placed[0].boxes)
    boxes = torch.from_numpy(np.concatenate([one.boxes for one in placed])).float()
    number = torch.arange(len(placed)).repeat_interleave(copies).float()
    xy = torch.from_numpy(np.stack([one.xy for one in placed])).float().repeat_interleave(copies, dim=0)
    weight = torch.from_numpy(np.stack([one.weight for one in placed])).float().repeat_interleave(copies, dim=0)
    maps, inside = encode(xy, weight, boxes, HEATMAP)
    regions = torch.cat([number[:, None], boxes], dim=1)
    return dict(zip(WORDS, (image, regions, maps, inside, weight > 0), strict=True))
