"""Rotation ensembles of any estimator, and what calibrates those of a trainable one."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import emc.plugins as plugins
from emc.errors import NotTrainable, UsageError
from emc.estimators.rotation.estimator import ROTATIONS, ZOOMS, RotationEnsemble
from emc.estimators.rotation.picture import rotated_upright
from emc.interfaces import Trainable
from emc.pose.records import Sample
from emc.pose.skeletons import Skeleton

if TYPE_CHECKING:
    import torch

    from emc.estimators.onnx import ExportForm

UPRIGHT_SHARE = 0.5
"""Share of the training samples that are rotated upright."""


def rotation_ensemble(
    weights: str | Path = "nano",
    inner: Any = None,
    rotations: int = ROTATIONS,
    zooms: int = ZOOMS,
    adaptive: bool = False,
) -> RotationEnsemble:
    """Return a rotation ensemble of another estimator; it is trainable where the other one is.

    weights : the other estimator, as `plugins.estimator_for` takes it (``rotation:nano``, a saved model's folder).
    inner : an estimator itself, instead of `weights`. rotations : of the image, evenly spread over the circle. zooms :
    number of the most confident rotations that get zoomed passes. adaptive : only for persons whom the first pass is
    unsure of, or sees lying or inverted; the others keep the first pass. Raises `UsageError` for fewer than one
    rotation or negative `zooms`.
    """
    if rotations < 1 or zooms < 0:
        raise UsageError(
            f"rotations = {rotations}, zooms = {zooms}: a rotation ensemble needs at least one rotation, and zooms of "
            "0 or more"
        )
    made = plugins.estimator_for(str(weights)) if inner is None else inner
    made = made.inner if isinstance(made, RotationEnsemble) else made
    kind = TrainableRotationEnsemble if isinstance(made, Trainable) else RotationEnsemble
    return kind(made, rotations, zooms, adaptive)


class TrainableRotationEnsemble(RotationEnsemble):
    """A rotation ensemble that can be calibrated: its network is the inner estimator's.

    It is saved as the inner estimator is, with ``rotations`` and ``zooms`` in its ``emc.json``;
    `plugins.estimator_for` makes a rotation ensemble of such a folder.
    """

    @property
    def module(self) -> torch.nn.Module:
        """The inner estimator's network."""
        return self.inner.module

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> Mapping[str, Any]:
        """Return the inner estimator's batch of the samples; with `rng`, a random half is rotated upright first.

        Upright is the rotation of the ensemble at which the trunk points up most; a sample without shoulders or hips
        stays as it is. The other half is as it was filmed, so that the network can still be used without the ensemble.
        """
        if rng is None:
            return self.inner.collate(samples, None)
        drawn = rng.random(len(samples)) < UPRIGHT_SHARE
        picked = [
            rotated_upright(sample, self.rotations, self.skeleton, self._largest_side) if rotate else sample
            for sample, rotate in zip(samples, drawn, strict=True)
        ]
        return self.inner.collate(picked, rng)

    def loss(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return the inner estimator's loss."""
        return self.inner.loss(batch)

    def parameter_depths(self) -> Mapping[str, int]:
        """Return the inner estimator's depths; raises `NotTrainable` where it has none."""
        return self._ability("parameter_depths")()

    def with_teacher_targets(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: torch.Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return the inner estimator's batch with a teacher's outputs in its targets; raises `NotTrainable`."""
        return self._ability("with_teacher_targets")(batch, teacher, common, distil, fill)

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Save the inner estimator with the numbers of rotations and of zooms, and whether it is adaptive."""
        how = {"rotations": self.rotations, "zooms": self.zooms, **({"adaptive": True} if self.adaptive else {})}
        self.inner.save(path, {**(extra or {}), **how})

    def load(self, path: Path) -> None:
        """Read the inner estimator's weights; the number of rotations stays as it is."""
        self.inner.load(path)

    def export_form(self) -> ExportForm:
        """Return the inner estimator's form: an exported file makes one pass, without rotation."""
        return self._ability("export_form")()

    def clone(self) -> TrainableRotationEnsemble:
        """Return an independent copy, weights included."""
        return self._around(copy.deepcopy(self.inner))

    def reinitialised(self, seed: int) -> TrainableRotationEnsemble:
        """Return an ensemble of the inner estimator with fresh weights; raises `NotTrainable` where it has none."""
        if hasattr(self.inner, "reinitialised"):
            return self._around(self.inner.reinitialised(seed))
        return self._around(self._ability("untrained")(seed))

    def with_skeleton(self, skeleton: Skeleton) -> TrainableRotationEnsemble:
        """Return an ensemble of the inner estimator's copy for another skeleton; raises `NotTrainable` as it does."""
        return self._around(self._ability("with_skeleton")(skeleton))

    def joint_losses(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the inner estimator's losses of joints; raises `NotTrainable` where it has none."""
        return self._ability("joint_losses")(batch)

    def loss_mass(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return what the inner estimator's loss is divided by; raises `NotTrainable` where it does not say."""
        return self._ability("loss_mass")(batch)

    def _around(self, inner: Any) -> TrainableRotationEnsemble:
        return TrainableRotationEnsemble(inner, self.rotations, self.zooms, self.adaptive)

    def _ability(self, name: str) -> Any:
        if not hasattr(self.inner, name):
            inner = self.inner.describe().name
            raise NotTrainable(
                f"estimator '{inner}' has no `{name}`: leave the settings that ask for it at their defaults"
            )
        return getattr(self.inner, name)
