"""Labelled persons to batches, what a step makes small, and what a teacher adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from emc.estimators.augmentation import (
    Augmentation,
    augmented_affine,
    change_look,
    label_spread,
    label_weight,
    sample_places,
)
from emc.estimators.movenet.decode import SOFT, cell_pixels, centre_cells, joint_cells
from emc.estimators.movenet.network import Maps, split
from emc.estimators.square_crops import cut, square_affine
from emc.networks.movenet import STRIDE, to_input
from emc.pose.geometry import box_to_square, transform
from emc.pose.records import Sample

PADDING = 1.25
BORDER = 0.0
SIGMA = 1.2
"""Cells: width of a target's bump."""
REGRESSION_SHARE, OFFSET_SHARE = 0.1, 0.5
REACH = 1
"""Cells around the centre's and the joint's cell at which regression and offset are taught."""


def training_batch(
    samples: Sequence[Sample],
    side: int,
    flip: Sequence[int],
    augmentation: Augmentation | None,
    rng: np.random.Generator | None,
) -> dict[str, Tensor]:
    """Return ``image``, ``target``, ``place`` and ``weight`` of samples, see `MoveNetEstimator`.

    flip : each joint's mirror joint. augmentation, rng : how crops are changed, and by which draws; without them they
    are cut as for a prediction. Raises `ShapeMismatch` where a sample has another number of joints.
    """
    crops: list[Tensor] = []
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for sample in samples:
        places = sample_places(sample, len(flip))
        affine, mirrored = _affine(sample.box, side, augmentation, rng)
        levels = torch.from_numpy(cut(sample.image, affine, side, BORDER)).permute(2, 0, 1).float().contiguous()
        if augmentation is not None and rng is not None:
            change_look(levels, rng, augmentation)
        crops.append(levels)
        order = list(flip) if mirrored else slice(None)
        xy, weight, spread = transform(places, affine), label_weight(sample), label_spread(sample)
        rows.append((xy[order], weight[order], spread[order]))
    xy, weight, spread = (np.stack(part) for part in zip(*rows, strict=True))
    target, cells, known = encode(xy, weight > 0, spread, side // STRIDE)
    image = to_input(torch.stack(crops))
    return {"image": image, "target": target, "place": cells, "weight": known * torch.from_numpy(weight)}


def _affine(
    box: np.ndarray, side: int, augmentation: Augmentation | None, rng: np.random.Generator | None
) -> tuple[np.ndarray, bool]:
    if augmentation is None or rng is None:
        return square_affine(box, side, PADDING), False
    x, y, length = box_to_square(box, PADDING)
    return augmented_affine(np.array([x, y, length, length]), (side, side), rng, augmentation)


def encode(xy: np.ndarray, visible: np.ndarray, spread: np.ndarray, grid: int) -> tuple[Tensor, Tensor, Tensor]:
    """Turn places into targets.

    xy : (B, J, 2) crop pixels, NaN where missing. visible : (B, J), 0 = not labelled. spread : (B, J) factors on the
    width of the bumps. Returns (B, J, grid, grid) float32 bumps that are 1 at the joint's cell, (B, J, 2) float32 y, x
    in cells, and (B, J) float32: 1 where the joint is labelled and lies in the crop, else 0 (its map is 0).
    """
    cells = np.asarray(xy, dtype=np.float64)[..., ::-1] / cell_pixels(grid)
    with np.errstate(invalid="ignore"):
        known = ((cells >= 0) & (cells < grid)).all(axis=-1) & (np.asarray(visible) > 0)
    cells = np.where(known[..., None], cells, 0.0)
    width = 2 * (SIGMA * np.asarray(spread, dtype=np.float64)) ** 2
    # Around the cell and not around the place: exactly one cell is then 1, by which `focal` knows the joint's cell. The
    # rest is the offset's.
    profile = np.exp(-((np.arange(grid) - np.floor(cells)[..., None]) ** 2) / width[..., None, None])
    bumps = profile[..., 0, :, None] * profile[..., 1, None, :] * known[..., None, None]
    return (
        torch.from_numpy(bumps.astype(np.float32)),
        torch.from_numpy(cells.astype(np.float32)),
        torch.from_numpy(known.astype(np.float32)),
    )


def joint_losses(output: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """Return the (B, J) losses of what a `PoseNetwork` gave for a batch; unlabelled joints have any value.

    Focal on the heatmap (penalty-reduced: Law and Deng, ECCV 2018, as in CenterNet), a tenth of smooth L1 on the
    regression where the network's own decoding takes it, half of smooth L1 on the offset around the joint's cell; with
    a lesson of `with_teacher_targets`, the given share of each joint's loss is how far the network is from its teacher.
    """
    maps = split(output)
    target, place = (batch[name].to(output.device) for name in ("target", "place"))
    with torch.no_grad():
        # Where the network's own decoding starts, not where the true centre is: a vector taught at another cell would
        # never be read.
        centre = centre_cells(maps)
    losses = focal(maps.heat, target)
    losses = losses + REGRESSION_SHARE * _distance(maps.regress, centre[:, None].expand(place.shape[:2]), place)
    grid = target.shape[-1]
    cell = place.floor().long().clamp(0, grid - 1)
    losses = losses + OFFSET_SHARE * _distance(maps.offset, cell[..., 0] * grid + cell[..., 1], place)
    if "lesson" not in batch:
        return losses
    share = batch["lesson_share"].to(output.device)
    lesson = lesson_losses(maps, split(batch["lesson"].to(output.device)))
    return (1 - share) * losses + share * lesson


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """Return (B, J): the penalty-reduced focal loss of (B, J, G, G) logits against bumps that are 1 at one cell."""
    chance = logits.sigmoid()
    # logsigmoid and not the logarithm of a sigmoid, whose gradient is lost where it underflows: most cells are far
    # below 0.
    hit = -functional.logsigmoid(logits) * (1 - chance) ** 2
    miss = -functional.logsigmoid(-logits) * chance**2 * (1 - target) ** 4
    return torch.where(target == 1, hit, miss).sum(dim=(2, 3))


def lesson_losses(maps: Maps, teacher: Maps) -> Tensor:
    """Return the (B, J) distances of maps from a teacher's: heatmaps by cross entropy, the rest where it decodes."""
    chance = teacher.heat.sigmoid()
    heat = functional.binary_cross_entropy_with_logits(maps.heat, chance, reduction="none")
    # What a teacher that is unsure leaves over is no error: a network equal to it has the loss 0.
    least = functional.binary_cross_entropy_with_logits(teacher.heat, chance, reduction="none")
    losses = (heat - least).sum(dim=(2, 3))
    with torch.no_grad():
        centre = centre_cells(teacher)
        peak, _ = joint_cells(teacher, centre, torch.full_like(centre, SOFT, dtype=torch.float32))
    for share, own, theirs, cells in (
        (REGRESSION_SHARE, maps.regress, teacher.regress, centre[:, None].expand_as(peak)),
        (OFFSET_SHARE, maps.offset, teacher.offset, peak),
    ):
        mine, wanted = around(own, cells)[0], around(theirs, cells)[0]
        losses = losses + share * functional.smooth_l1_loss(mine, wanted, reduction="none").sum(dim=2).mean(dim=-1)
    return losses


def _distance(vectors: Tensor, cells: Tensor, place: Tensor) -> Tensor:
    """Return (B, J): smooth L1 of vectors from the cells around `cells` to `place` (B, J, 2 y, x)."""
    found, at = around(vectors, cells)
    return functional.smooth_l1_loss(at + found, place[..., None].expand_as(found), reduction="none").sum(2).mean(-1)


def around(vectors: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (B, J, 2, K) vectors at the cells around (B, J) cells, and where those are, y, x; edges repeat."""
    side = vectors.shape[-1]
    steps = torch.arange(-REACH, REACH + 1, device=cells.device)
    row = (cells // side)[..., None, None] + steps[:, None]
    column = (cells % side)[..., None, None] + steps[None]
    row, column = (axis.clamp(0, side - 1).expand(*cells.shape, len(steps), len(steps)) for axis in (row, column))
    index = (row * side + column).flatten(2)
    found = vectors.flatten(3).gather(3, index[:, :, None].expand(-1, -1, 2, -1))
    return found, torch.stack([row.flatten(2), column.flatten(2)], dim=2).float()


def with_teacher_targets(
    batch: Mapping[str, Any], teacher: nn.Module, common: Tensor, distil: float, fill: float
) -> Mapping[str, Any]:
    """Return a batch of `training_batch` with a lesson: a teacher's maps and its share of each joint's loss.

    See `Distillable.with_teacher_targets`; as the loss of a mixed target, the losses of label and teacher are mixed.
    """
    weight: Tensor = batch["weight"]
    labelled = weight > 0
    share = torch.where(common.to(weight.device), distil, 0.0)[:, None].expand_as(weight)
    own = torch.where(common.to(weight.device), distil, fill)[:, None].expand_as(weight)
    if not bool(((labelled & (share > 0)) | (~labelled & (own > 0))).any()):
        return batch
    lesson = teacher(batch["image"].to(next(teacher.parameters()).device))
    return {
        **batch,
        "lesson": lesson,
        "lesson_share": torch.where(labelled, share, 1.0),
        "weight": torch.where(labelled, weight, own),
    }
