"""Boxes in plain PyTorch: anchors, offsets, clipping, suppression of duplicates. No compiled operator is needed.

Boxes are (N, 4): x0, y0, x1, y1 in pixels of the network's input, edges of pixels at whole numbers.
Source: Faster R-CNN (Ren et al., NeurIPS 2015); Feature Pyramid Networks (Lin et al., CVPR 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

ANCHOR_SIDES = (32.0, 64.0, 128.0, 256.0, 512.0)
"""Side of the square anchor of each level of the pyramid, pixels."""
ANCHOR_SHAPES = (0.5, 1.0, 2.0)
"""Height over width of each anchor."""
LARGEST_GROWTH = math.log(1000.0 / 16)


def cell_anchors(side: float, whole: bool) -> Tensor:
    """Return the (3, 4) anchors of one cell, centred on 0: the area of a square of `side`, each of `ANCHOR_SHAPES`.

    whole : rounded to whole pixels, halves to even.
    """
    height = side * torch.tensor(ANCHOR_SHAPES).sqrt()
    width = side / torch.tensor(ANCHOR_SHAPES).sqrt()
    anchors = torch.stack([-width, -height, width, height], dim=1) / 2
    return anchors.round() if whole else anchors


def grid_anchors(grid: tuple[int, int], stride: tuple[int, int], side: float, whole: bool) -> Tensor:
    """Return the (rows * columns * 3, 4) anchors of a level, row by row, cell by cell.

    grid : (rows, columns) of the level. stride : (down, right), pixels of the input per cell.
    """
    down = torch.arange(grid[0], dtype=torch.float32) * stride[0]
    right = torch.arange(grid[1], dtype=torch.float32) * stride[1]
    y, x = torch.meshgrid(down, right, indexing="ij")
    places = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (places + cell_anchors(side, whole)).reshape(-1, 4)


def moved(boxes: Tensor, offsets: Tensor, weights: tuple[float, float, float, float]) -> Tensor:
    """Return boxes moved and scaled by (N, 4) offsets: shifts in sides, logarithms of growth, each over its weight."""
    sides = boxes[:, 2:] - boxes[:, :2]
    centres = boxes[:, :2] + sides / 2
    weight = offsets.new_tensor(weights)
    shift, growth = (offsets / weight).split(2, dim=1)
    centres = centres + shift * sides
    half = growth.clamp(max=LARGEST_GROWTH).exp() * sides / 2
    return torch.cat([centres - half, centres + half], dim=1)


def clipped(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes cut to an image of (height, width) pixels."""
    x = boxes[:, 0::2].clamp(0, size[1])
    y = boxes[:, 1::2].clamp(0, size[0])
    return torch.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], dim=1)


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the (N, M) intersection over union; 0 where both are empty."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=-1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None] - shared
    return torch.where(union > 0, shared / union, torch.zeros_like(shared))


def suppressed(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    """Return the indices of the boxes that stay, best first (non-maximum suppression).

    A box goes where it overlaps a better one that stays by more than `limit`. Equal scores: the earlier box is better.
    """
    order = scores.argsort(descending=True, stable=True)
    ranked = boxes[order]
    hides = (overlaps(ranked, ranked) > limit).cpu().numpy()
    gone = np.zeros(len(order), dtype=bool)
    kept: list[int] = []
    for place in range(len(order)):
        if not gone[place]:
            kept.append(place)
            gone |= hides[place]
    return order[torch.tensor(kept, dtype=torch.int64, device=order.device)]


def suppressed_in_groups(boxes: Tensor, scores: Tensor, groups: Sequence[Tensor], limit: float) -> Tensor:
    """Return the indices of the boxes that stay, best first; only boxes of one group hide each other.

    groups : index tensors, each box in one of them.
    """
    kept = torch.cat([group[suppressed(boxes[group], scores[group], limit)] for group in groups])
    return kept[scores[kept].argsort(descending=True, stable=True)]
