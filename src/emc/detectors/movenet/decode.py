"""From the heads of the multi-person network to boxes and rough poses, after its published graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from emc.networks.movenet import STRIDE

WINDOW = 5
"""Cells: a centre is the highest of so many in each direction."""
SPREAD = 0.3
"""Times the grid's shorter side: squared cells over which a heatmap counts around where the centre expects a joint."""
MOST = 50


@dataclass(frozen=True, slots=True)
class PoseGuess:
    """A rough pose: xy (17, 2) pixels of the frame, score (17,) in [0, 1]; COCO-17."""

    xy: np.ndarray
    score: np.ndarray


@dataclass(frozen=True, slots=True)
class Centres:
    """Persons of one image, best first.

    corners : (N, 4) x0 y0 x1 y1 in input pixels, whole numbers at pixel centres. score : (N,). cell : (N, 2) row,
    column.
    """

    corners: np.ndarray
    score: np.ndarray
    cell: Tensor


def read_centres(heads: Mapping[str, Tensor], image: int, least: float) -> Centres:
    """Return the persons whose centre's score is at least `least` on image number `image` of a batch of heads."""
    score = heads["center"][image : image + 1].sigmoid()
    peak = (functional.max_pool2d(score, WINDOW, stride=1, padding=WINDOW // 2) == score) & (score >= least)
    rows, columns = torch.nonzero(peak[0, 0], as_tuple=True)
    values = score[0, 0, rows, columns]
    best = values.argsort(descending=True, stable=True)[:MOST]
    cell = torch.stack([rows[best], columns[best]], dim=1)
    # Sizes and offsets are height before width, in cells.
    size = heads["box_scale"][image][:, cell[:, 0], cell[:, 1]].clamp(min=0).T
    middle = cell + heads["box_offset"][image][:, cell[:, 0], cell[:, 1]].T
    # The graph's pixels lie between edges: its pixel 0 is half a pixel before our first pixel's centre.
    low, high = (middle - size / 2) * STRIDE - 0.5, (middle + size / 2) * STRIDE - 0.5
    corners = torch.cat([low.flip(1), high.flip(1)], dim=1)
    return Centres(corners.double().cpu().numpy(), values[best].double().cpu().numpy(), cell)


def read_poses(heads: Mapping[str, Tensor], image: int, centres: Centres) -> tuple[np.ndarray, np.ndarray]:
    """Return the rough poses of `centres`: places (N, 17, 2) x, y in input pixels, scores (N, 17).

    Each heatmap counts inside of the person's box, the more the nearer to where the centre expects the joint.
    """
    heat = heads["kpt_heatmap"][image].sigmoid()
    joints, height, width = heat.shape
    count = len(centres.score)
    row, column = centres.cell[:, 0], centres.cell[:, 1]
    step = heads["kpt_regress"][image].unflatten(0, (joints, 2))[:, :, row, column].permute(2, 0, 1)
    place = centres.cell[:, None].float() + step
    rows = torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)
    columns = torch.arange(width, dtype=torch.float32)[None].expand(height, width)
    away = (rows - place[..., 0, None, None]) ** 2 + (columns - place[..., 1, None, None]) ** 2
    x0, y0, x1, y1 = (torch.from_numpy(centres.corners).float() + 0.5).div(STRIDE).T[:, :, None, None]
    inside = (rows >= y0) & (rows < y1) & (columns >= x0) & (columns < x1)
    weighted = heat * torch.exp(-away / (SPREAD * min(height, width))) * inside[:, None]
    best = weighted.flatten(2).max(dim=2)
    cell = torch.stack([best.indices // width, best.indices % width], dim=-1)
    offset = heads["kpt_offset"][image].unflatten(0, (joints, 2)).flatten(2)
    index = best.indices.T[:, None].expand(joints, 2, count)
    found = (cell + offset.gather(2, index).permute(2, 0, 1)) * STRIDE - 0.5
    return found.flip(-1).double().cpu().numpy(), best.values.double().cpu().numpy()
