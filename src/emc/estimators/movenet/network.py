"""MoveNet for one person as one tensor of maps: what an estimator trains, exports and reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from emc.networks.movenet import MoveNet, MoveNetForm

ORDER = ("kpt_heatmap", "center", "kpt_regress", "kpt_offset")
"""Joints first: whoever looks at the first channels sees one map per joint."""


class PoseNetwork(MoveNet):
    """(B, 3, S, S) RGB in [-1, 1] in, (B, 5 J + 1, S / 4, S / 4) out: the heads in `ORDER`, see `split`."""

    def forward(self, image: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the heads behind each other."""
        heads = super().forward(image)
        return torch.cat([heads[name] for name in ORDER], dim=1)

    @property
    def joints(self) -> int:
        """Number of joints."""
        return self.form.heads["kpt_heatmap"]


@dataclass(frozen=True, slots=True)
class Maps:
    """The heads of a batch on a grid of G x G cells.

    heat : (B, J, G, G) logits. center : (B, G, G) logits. regress : (B, J, 2, G, G) dy, dx from a person's centre cell
    to the joint. offset : (B, J, 2, G, G) dy, dx from a joint's cell to the joint. Lengths in cells.
    """

    heat: Tensor
    center: Tensor
    regress: Tensor
    offset: Tensor


def split(maps: Tensor) -> Maps:
    """Return what `PoseNetwork` gives as its heads, single precision."""
    maps = maps.float()
    joints = (maps.shape[1] - 1) // 5
    heat, center, regress, offset = maps.split([joints, 1, 2 * joints, 2 * joints], dim=1)
    return Maps(heat, center[:, 0], regress.unflatten(1, (joints, 2)), offset.unflatten(1, (joints, 2)))


def build_network(form: MoveNetForm) -> PoseNetwork:
    """Return a network with random weights, in evaluation mode, channels last in memory (faster on a CPU)."""
    network = PoseNetwork(form).eval()
    cast(Any, network).to(memory_format=torch.channels_last)
    return network
