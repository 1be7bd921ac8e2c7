"""What a training step makes small: the estimator's own loss, or with a share for each person's hardest joints."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from emc.config import CalibrateSettings
from emc.errors import UsageError
from emc.interfaces import PerJoint, Trainable
from emc.stages.calibrate.abilities import innermost


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the objective: `share` of it is `loss`, a mean over `mass` (rows, or the sum of joint weights).

    ``loss x max(mass, 1)`` is a sum over the rows of the batch, so that shares of a batch can be put together.
    """

    share: float
    loss: torch.Tensor
    mass: torch.Tensor


def objective(estimator: Trainable, batch: Mapping[str, Any], settings: CalibrateSettings) -> list[Term]:
    """Return the terms whose sum, each times its share, is the loss of a batch."""
    if settings.hard_joints == 0:
        return [Term(1.0, estimator.loss(batch), loss_mass(estimator, batch))]
    inner = innermost(estimator)
    if not isinstance(inner, PerJoint):
        raise UsageError(f"estimator {estimator.describe().name} gives no loss per joint: use hard_joints = 0")
    losses, weight = inner.joint_losses(batch)
    chosen = hardest(losses, weight, settings.hard_joints)
    terms = [_mean(settings.hard_share, losses, chosen)]
    return terms if settings.hard_share == 1.0 else [*terms, _mean(1.0 - settings.hard_share, losses, weight)]


def total(terms: Sequence[Term]) -> torch.Tensor:
    """Return the loss of a whole batch."""
    if len(terms) == 1 and terms[0].share == 1.0:
        return terms[0].loss
    return torch.stack([term.share * term.loss for term in terms]).sum()


def share_of(terms: Sequence[Term], masses: torch.Tensor) -> torch.Tensor:
    """Return what these rows contribute to the loss of a larger batch; masses : (T,) of each term over all its rows."""
    parts = [
        # Means to sums and back, by the mass of the whole batch: a mean of the processes' means would weigh a process
        # with two labelled joints as much as one with two hundred.
        term.share * term.loss * term.mass.clamp(min=1.0) / mass.clamp(min=1.0)
        for term, mass in zip(terms, masses, strict=True)
    ]
    return torch.stack(parts).sum()


def loss_mass(estimator: Trainable, batch: Mapping[str, Any]) -> torch.Tensor:
    """Return what the estimator's loss is a mean over: what it says itself, else the number of rows."""
    inner = innermost(estimator)
    if isinstance(inner, PerJoint):
        return inner.loss_mass(batch)
    rows = next(value.shape[0] for value in batch.values() if isinstance(value, torch.Tensor))
    return torch.tensor(float(rows))


@torch.no_grad()
def hardest(losses: torch.Tensor, weight: torch.Tensor, count: int) -> torch.Tensor:
    """Return `weight` with 0 for all but the `count` joints of each person whose loss is largest.

    losses, weight : (B, J), weight 0 = not labelled. A person with fewer labelled joints keeps all of them. Source:
    online hard keypoint mining (Chen et al., CVPR 2018).
    """
    # -1 is below every loss: an unlabelled joint may be among the top where a person has few labels, and its weight of
    # 0 then leaves it out.
    weighted = torch.where(weight > 0, losses.detach() * weight, -1.0)
    top = weighted.topk(min(count, losses.shape[1]), dim=1).indices
    return torch.zeros_like(weight).scatter(1, top, 1.0) * weight


def _mean(share: float, losses: torch.Tensor, weight: torch.Tensor) -> Term:
    mass = weight.sum()
    return Term(share, (losses * weight).sum() / mass.clamp(min=1.0), mass)
