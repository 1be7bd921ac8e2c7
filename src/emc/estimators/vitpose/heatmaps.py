"""Heatmaps of ViTPose: places to targets, heatmaps to sub-pixel places and confidence signals, batched.

Cell 0 of a heatmap stands for the centre of the crop's first pixel, its last cell for the centre of the last pixel
("unbiased data processing", Huang et al., CVPR 2020). The refinement is "DARK" (Zhang et al., CVPR 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emc.estimators.heatmap_patches import patches, reflected, repeat_edge

FEATURES = ("peak", "second_peak", "offset", "mirror_distance")
# A target's spread in cells, as a share of the heatmap's height: 2 cells of 64, as published.
SIGMA_SHARE = 1 / 32
BLUR_SIGMA = 0.8
BLUR_RADIUS = 5
# Values between which the logarithm is taken; their published bounds.
LEAST, MOST = 0.001, 50.0
# A refinement that leaves the neighbourhood of its peak found no top there.
FAR = 2.0
# Other people's joints and doubles lie farther from a peak than this many cells.
NEAR = 5


@dataclass(frozen=True, slots=True)
class Decoded:
    """What heatmaps say: all float32, `cells` in cells of the heatmap (x, y), NaN where no value is above 0.

    cells : (B, J, 2). score : (B, J), the highest value. offset : (B, J), cells from the highest cell to the place.
    """

    cells: np.ndarray
    score: np.ndarray
    offset: np.ndarray


def encode(
    xy: np.ndarray,
    weight: np.ndarray,
    size: tuple[int, int],
    grid: tuple[int, int],
    spread: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Turn places into targets: bumps of height 1 around the exact place, cut off at three spreads.

    xy : (B, J, 2) pixels of the crop, NaN where missing. weight : (B, J), 0 = not labelled. size, grid : (height,
    width) of crop and heatmap. spread : (B, J) factors on the width of the bumps. Returns targets (B, J, h, w) float32
    and weights (B, J) float32: those given, but 0 where the bump lies wholly outside (such a map is empty and counts
    nowhere).
    """
    sigma = grid[0] * SIGMA_SHARE * (np.ones(weight.shape) if spread is None else np.asarray(spread, np.float64))
    step = np.array([(size[1] - 1) / (grid[1] - 1), (size[0] - 1) / (grid[0] - 1)])
    cells = np.asarray(xy, dtype=np.float64) / step
    known = np.isfinite(cells).all(axis=-1) & (np.asarray(weight) > 0)
    cells = np.where(known[..., None], cells, 0.0)
    # The bump is cut off around the nearest cell, its values are of the exact place, as published: cut off around the
    # place, the outermost row would come and go with a hundredth of a pixel.
    centre = np.floor(cells + 0.5)
    reach = np.ceil(3 * sigma)[..., None]
    known &= ((centre - reach < np.array(grid[::-1])) & (centre + reach + 1 > 0)).all(axis=-1)
    profiles = [
        _profile(cells[..., axis], centre[..., axis], grid[1 - axis], sigma[..., None], reach) for axis in (0, 1)
    ]
    target = profiles[1][..., :, None] * profiles[0][..., None, :]
    # An empty map with weight 0, and not the bump of cell 0 that the stand-in place gives: a teacher's maps may be
    # mixed in.
    target[~known] = 0.0
    return target.astype(np.float32), np.where(known, weight, 0.0).astype(np.float32)


def _profile(cells: np.ndarray, centre: np.ndarray, length: int, sigma: np.ndarray, reach: np.ndarray) -> np.ndarray:
    axis = np.arange(length)
    near = np.abs(axis - centre[..., None]) <= reach
    return np.exp(-((axis - cells[..., None]) ** 2) / (2 * sigma**2)) * near


def squared_error(heatmaps: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the mean over all cells of the weighted squared error: the official loss, where weights are 0 or 1.

    heatmaps, target : (B, J, h, w). weight : (B, J), 0 masks a joint (which still counts in the mean).
    """
    return (joint_errors(heatmaps, target) * weight).mean()


def joint_errors(heatmaps: Tensor, target: Tensor) -> Tensor:
    """Return the (B, J) mean squared errors of (B, J, h, w) heatmaps."""
    return (heatmaps.float() - target).square().mean(dim=(-2, -1))


def with_teacher_targets(
    batch: Mapping[str, Any], teacher: nn.Module, common: Tensor, distil: float, fill: float
) -> Mapping[str, Any]:
    """Return a batch (``image``, ``target``, ``weight``) with a teacher's heatmaps in its targets.

    teacher : (B, 3, H, W) -> (B, J, h, w). common : (B,) bool. On common rows a labelled joint's target becomes
    (1 - distil) x label + distil x teacher, and one without a label the teacher's, with weight `distil`; on the other
    rows one without a label becomes the teacher's, with weight `fill`.
    """
    weight: Tensor = batch["weight"]
    labelled = weight > 0
    share = torch.where(common, distil, 0.0)[:, None].expand_as(weight)
    own = torch.where(common, distil, fill)[:, None].expand_as(weight)
    used = torch.where(labelled, share, (own > 0).to(share.dtype))
    rows = (used > 0).any(dim=1)
    if not bool(rows.any()):
        return batch
    target = batch["target"].clone()
    seen = teacher(batch["image"][rows].to(next(teacher.parameters()).device)).detach().float()
    target[rows] = torch.lerp(target[rows], seen.to(target.device), used[rows][..., None, None])
    return {**batch, "target": target, "weight": torch.where(labelled, weight, own)}


def flipped_back(heatmaps: Tensor, mirror: tuple[int, ...]) -> Tensor:
    """Return the heatmaps of mirrored crops as those of the crops: left joints come from where right ones were."""
    return heatmaps.flip(-1)[:, list(mirror)]


def decode(heatmaps: Tensor) -> Decoded:
    """Read places off (B, J, h, w) heatmaps: the highest cell, refined on the logarithm of the smoothed map.

    Equal to transformers' ``VitPoseImageProcessor`` (kernel 11) wherever a map has a value above 0; each step keeps
    its rounding to float32, since a map without a clear top magnifies the last bit. Only the 13 x 13 cells around each
    peak are ever smoothed.
    """
    maps = heatmaps.detach().float().cpu().numpy()
    batch, joints, height, width = maps.shape
    flat = maps.reshape(batch * joints, height * width)
    row, column = np.divmod(highest(flat), width)
    score = flat[np.arange(len(flat)), row * width + column]
    step = _newton_step(_around_peaks(flat.reshape(-1, height, width), row, column))
    cells = np.stack([column, row], axis=-1).astype(np.float32)
    refined = (cells - step).astype(np.float32)
    # A map without a value above 0 has its highest cell anywhere: that is no place.
    refined[score <= 0] = np.nan
    offset = np.nan_to_num(np.hypot(*(refined - cells).T))
    return Decoded(
        refined.reshape(batch, joints, 2),
        score.reshape(batch, joints),
        offset.reshape(batch, joints).astype(np.float32),
    )


def highest(flat: np.ndarray) -> np.ndarray:
    """Return the index of the largest value of each row of (N, C), the first where several are equal.

    numpy's search is ten times as fast as torch's on a processor.
    """
    return flat.argmax(axis=-1)


def _around_peaks(maps: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return the logarithm of the smoothed (N, 3, 3) cells around each peak of (N, h, w) maps."""
    height, width = maps.shape[1:]
    reach = np.arange(-BLUR_RADIUS - 1, BLUR_RADIUS + 2)
    patch = patches(maps, reflected(row[:, None] + reach, height), reflected(column[:, None] + reach, width))
    kernel = np.exp(-0.5 / BLUR_SIGMA**2 * reach[1:-1] ** 2)
    kernel /= kernel.sum()
    blur = np.stack([np.pad(kernel, (i, 2 - i)) for i in range(3)])
    down = (blur @ patch.astype(np.float64)).astype(np.float32)
    # Rounded to float32 between the two passes, as transformers' filter does: without it refined places differ in the
    # last digits, and where a map is flat in the first.
    near = (down.astype(np.float64) @ blur.T).astype(np.float32)
    repeat_edge(near, row, column, (height, width))
    return np.log(np.clip(near, LEAST, MOST))


def _newton_step(near: np.ndarray) -> np.ndarray:
    """Return the (N, 2) step (x, y) that leads away from the stationary point of the parabola through (N, 3, 3)."""
    middle, left, right = near[:, 1, 1], near[:, 1, 0], near[:, 1, 2]
    up, down = near[:, 0, 1], near[:, 2, 1]
    gx, gy = 0.5 * (right - left), 0.5 * (down - up)
    # Added to both second derivatives, as published; only where the top is flat does it decide anything.
    eps = float(np.finfo(np.float32).eps)
    hxx = (right - 2 * middle + left).astype(np.float64) + eps
    hyy = (down - 2 * middle + up).astype(np.float64) + eps
    mixed = near[:, 2, 2] - right - down + middle + middle - left - up + near[:, 0, 0]
    hxy = (0.5 * mixed).astype(np.float64)
    determinant = hxx * hyy - hxy * hxy
    # Infinity gives a step of 0: a map without curvature keeps its highest cell instead of becoming NaN.
    determinant = np.where(determinant == 0, np.inf, determinant)
    return np.stack([(hyy * gx - hxy * gy) / determinant, (hxx * gy - hxy * gx) / determinant], axis=-1)


def to_image(cells: np.ndarray, around: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Take (N, J, 2) cells to pixels of the image by the (N, 4) windows of the crops; float32, NaN stays NaN."""
    extent = around[:, None, 2:]
    share = cells.astype(np.float64) / (np.array(grid[::-1]) - 1)
    return (around[:, None, :2] - extent / 2 + share * extent).astype(np.float32)


def confidence(decoded: Decoded) -> np.ndarray:
    """Return the peak as a (B, J) confidence in [0, 1]: 0 where no place was found, or none near the peak."""
    # A step that leaves the peak's neighbourhood comes from a saddle or a plateau: the place may be anywhere in the
    # crop, however high the peak.
    trusted = np.isfinite(decoded.cells).all(axis=-1) & (decoded.offset <= FAR)
    return np.where(trusted, np.clip(decoded.score, 0.0, 1.0), 0.0).astype(np.float32)


def signals(heatmaps: Tensor, decoded: Decoded, mirrored: Tensor | None) -> np.ndarray:
    """Return (B, J, F) float32 signs of doubt, named by `FEATURES`.

    heatmaps : (B, J, h, w) that `decoded` was read off. mirrored : the second reading, turned back, or None (the
    distance between the two readings' highest cells, as a share of the width, is then 0).
    """
    batch, joints, _, width = heatmaps.shape
    maps = heatmaps.detach().float().cpu()
    row, column = np.divmod(highest(maps.flatten(2).numpy()), width)
    second = _beside_peak(maps, row, column)
    apart = np.zeros((batch, joints))
    if mirrored is not None:
        other = np.divmod(highest(mirrored.detach().float().cpu().flatten(2).numpy()), width)
        apart = np.hypot(row - other[0], column - other[1]) / width
    return np.stack([decoded.score, second, decoded.offset, apart], axis=-1).astype(np.float32)


def _beside_peak(maps: Tensor, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return the (B, J) largest value, at least 0, more than `NEAR` rows or columns away from the peak."""
    near_row = np.abs(np.arange(maps.shape[2]) - row[..., None]) <= NEAR
    near_column = np.abs(np.arange(maps.shape[3]) - column[..., None]) <= NEAR
    hidden = torch.from_numpy(near_row[..., :, None] & near_column[..., None, :])
    return maps.masked_fill(hidden, 0.0).flatten(2).amax(dim=-1).clamp(min=0.0).numpy()
