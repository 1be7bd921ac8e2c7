"""From heatmaps of regions to joints and back: decoding, confidence, training targets and loss.

A region's map has 56 x 56 logits whose softmax says where in the box the joint is. Frame: pixels of the network's
input, edges of pixels at whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = ("logit", "softmax", "second", "entropy")
"""Signals for calibrating the confidence, by column of `Decoded.features`."""
NEAR = 3
"""Cells around the peak that count as the same place: one twentieth of the box, about half a head."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a network says of N regions.

    xy : (N, J, 2) input pixels. logit : (N, J) height of the peak, any number: torchvision's score. softmax : (N, J)
    the peak's share of the map, which may exceed 1 a little: Detectron2's score. confidence : (N, J) in [0, 1], the
    probability within `NEAR` cells of the peak. features : (N, J, 4), see `FEATURES`. All float32.
    """

    xy: np.ndarray
    logit: np.ndarray
    softmax: np.ndarray
    confidence: np.ndarray
    features: np.ndarray


def decode(maps: Tensor, boxes: Tensor) -> Decoded:
    """Read joints off (N, J, 56, 56) logits of (N, 4) boxes, as torchvision and Detectron2 both do.

    Each map is enlarged to its box (bicubic, whole pixels rounded up); the joint is in the middle of the highest pixel.
    """
    xy = maps.new_zeros((*maps.shape[:2], 2))
    logit = maps.new_zeros(maps.shape[:2])
    corners = boxes[:, :2]
    sides = (boxes[:, 2:] - corners).clamp(min=1.0)
    for row, (own, corner, side) in enumerate(zip(maps, corners, sides, strict=True)):
        width, height = (int(length) for length in side.ceil().tolist())
        large = functional.interpolate(own[None], size=(height, width), mode="bicubic", align_corners=False)[0]
        logit[row], place = large.flatten(1).max(dim=1)
        whole = torch.stack([place % width, place // width], dim=1)
        xy[row] = corner + (whole + 0.5) * (side / side.ceil())
    return _told(maps, xy, logit, corners, sides)


def _told(maps: Tensor, xy: Tensor, logit: Tensor, corners: Tensor, sides: Tensor) -> Decoded:
    flat = maps.flatten(2)
    log_total = flat.logsumexp(dim=-1)
    shares = (flat - log_total[..., None]).exp()
    cells = ((xy - corners[:, None]) / sides[:, None] * maps.shape[-1]).long().clamp(0, maps.shape[-1] - 1)
    near = near_cells(cells, maps.shape[-1]).flatten(2)
    confidence = (shares * near).sum(dim=-1).clamp(0, 1)
    softmax = (logit - log_total).exp()
    second = (shares * ~near).amax(dim=-1)
    entropy = -(shares * shares.clamp(min=1e-12).log()).sum(dim=-1) / np.log(flat.shape[-1])
    features = torch.stack([logit, softmax, second, entropy], dim=-1)
    told = (value.float().cpu().numpy() for value in (xy, logit, softmax, confidence, features))
    return Decoded(*told)


def near_cells(cells: Tensor, count: int) -> Tensor:
    """Return (N, J, count, count) bool: the cells within `NEAR` of (N, J, 2) cells, along each axis."""
    steps = torch.arange(count, device=cells.device)
    x = (steps - cells[..., :1]).abs() <= NEAR
    y = (steps - cells[..., 1:]).abs() <= NEAR
    return y[..., :, None] & x[..., None, :]


def encode(xy: Tensor, weight: Tensor, boxes: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Return targets (N, J, cells, cells), one cell of 1 each, and weights (N, J), 0 where a joint is not in its box.

    xy : (N, J, 2) input pixels, NaN where unknown. boxes : (N, 4). A joint on the box's far edge is in its last cell.
    """
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
    scaled = (xy - boxes[:, None, :2]) / sides * cells
    inside = ((scaled >= 0) & (scaled <= cells)).all(dim=-1)
    place = torch.nan_to_num(scaled).floor().long().clamp(0, cells - 1)
    index = place[..., 1] * cells + place[..., 0]
    target = functional.one_hot(index, cells * cells).to(torch.float32) * inside[..., None]
    return target.unflatten(-1, (cells, cells)), weight * inside


def cross_entropy(maps: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the mean over weighted joints of the cross entropy between target and spatial softmax, in nats.

    maps, target : (N, J, h, w). weight : (N, J). The loss of both training codes, where all weights are 1; 0, with
    gradients of 0, where there is none.
    """
    log_share = functional.log_softmax(maps.float().flatten(2), dim=-1)
    entropy = -(target.flatten(2) * log_share).sum(dim=-1)
    return (entropy * weight).sum() / weight.sum().clamp(min=1.0)


def with_teacher_targets(
    batch: Mapping[str, Any], teacher: nn.Module, common: Tensor, distil: float, fill: float
) -> Mapping[str, Any]:
    """Return a batch of `KeypointRcnnEstimator.collate` with a teacher's maps in its targets; see `Teachable.taught`.

    A joint outside its box stays without a target: no map could hold it.
    """
    weight: Tensor = batch["weight"]
    labelled = weight > 0
    copies = weight.shape[0] // len(common)
    ours = common.repeat_interleave(copies)
    share = torch.where(ours, distil, 0.0)[:, None].expand_as(weight)
    own = torch.where(ours, distil, fill)[:, None].expand_as(weight)
    own = torch.where(batch["labelled"], 0.0, own)
    if not bool(((labelled & (share > 0)) | (~labelled & (own > 0))).any()):
        return batch
    device = next(teacher.parameters()).device
    seen = teacher(batch["image"].to(device), batch["regions"].to(device)).detach().float().cpu()
    guess = functional.softmax(seen.flatten(2), dim=-1).view_as(batch["maps"])
    mixed = torch.where(labelled, share, 1.0)[..., None, None]
    target = torch.lerp(batch["maps"], guess, mixed)
    return {**batch, "maps": target, "weight": torch.where(labelled, weight, own)}
