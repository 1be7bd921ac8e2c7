"""What an estimator offers that can be calibrated, and what it may offer beside that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from emc.pose.records import Sample
from emc.pose.skeletons import Skeleton

if TYPE_CHECKING:
    import torch
from emc.interfaces.estimator import Estimator


@runtime_checkable
class Trainable(Estimator, Protocol):
    """An estimator that calibration can train further."""

    @property
    def module(self) -> torch.nn.Module:
        """The network whose parameters are trained."""
        ...

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> Mapping[str, Any]:
        """Turn samples into one batch of tensors; with `rng` augmented, without it exactly as predicted."""
        ...

    def loss(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return the scalar training loss of a batch, differentiable with respect to `module`."""
        ...

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Write ``model.safetensors`` and ``emc.json`` (with `extra` merged in) into the folder `path`."""
        ...

    def load(self, path: Path) -> None:
        """Read weights from a folder that `save` wrote; raises `WeightsError` that names the file."""
        ...


@runtime_checkable
class Layered(Trainable, Protocol):
    """A trainable estimator that knows how deep its parameters are, for layer-wise learning rates."""

    def parameter_depths(self) -> Mapping[str, int]:
        """Return parameter name of `module` -> depth: 0 nearest the input, the largest at the output."""
        ...


@runtime_checkable
class Folded(Trainable, Protocol):
    """A trainable estimator whose normalisation is folded into its weights.

    They then differ in size by orders of magnitude from layer to layer, and no one rate suits all: calibration moves
    each tensor in proportion to its own size.
    """

    relative_step: float
    """Times the learning rate: the share of a tensor's RMS by which a step moves its elements; 0 = one rate for all."""


@runtime_checkable
class PerJoint(Trainable, Protocol):
    """A trainable estimator that tells the loss of each joint, for hard-joint mining and shared batches."""

    def joint_losses(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (B, J) losses of the joints of a batch of `collate`, differentiable, and their (B, J) weights.

        A weight of 0 masks a joint, as in `loss`.
        """
        ...

    def loss_mass(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return what `loss` is a mean over, a scalar: ``loss x max(mass, 1)`` of a batch's rows add up."""
        ...


@runtime_checkable
class Growable(Trainable, Protocol):
    """A trainable estimator that can take another skeleton without forgetting the joints that it knows."""

    def with_skeleton(self, skeleton: Skeleton) -> Trainable:
        """Return an independent copy whose predictions have the joints of `skeleton`, in their order.

        The output channel of a joint that both skeletons have is copied as it is, so that its predictions stay the
        same; the channels of others start as `emc.pose.skeletons.channel_start` says, and are to be trained.
        Joints that `skeleton` lacks are dropped.
        """
        ...


@runtime_checkable
class Distillable(Trainable, Protocol):
    """A trainable estimator whose targets another network's outputs can take the place of."""

    def with_teacher_targets(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: torch.Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return the batch with a teacher's outputs in its targets.

        batch : of `collate`. teacher : a network like `module`. common : (B,) bool, rows that are replayed common
        data: there a target becomes (1 - distil) x label + distil x teacher, and a joint without a label the
        teacher's, with weight `distil`. On the other rows a joint without a label becomes the teacher's with weight
        `fill`. A weight of 0 leaves everything as it is.
        """
        ...
