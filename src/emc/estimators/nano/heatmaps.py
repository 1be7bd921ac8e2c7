"""Heatmaps of the `nano` estimator: places to soft targets, logits to sub-pixel places and confidence signals.

A cell of the grid stands for a point of the crop: cell 0 for the centre of its first pixel, the last cell for the
centre of its last ("unbiased data processing", Huang et al., CVPR 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from emc.estimators.nano.network import GRID_SIZE, INPUT_SIZE

CELL = (INPUT_SIZE - 1) / (GRID_SIZE - 1)
SIGMA = 1.25
FEATURES = ("peak", "second_peak", "entropy", "mirror_distance")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Places in crop pixels (B, J, 2), probability mass around the peak (B, J), signals (B, J, F); all float32.

    The last signal is 0 where there was one reading alone.
    """

    xy: np.ndarray
    peak: np.ndarray
    features: np.ndarray


def encode(xy: np.ndarray, visible: np.ndarray, spread: np.ndarray | None = None) -> tuple[Tensor, Tensor]:
    """Turn places into soft targets.

    xy : (B, J, 2) crop pixels, NaN where missing. visible : (B, J), 0 = not labelled. spread : (B, J) factors on the
    width of the Gaussians. Returns targets
    (B, J, 32, 32) float32, each map a Gaussian that sums to 1, and weights (B, J): 1 where the joint is labelled and
    lies in the crop, else 0 (its map is then uniform and counts nowhere).
    """
    cells = np.asarray(xy, dtype=np.float64) / CELL
    with np.errstate(invalid="ignore"):
        # Half a cell beyond the outermost centres: a joint there still has its highest value in the grid.
        inside = ((cells >= -0.5) & (cells <= GRID_SIZE - 0.5)).all(axis=-1)
    known = inside & (np.asarray(visible) > 0)
    cells = np.where(known[..., None], cells, 0.0)
    axis = np.arange(GRID_SIZE)
    width = 2 * SIGMA**2 if spread is None else 2 * (SIGMA * np.asarray(spread, np.float64)[..., None, None]) ** 2
    profile = np.exp(-((axis - cells[..., None]) ** 2) / width)
    profile /= profile.sum(axis=-1, keepdims=True)
    target = np.empty((*profile.shape[:-2], GRID_SIZE, GRID_SIZE), np.float32)
    # Multiplied in double precision, kept in single: the whole product in double would go through memory twice.
    np.multiply(profile[..., 1, :, None], profile[..., 0, None, :], out=target, dtype=np.float64, casting="same_kind")
    target[~known] = 1.0 / GRID_SIZE**2
    return torch.from_numpy(target), torch.from_numpy(known.astype(np.float32))


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the mean over weighted joints of the cross entropy between soft target and spatial softmax.

    logits, target : (B, J, H, W). weight : (B, J), 0 masks a joint. With no weight at all the loss is 0.
    """
    return (joint_entropies(logits, target) * weight).sum() / weight.sum().clamp(min=1.0)


def joint_entropies(logits: Tensor, target: Tensor) -> Tensor:
    """Return the (B, J) cross entropies between soft targets and spatial softmax; logits, target : (B, J, H, W)."""
    log_share = functional.log_softmax(logits.float().flatten(2), dim=-1)
    return -(target.flatten(2) * log_share).sum(dim=-1)


def decode(logits: Tensor) -> Decoded:
    """Read places off (B, J, H, W) logits.

    The highest cell, refined by one Newton step on the log-probabilities: exact for a Gaussian map ("DARK", Zhang et
    al., CVPR 2020). `peak` is the probability within two cells of it.
    """
    batch, joints, height, width = logits.shape
    logits = logits.detach().float()
    share = functional.softmax(logits.flatten(2), dim=-1)
    best = share.argmax(dim=-1)
    row, column = best // width, best % width
    offset = newton_step(logits, row, column)
    xy = (torch.stack([column, row], dim=-1).float() + offset) * CELL
    near = neighbourhood(row, column, height, width)
    peak = (share * near).sum(dim=-1)
    # Mass in windows of 5 x 5, as `peak` is: a second place of the same joint is spread over some cells, none of which
    # is high by itself.
    second = functional.avg_pool2d((share * ~near).view(batch, joints, height, width), 5, 1, 2) * 25
    # By the logarithm of the number of cells, so that a uniform map has 1 whatever the grid's size; a fitted confidence
    # then holds for both.
    entropy = -(share * share.clamp(min=1e-12).log()).sum(dim=-1) / float(np.log(height * width))
    nowhere = torch.zeros_like(peak)
    features = torch.stack([peak, second.flatten(2).amax(dim=-1), entropy, nowhere], dim=-1)
    return Decoded(xy.numpy(), peak.clamp(0.0, 1.0).numpy(), features.numpy())


def decode_both(logits: Tensor, mirrored: Tensor) -> Decoded:
    """Read places off the mean of two readings of the same crop, the second from its mirror image, turned back.

    The signal ``mirror_distance`` is how far apart their highest cells are, as a share of the crop's side: a joint on
    which a network contradicts itself is seldom right.
    """
    found = decode((logits.float() + mirrored.float()) / 2)
    width = logits.shape[-1]
    first, second = logits.flatten(2).argmax(dim=-1), mirrored.flatten(2).argmax(dim=-1)
    apart = torch.hypot((first // width - second // width).float(), (first % width - second % width).float())
    found.features[..., FEATURES.index("mirror_distance")] = (apart / width).numpy()
    return found


def newton_step(logits: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Return the (B, J, 2) offset in cells from the highest cell to the top of the parabola through it."""
    padded = functional.pad(logits, (1, 1, 1, 1), mode="replicate")
    batch = torch.arange(logits.shape[0])[:, None]
    joint = torch.arange(logits.shape[1])[None]

    def at(dy: int, dx: int) -> Tensor:
        return padded[batch, joint, row + 1 + dy, column + 1 + dx]

    middle = at(0, 0)
    gx, gy = (at(0, 1) - at(0, -1)) / 2, (at(1, 0) - at(-1, 0)) / 2
    # Below 0 by force: on a flat or saddle-shaped top the step would otherwise run away or turn its direction.
    hxx = (at(0, 1) + at(0, -1) - 2 * middle).clamp(max=-1e-4)
    hyy = (at(1, 0) + at(-1, 0) - 2 * middle).clamp(max=-1e-4)
    # Each axis on its own: a cross term of a noisy map can point away from the top, and the axes never do.
    return torch.stack([-gx / hxx, -gy / hyy], dim=-1).clamp(-0.5, 0.5)


def neighbourhood(row: Tensor, column: Tensor, height: int, width: int) -> Tensor:
    """Return (B, J, H * W): whether a cell is within two rows and two columns of the highest."""
    rows, columns = torch.arange(height), torch.arange(width)
    near_row = (rows - row[..., None]).abs() <= 2
    near_column = (columns - column[..., None]).abs() <= 2
    return (near_row[..., :, None] & near_column[..., None, :]).flatten(2)


def map_confidence(peak: np.ndarray, table: Mapping[str, Any] | None) -> np.ndarray:
    """Map (B, J) peaks to P(joint is right) by linear interpolation in a table; without one, return the peaks.

    table : ``{"peak": K rising knots, "right": J rows of K rising shares}``.
    """
    if not table:
        return peak.astype(np.float32)
    knots = np.asarray(table["peak"], dtype=np.float64)
    rows = [np.interp(peak[:, j], knots, np.asarray(row)) for j, row in enumerate(table["right"])]
    return np.clip(np.stack(rows, axis=1), 0.0, 1.0).astype(np.float32)
