"""What a training tells while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Progressed:
    """A training step is done; `step` counts from 1."""

    step: int
    loss: float
    lr: float


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A checkpoint to score: the averaged weights after `step` steps, a state dict on the CPU, not to be changed."""

    step: int
    weights: Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class SavePoint:
    """Everything needed to go on after `step` steps as if nothing had happened."""

    step: int
    state: bytes


Event = Progressed | LadderStep | SavePoint
