"""Images as a Keypoint R-CNN reads them: resized and normalised by a recipe, exactly as its training code did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from emc.estimators.keypoint_rcnn.recipe import Recipe

MULTIPLE = 32
"""Sides of the network's input are multiples of the coarsest stride."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One image for the network.

    pixels : (3, h, w) float32, normalised, not yet padded. factor : (across, down), input pixels per image pixel.
    """

    pixels: Tensor
    factor: tuple[float, float]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the resized image, pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[2])

    @property
    def padded(self) -> tuple[int, int]:
        """(height, width) with the padding that the network needs."""
        height, width = self.size
        return -(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE


def resized_to(size: tuple[int, int], recipe: Recipe) -> tuple[int, int]:
    """Return (height, width) of an image of `size` after resizing by the recipe.

    torchvision rounds down, Detectron2 to the nearest.
    """
    height, width = size
    if recipe.resize == "torch":
        factor = min(recipe.short_side / min(size), recipe.long_side / max(size))
        return max(math.floor(height * factor), 1), max(math.floor(width * factor), 1)
    factor = recipe.short_side / min(size)
    factor *= min(1.0, recipe.long_side / (max(size) * factor))
    return max(int(height * factor + 0.5), 1), max(int(width * factor + 0.5), 1)


def prepare(image: np.ndarray, recipe: Recipe, device: torch.device | str = "cpu") -> Prepared:
    """Resize and normalise a (H, W, 3) uint8 RGB image."""
    height, width = resized_to((image.shape[0], image.shape[1]), recipe)
    factor = (width / image.shape[1], height / image.shape[0])
    if recipe.resize == "pillow":
        small = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
        return Prepared(normalised(_tensor(np.asarray(small), device), recipe), factor)
    levels = normalised(_tensor(image, device), recipe)
    pixels = functional.interpolate(levels[None], size=(height, width), mode="bilinear", align_corners=False)[0]
    return Prepared(pixels, factor)


def normalised(levels: Tensor, recipe: Recipe) -> Tensor:
    """Return (3, H, W) grey levels, RGB, as the network reads them."""
    ordered = levels.flip(0) if recipe.bgr else levels
    mean, spread = (levels.new_tensor(values)[:, None, None] for values in (recipe.mean, recipe.spread))
    return (ordered - mean) / spread


def stacked(images: Sequence[Prepared]) -> Tensor:
    """Return images as one (B, 3, H, W) tensor, padded with 0 below and to the right."""
    height = max(image.padded[0] for image in images)
    width = max(image.padded[1] for image in images)
    batch = images[0].pixels.new_zeros((len(images), 3, height, width))
    for row, image in zip(batch, images, strict=True):
        row[:, : image.size[0], : image.size[1]] = image.pixels
    return batch


def _tensor(image: np.ndarray, device: torch.device | str) -> Tensor:
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    return pixels.to(device).float()
