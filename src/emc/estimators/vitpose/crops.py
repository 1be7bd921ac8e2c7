"""Crops of persons for ViTPose, batched in torch: exact for prediction, changed at random for training.

The window around a box and its mapping to the crop are those of ViTPose ("unbiased data processing", Huang et al.,
CVPR 2020): lengths are measured between pixel centres, the window's edges fall on the centres of the outermost pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from emc.estimators.augmentation import MEAN, SPREAD, Augmentation, change_look
from emc.pose.geometry import invert_affine
from emc.pose.picture_part import Part

PADDING = 1.25
EDGE = 2.0
"""Pixels around a window that its outermost pixels are mixed from."""


def windows(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the window around each box: grown to the crop's shape, then by a quarter.

    boxes : (N, 4) xywh, pixels. size : (height, width) of the crop. Returns (N, 4) float64: centre x, centre y, width,
    height, pixels of the image; a box without extent gets a window of at least a pixel.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    shape = size[1] / size[0]
    width = np.maximum(boxes[:, 2], boxes[:, 3] * shape)
    height = np.maximum(boxes[:, 3], boxes[:, 2] / shape)
    extent = np.maximum(np.stack([width, height], axis=1) * PADDING, 1.0)
    return np.concatenate([boxes[:, :2] + boxes[:, 2:] / 2, extent], axis=1)


def reach(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return (N, 4) x0, y0, x1, y1: what is read of a picture for each of (N, 4) xywh boxes lies inside, pixels.

    size : (height, width) of the crop.
    """
    around = windows(np.asarray(boxes, dtype=np.float32), size)
    centre, half = around[:, :2], around[:, 2:] / 2
    return np.concatenate([centre - half - EDGE, centre + half + EDGE], axis=1)


def exact_crops(
    images: Sequence[np.ndarray], around: np.ndarray, size: tuple[int, int], device: torch.device | str = "cpu"
) -> Tensor:
    """Cut the window of each image, bilinear, black outside of the image, and normalise.

    images : N arrays (H, W, 3) uint8 RGB of any sizes, the same one as often as it has persons. around : (N, 4) of
    `windows`. size : (height, width) of the crops. Returns (N, 3, height, width) float32 on `device`: what
    transformers' `VitPoseImageProcessor` gives, values rounded to whole grey levels before normalising included.
    """
    return part_crops([Part.whole(image) for image in images], around, size, device)


def part_crops(
    parts: Sequence[Part], around: np.ndarray, size: tuple[int, int], device: torch.device | str = "cpu"
) -> Tensor:
    """Return what `exact_crops` returns of whole pictures, of parts of them that hold `reach`."""
    crops = torch.empty((len(parts), 3, *size), dtype=torch.float32, device=device)
    mean, gain = crops.new_tensor(MEAN)[:, None, None], 1 / crops.new_tensor(SPREAD)[:, None, None]
    lengths = np.array([part.size for part in parts]).reshape(-1, 2)
    across = _taps(around[:, 0::2], size[1], lengths[:, 0])
    down = _taps(around[:, 1::2], size[0], lengths[:, 1])
    for crop, part, columns, rows in zip(crops, parts, across, down, strict=True):
        seen = crop[:, rows.first : rows.first + len(rows.low), columns.first : columns.first + len(columns.low)]
        if seen.shape != crop.shape:
            crop.copy_((-mean * gain).expand_as(crop))
        if seen.numel():
            torch.sub(_resampled(part, rows, columns, crops.device), mean, out=seen).mul_(gain)
    return crops


@dataclass(frozen=True, slots=True)
class _Taps:
    """Which two pixels of one axis each pixel of a crop lies between, for those inside of the image.

    first : the first such pixel of the crop. low, high : (n,) neighbours. share : (n,) float32, weight of `high`.
    """

    first: int
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray


def _taps(around: np.ndarray, size: int, lengths: np.ndarray) -> Iterator[_Taps]:
    """Yield the taps along one axis of each crop. around : (N, 2) centre and extent. lengths : (N,) of the images.

    Beyond the centres of an image's outermost pixels nothing is interpolated: as scipy's mode ``constant``.
    """
    places = around[:, :1] - around[:, 1:] / 2 + np.arange(size) * (around[:, 1:] / (size - 1))
    inside = (places >= 0) & (places <= lengths[:, None] - 1)
    low = np.floor(places).astype(np.int64)
    share = (places - low).astype(np.float32)
    high = np.minimum(low + 1, lengths[:, None] - 1)
    starts, counts = inside.argmax(axis=1).tolist(), inside.sum(axis=1).tolist()
    for i, (start, count) in enumerate(zip(starts, counts, strict=True)):
        here = slice(start, start + count)
        yield _Taps(start, low[i, here], high[i, here], share[i, here])


def _resampled(part: Part, rows: _Taps, columns: _Taps, device: torch.device) -> Tensor:
    """Return (3, rows, columns) whole grey levels: first down, then across, which is all that bilinear is.

    One axis after the other halves the look-ups of `grid_sample`, and touches only the rows that count.
    """
    left, right = int(columns.low[0]), int(columns.high[-1]) + 1
    seen = part.image[:, left - part.corner[0] : right - part.corner[0]]
    upper, lower = (
        torch.from_numpy(seen[taps - part.corner[1]].reshape(len(taps), -1)).to(device).float()
        for taps in (rows.low, rows.high)
    )
    lines = upper.lerp_(lower, torch.from_numpy(rows.share).to(device)[:, None])
    channel = np.arange(3)[:, None]
    west, east = (
        lines.index_select(1, torch.from_numpy(((taps - left) * 3 + channel).ravel()).to(device))
        for taps in (columns.low, columns.high)
    )
    levels = west.lerp_(east, torch.from_numpy(np.tile(columns.share, 3)).to(device)).round_()
    return levels.view(len(rows.low), 3, -1).permute(1, 0, 2)


def changed_crops(
    images: Sequence[np.ndarray],
    affines: np.ndarray,
    size: tuple[int, int],
    rng: np.random.Generator,
    how: Augmentation,
) -> Tensor:
    """Cut images under any (N, 2, 3) affines from image to crop pixels, and change their look.

    Returns (N, 3, height, width) float32 grey levels, not normalised.
    """
    crops = torch.empty((len(images), 3, *size), dtype=torch.float32)
    for crop, image, affine in zip(crops, images, affines, strict=True):
        part, places = _rotated_part(image, affine, size)
        levels = torch.from_numpy(part.copy()).permute(2, 0, 1)[None].float()
        crop.copy_(functional.grid_sample(levels, places[None], padding_mode="zeros", align_corners=True)[0])
        change_look(crop, rng, how)
    return crops


def _rotated_part(image: np.ndarray, affine: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, Tensor]:
    """Return the part of an image that a crop needs, and the (H, W, 2) places of its pixels there, in [-1, 1]."""
    back = invert_affine(affine)
    corners = np.array([[0, 0], [size[1] - 1, 0], [0, size[0] - 1], [size[1] - 1, size[0] - 1]]) @ back[:, :2].T
    corners += back[:, 2]
    most = np.array(image.shape[1::-1]) - 1
    first = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, most)
    last = np.clip(np.ceil(corners.max(axis=0)).astype(int), first, most)
    rows, columns = np.arange(size[0])[:, None, None], np.arange(size[1])[None, :, None]
    places = columns * back[:, 0] + rows * back[:, 1] + (back[:, 2] - first)
    scaled = places * (2 / np.maximum(last - first, 1)) - 1
    return image[first[1] : last[1] + 1, first[0] : last[0] + 1], torch.from_numpy(scaled.astype(np.float32))


def normalised(levels: Tensor) -> Tensor:
    """Turn (N, 3, H, W) grey levels, in place, into what the network reads."""
    mean, spread = (levels.new_tensor(values)[:, None, None] for values in (MEAN, SPREAD))
    return levels.sub_(mean).div_(spread)
