"""From maps to places: the reference decoding of the published graphs, and a softer one for people who are alone.

A cell stands for four pixels of the crop. Cell c with offset o is the share (c + o) / G of the crop's side, which is
measured between the centres of its outermost pixels: mirrored crops then give mirrored places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emc.estimators.movenet.network import Maps
from emc.networks.movenet import STRIDE
from emc.pose.geometry import box_overlap, box_to_square

REFERENCE = 1.7998046875
"""Cells: the published graphs divide by distance + 1.8, kept in half precision."""
SOFT = 4 * REFERENCE
"""Far from where the centre says a joint is, its heatmap still counts: better for people who are alone in the crop."""
FEATURES = ("peak", "second_peak", "regression_distance", "centre")
NEIGHBOURHOOD = 4
"""Cells around a peak that belong to it."""
SAME = 0.6
"""Boxes that overlap by so much (IoU) are two boxes of one person."""
SHARE = 0.01
"""Share of a crop's area that another person's box must fill to count."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is read off a batch: places (B, J, 2) x, y in crop pixels, score (B, J), features (B, J, 4)."""

    xy: Tensor
    score: Tensor
    features: Tensor


def crowded(boxes: np.ndarray, padding: float) -> np.ndarray:
    """Return (N,) bool: whether another person is in the crop of each of (N, 4) xywh boxes of one picture.

    padding : factor on a box's longer side that gives its crop.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    square = box_to_square(boxes, padding)
    low, high = square[:, :2] - square[:, 2:] / 2, square[:, :2] + square[:, 2:] / 2
    first = np.maximum(low[:, None], boxes[None, :, :2])
    last = np.minimum(high[:, None], (boxes[:, :2] + boxes[:, 2:])[None])
    filled = np.maximum(last - first, 0).prod(axis=-1) / square[:, 2:] ** 2
    # A second box of the same person is no crowd: read by the reference decoding, people who are alone would lose
    # joints far from where the centre expects them.
    other = (box_overlap(boxes, boxes) < SAME) & ~np.eye(len(boxes), dtype=bool)
    return (other & (filled >= SHARE)).any(axis=1)


def centre_cells(maps: Maps) -> Tensor:
    """Return the (B,) cell, counted row by row, of the person nearest to the crop's middle."""
    side = maps.center.shape[-1]
    rows, columns = _grid(side, maps.center.device)
    # As stored in the published graphs: half precision decides between cells that are nearly equal.
    near = (1 / (_length(rows - side / 2, columns - side / 2) + 1.8)).half().float()
    return (maps.center.sigmoid() * near).flatten(1).argmax(dim=1)


def joint_cells(maps: Maps, cells: Tensor, pull: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (B, J) cell of each joint and the (B, J, 2) y, x in cells that the centre's cell points to.

    cells : (B,) of `centre_cells`. pull : (B,) cells, see `REFERENCE` and `SOFT`.
    """
    side = maps.heat.shape[-1]
    rows, columns = _grid(side, maps.heat.device)
    index = cells[:, None, None, None].expand(-1, maps.heat.shape[1], 2, 1)
    step = maps.regress.flatten(3).gather(3, index)[..., 0]
    place = torch.stack([cells // side, cells % side], dim=-1)[:, None].float() + step
    away = _length(rows - place[..., 0, None, None], columns - place[..., 1, None, None])
    weighted = maps.heat.sigmoid() / (away + pull[:, None, None, None])
    return weighted.flatten(2).argmax(dim=2), place


def read_places(maps: Maps, pull: Tensor) -> Found:
    """Read places off maps; pull : (B,) cells, `REFERENCE` or `SOFT` for each crop."""
    side = maps.heat.shape[-1]
    centre = centre_cells(maps)
    peak, place = joint_cells(maps, centre, pull)
    cell = torch.stack([peak // side, peak % side], dim=-1)
    offset = maps.offset.flatten(3).gather(3, peak[:, :, None, None].expand(-1, -1, 2, 1))[..., 0]
    chance = maps.heat.sigmoid().flatten(2)
    score = chance.gather(2, peak[..., None])[..., 0]
    apart = _length(*(cell - place).unbind(-1)) / side
    sure = maps.center.sigmoid().flatten(1).gather(1, centre[:, None]).expand_as(score)
    second = chance.masked_fill(_near(cell, side), 0.0).amax(dim=2)
    features = torch.stack([score, second, apart, sure], dim=-1)
    return Found(((cell + offset) * cell_pixels(side)).flip(-1), score, features)


def cell_pixels(grid: int) -> float:
    """Return how many pixels of a crop, between pixel centres, a cell of its grid of `grid` cells stands for."""
    return (grid * STRIDE - 1) / grid


def _length(rows: Tensor, columns: Tensor) -> Tensor:
    """Return the distance; not `torch.hypot`, which the ONNX exporter does not know."""
    return (rows**2 + columns**2).sqrt()


def _near(cell: Tensor, side: int) -> Tensor:
    """Return (B, J, side ** 2) bool: the cells of each peak's neighbourhood."""
    axis = torch.arange(side, device=cell.device)
    row, column = ((axis - cell[..., i, None]).abs() <= NEIGHBOURHOOD for i in (0, 1))
    return (row[..., :, None] & column[..., None, :]).flatten(2)


def _grid(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    axis = torch.arange(side, device=device, dtype=torch.float32)
    return axis[:, None].expand(side, side), axis[None].expand(side, side)
