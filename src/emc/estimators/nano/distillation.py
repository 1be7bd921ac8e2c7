"""What `nano` tells a calibration: how deep its parameters are, and what targets another `nano` would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

DEPTHS = (("stem", 0), ("stage1", 1), ("stage2", 2), ("stage3", 3), ("stage4", 4))
"""First part of a parameter's name -> depth; what turns features into maps comes last."""


def parameter_depths(network: nn.Module) -> dict[str, int]:
    """Return parameter name -> depth, 0 at the stem, 5 for everything after the encoder."""
    depths = dict(DEPTHS)
    return {name: depths.get(name.split(".")[0], len(DEPTHS)) for name, _ in network.named_parameters()}


def with_teacher_targets(
    batch: Mapping[str, Any], teacher: nn.Module, common: Tensor, distil: float, fill: float
) -> Mapping[str, Any]:
    """Return a batch of `NanoEstimator.collate` with the teacher's maps in its targets; see `Teachable.taught`."""
    weight: Tensor = batch["weight"]
    labelled = weight > 0
    share = torch.where(common, distil, 0.0)[:, None].expand_as(weight)
    own = torch.where(common, distil, fill)[:, None].expand_as(weight)
    rows = ((labelled & (share > 0)) | (~labelled & (own > 0))).any(dim=1)
    if not bool(rows.any()):
        return batch
    guess = functional.softmax(teacher(batch["image"][rows]).float().flatten(2), dim=-1)
    target = batch["target"].clone()
    maps = guess.view(-1, *target.shape[1:])
    mixed = torch.where(labelled[rows], share[rows], 1.0)[..., None, None]
    target[rows] = (1.0 - mixed) * target[rows] + mixed * maps
    return {**batch, "target": target, "weight": torch.where(labelled, weight, own)}
