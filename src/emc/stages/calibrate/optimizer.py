"""Which parameters learn how fast."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from emc.config import CalibrateSettings
from emc.errors import UsageError
from emc.interfaces import Folded, Layered, Trainable
from emc.stages.calibrate.abilities import innermost

_PLACES = ("pos_embed", "position_embedding", "cls_token", "relative_position_bias")
"""Parts of names of parameters that say where, not what: they are tables, not kernels, though they have dimensions."""
LEAST = 0.02
"""RMS that a bias counts as at least, and a tensor of zeros: relative to nothing, they could not move."""
_BETAS = 0.9, 0.99
"""Of relative steps: a single large gradient moves an element by its rate at most, since 1 - 0.9 = sqrt(1 - 0.99)."""


def build_optimizer(estimator: Trainable, settings: CalibrateSettings) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov and Hutter, ICLR 2019) over the parameters that require gradients.

    Matrices and kernels decay; biases, norm scales and position embeddings do not, which have nothing to gain from
    shrinking (BEiT, Bao et al., ICLR 2022), nor what the module names in ``no_weight_decay()``, as timm's do. With
    ``settings.layer_decay`` below 1 a parameter k layers below the head learns at that power k of the rate
    (Clark et al., ICLR 2020); each group then has its factor as ``"factor"``. Raises `UsageError` where the estimator
    does not say how deep its parameters are.

    A `Folded` network's parameters get rates relative to their size, see `_relative`.
    """
    factors = layer_factors(estimator, settings.layer_decay)
    folded = innermost(estimator)
    # From random weights all are of a size, and have further to go than a share of it.
    if isinstance(folded, Folded) and folded.relative_step > 0 and settings.strategy != "initial":
        return _relative(folded, factors, settings)
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    exempt = _exempt(estimator.module)
    for name, parameter in estimator.module.named_parameters():
        if parameter.requires_grad:
            decays = parameter.ndim > 1 and name not in exempt
            groups.setdefault((factors.get(name, 1.0), decays), []).append(parameter)
    described: list[dict[str, Any]] = [
        {"params": parameters, "factor": factor, "weight_decay": settings.weight_decay if decays else 0.0}
        for (factor, decays), parameters in groups.items()
    ]
    return torch.optim.AdamW(described, lr=settings.lr, fused=True)


def _relative(estimator: Folded, factors: Mapping[str, float], settings: CalibrateSettings) -> torch.optim.AdamW:
    """Return Adam whose step moves the elements of a tensor by about a share of the tensor's RMS at the start.

    The share is the learning rate times ``estimator.relative_step``; after a rest, equal gradients in a row can make it
    2.4 times as much, never more. Nothing decays: a rate in proportion to a tensor's size would shrink large ones
    fastest, and ``settings.pull`` holds weights without that.
    """
    described: list[dict[str, Any]] = [
        {"params": [parameter], "factor": factors.get(name, 1.0) * estimator.relative_step * size_of(parameter)}
        for name, parameter in estimator.module.named_parameters()
        if parameter.requires_grad
    ]
    return torch.optim.AdamW(described, lr=settings.lr, betas=_BETAS, weight_decay=0.0, fused=True)


@torch.no_grad()
def size_of(parameter: torch.Tensor) -> float:
    """Return the RMS of a parameter's elements; biases and tensors of zeros count as `LEAST` at least."""
    rms = float(parameter.square().mean().sqrt())
    return max(rms, LEAST) if parameter.ndim <= 1 or rms == 0 else rms


def _exempt(module: torch.nn.Module) -> set[str]:
    named = getattr(module, "no_weight_decay", None)
    own = {str(name) for name in named()} if named is not None else set[str]()
    return own | {name for name, _ in module.named_parameters() if any(place in name for place in _PLACES)}


def layer_factors(estimator: Trainable, decay: float) -> Mapping[str, float]:
    """Return parameter name -> factor on the learning rate: 1 for the deepest, `decay` to the k k layers before it."""
    if decay == 1.0:
        return {}
    if not isinstance(estimator, Layered):
        raise UsageError(
            f"estimator {estimator.describe().name} does not say how deep its parameters are: use layer_decay = 1"
        )
    depths = estimator.parameter_depths()
    top = max(depths.values())
    return {name: decay ** (top - depth) for name, depth in depths.items()}


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group, by its factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
