"""`nano` as a graph that decodes itself, for ONNX: crops in, places and scores out, as `NanoEstimator` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from emc.estimators.nano.crops import MEAN, PADDING, SPREAD
from emc.estimators.nano.heatmaps import CELL, neighbourhood, newton_step
from emc.estimators.nano.network import INPUT_SIZE
from emc.estimators.onnx import ExportForm, FlipEnsemble
from emc.interfaces import ModelInfo
from emc.pose.skeletons import COCO17


class NanoDecodingHead(nn.Module):
    """(N, 3, 128, 128) normalised RGB -> places (N, 17, 2) in crop pixels, scores (N, 17).

    network : `NanoNetwork`. mirror : read the mirrored crop too and average, as the estimator does. flip : for each
    joint its mirror joint.
    """

    def __init__(self, network: nn.Module, mirror: bool, flip: Sequence[int] = COCO17.flip) -> None:
        super().__init__()
        self.network = FlipEnsemble(network, flip) if mirror else network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return places and scores."""
        logits = self.network(crops)
        height, width = logits.shape[-2:]
        share = functional.softmax(logits.flatten(2), dim=-1)
        best = share.argmax(dim=-1)
        row, column = best // width, best % width
        cells = torch.stack([column, row], dim=-1).float() + newton_step(logits, row, column)
        near = neighbourhood(row, column, height, width)
        return cells * CELL, (share * near).sum(dim=-1).clamp(0.0, 1.0)


def nano_form(
    network: nn.Module, mirror: bool, flip: Sequence[int], info: ModelInfo, card: Mapping[str, Any]
) -> ExportForm:
    """Return the export form of a network; `mirror`, `flip` as in `NanoDecodingHead`, `card` its ``emc.json``."""
    table = card.get("confidence")
    return ExportForm(
        head=NanoDecodingHead(network, mirror, flip),
        size=(INPUT_SIZE, INPUT_SIZE),
        mean=(MEAN,) * 3,
        std=(SPREAD,) * 3,
        skeleton=info.skeleton,
        padding=PADDING,
        border=MEAN,
        licence=info.licence,
        source=info.weights,
        confidence={"score": table["peak"], "right": table["right"]} if table else None,
    )
