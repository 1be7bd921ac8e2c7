"""Features of regions in plain PyTorch: ROIAlign and the choice of a pyramid's level, differentiable, on any device.

Source: ROIAlign of Mask R-CNN (He et al., ICCV 2017); levels by equation 1 of Lin et al., CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

FIRST_LEVEL, LAST_LEVEL = 2, 5
AT_ONCE = 64
"""Regions sampled in one call: bounds the memory that a thousand proposals take."""


def levels(boxes: Tensor) -> Tensor:
    """Return the place (0..3) of each (N, 4) box in the pyramid of strides 4, 8, 16, 32: a side of 224 has stride 16.

    The small number added keeps a box of exactly 224 pixels from falling to rounding.
    """
    side = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1).sqrt()
    level = torch.floor(4 + torch.log2(side / 224) + 1e-6)
    return level.clamp(FIRST_LEVEL, LAST_LEVEL).long() - FIRST_LEVEL


def pooled(pyramid: Sequence[Tensor], regions: Tensor, size: int, aligned: bool, sampling: int) -> Tensor:
    """Return (N, C, size, size) features of (N, 5) regions, each from its level.

    pyramid : (B, C, h, w) of strides 4, 8, 16, 32. regions : index of the image, then the box in input pixels.
    """
    chosen = levels(regions[:, 1:])
    parts: list[Tensor] = []
    places: list[Tensor] = []
    for level, features in enumerate(pyramid):
        here = (chosen == level).nonzero()[:, 0]
        if len(here):
            scale = 1.0 / 2 ** (level + FIRST_LEVEL)
            parts.append(roi_align(features, regions[here], size, scale, aligned, sampling))
            places.append(here)
    if not parts:
        return pyramid[0].new_zeros((0, pyramid[0].shape[1], size, size))
    return torch.cat(parts)[torch.cat(places).argsort()]


def roi_align(
    features: Tensor, regions: Tensor, size: int, scale: float, aligned: bool = False, sampling: int = 2
) -> Tensor:
    """Return (N, C, size, size): for each bin of a region the mean of regularly placed, bilinearly read points.

    features : (B, C, h, w). regions : (N, 5), index of the image, then x0, y0, x1, y1 in input pixels. scale : cells
    per input pixel. aligned : cell i stands for i + 0.5; without it for i, and regions have sides of at least a cell.
    sampling : points per bin and side; 0 = as many as the bin has cells, rounded up. A point more than a cell beyond
    the features counts as 0; one nearer takes the value at the border.
    """
    features = features.float()
    start, sides, counts = _laid(regions[:, 1:].float(), size, scale, aligned, sampling)
    # Regions with as many points of the same image are read in one call.
    kinds, kind = torch.cat([regions[:, :1].float(), counts], dim=1).unique(dim=0, return_inverse=True)
    parts: list[Tensor] = []
    places: list[Tensor] = []
    for number, (image, across, down) in enumerate(kinds.long().tolist()):
        for some in (kind == number).nonzero()[:, 0].split(AT_ONCE):
            parts.append(_read(features[image : image + 1], start[some], sides[some], size, across, down))
            places.append(some)
    if not parts:
        return features.new_zeros((0, features.shape[1], size, size))
    return torch.cat(parts)[torch.cat(places).argsort()]


def sample_grid(
    box: Tensor, cells: tuple[int, int], size: int, scale: float, aligned: bool, sampling: int
) -> tuple[Tensor, tuple[int, int]]:
    """Return what `roi_align` reads of one (1, 4) box, whole within features of (rows, columns) `cells`.

    The first is the grid (1, size * down, size * across, 2) for `grid_sample`, the second (across, down): points per
    bin, over which the mean is to be taken.
    """
    start, sides, counts = _laid(box, size, scale, aligned, sampling)
    across, down = (int(count) for count in counts[0].tolist())
    x, _ = _points(start[:, 0], sides[:, 0], size * across, cells[1])
    y, _ = _points(start[:, 1], sides[:, 1], size * down, cells[0])
    shape = (1, size * down, size * across)
    return torch.stack([x[:, None, :].expand(shape), y[:, :, None].expand(shape)], dim=-1), (across, down)


def _laid(boxes: Tensor, size: int, scale: float, aligned: bool, sampling: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return start and sides (N, 2) of boxes in cells, and how many points (across, down) a bin of each has."""
    corners = boxes * scale - (0.5 if aligned else 0.0)
    start, sides = corners[:, :2], corners[:, 2:] - corners[:, :2]
    if not aligned:
        sides = sides.clamp(min=1.0)
    counts = torch.full_like(sides, sampling) if sampling > 0 else (sides / size).ceil().clamp(min=1)
    return start, sides, counts


def _read(feature: Tensor, start: Tensor, sides: Tensor, size: int, across: int, down: int) -> Tensor:
    """Return (n, C, size, size) of regions that have `across` x `down` points in each bin."""
    height, width = feature.shape[2:]
    x, inside_x = _points(start[:, 0], sides[:, 0], size * across, width)
    y, inside_y = _points(start[:, 1], sides[:, 1], size * down, height)
    shape = (len(start), size * down, size * across)
    grid = torch.stack([x[:, None, :].expand(shape), y[:, :, None].expand(shape)], dim=-1)
    read = functional.grid_sample(
        feature, grid.reshape(1, -1, shape[2], 2), mode="bilinear", padding_mode="border", align_corners=False
    )
    inside = inside_y[:, :, None] & inside_x[:, None, :]
    read = read.reshape(-1, *shape) * inside
    return read.reshape(-1, shape[0], size, down, size, across).mean(dim=(3, 5)).transpose(0, 1)


def _points(start: Tensor, side: Tensor, count: int, cells: int) -> tuple[Tensor, Tensor]:
    """Return (n, count) places along one axis as `grid_sample` wants them, and whether each is near enough."""
    steps = (torch.arange(count, device=start.device) + 0.5) / count
    places = start[:, None] + steps * side[:, None]
    # Without corners aligned, -1 and 1 are the outer edges of the outermost cells.
    return (2 * places + 1) / cells - 1, (places >= -1) & (places <= cells)
