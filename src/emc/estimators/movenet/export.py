"""MoveNet as a graph that decodes itself, for ONNX: crops in, places and scores out, as the estimator reads them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emc.estimators.movenet.decode import read_places
from emc.estimators.movenet.network import PoseNetwork, split
from emc.estimators.movenet.training import BORDER, PADDING
from emc.estimators.onnx import ExportForm
from emc.interfaces import ModelInfo
from emc.networks.movenet import GAIN, SHIFT


class MoveNetReading(nn.Module):
    """(N, 3, S, S) RGB in [-1, 1] -> places (N, J, 2) in crop pixels, scores (N, J). pull : cells, for every crop."""

    def __init__(self, network: PoseNetwork, pull: float) -> None:
        super().__init__()
        self.network, self.pull = network, pull

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return places and scores."""
        maps = self.network(crops)
        found = read_places(split(maps), torch.full((crops.shape[0],), self.pull, device=crops.device))
        return found.xy, found.score


def movenet_form(network: PoseNetwork, side: int, pull: float, info: ModelInfo) -> ExportForm:
    """Return the form of a network, which it keeps on the CPU; `pull` as in `MoveNetReading`."""
    return ExportForm(
        head=MoveNetReading(network.float().cpu().eval(), pull),
        size=(side, side),
        mean=(SHIFT / GAIN,) * 3,
        std=(1 / GAIN,) * 3,
        skeleton=info.skeleton,
        padding=PADDING,
        border=BORDER,
        licence=info.licence,
        source=info.weights,
    )
