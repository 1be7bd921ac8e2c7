"""Weights of a network in training: their running average, the pull to the base, borrowing them for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from typing import Any, cast

import torch

from emc.interfaces import Trainable


@contextlib.contextmanager
def borrowed_weights(estimator: Trainable, weights: Mapping[str, torch.Tensor]) -> Generator[None]:
    """Let the estimator predict with other weights for a while, such as those of a `LadderStep` in mid-training."""
    module = estimator.module
    own = {name: value.detach().clone() for name, value in module.state_dict().items()}
    # Part by part: frozen batch norms are in evaluation inside a network in training, and `module.train()` afterwards
    # would set them free.
    modes = [(part, part.training) for part in module.modules()]
    module.load_state_dict(dict(weights))
    module.eval()
    try:
        yield
    finally:
        module.load_state_dict(own)
        for part, training in modes:
            part.training = training


def copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return an independent copy of a module's state."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


class RunningAverage:
    """The running average of a module's state (exponential moving average; Polyak and Juditsky, 1992).

    values : name -> tensor, at first copies of the module's. The module keeps its tensors: they are looked up once,
    since asking for the state of a small network at every step costs as much as a layer.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        state = module.state_dict()
        self.values = copied(module)
        self._moving = [name for name, value in state.items() if value.is_floating_point()]
        self._whole = [name for name, value in state.items() if not value.is_floating_point()]
        # The living tensors: `load_state_dict` copies into them, so they stay those of the module after a resume point
        # too.
        self._state = state

    @torch.no_grad()
    def move(self, decay: float) -> None:
        """Become decay x average + (1 - decay) x state, in place; counters and other whole numbers are copied."""
        lerp_all(
            [self.values[name] for name in self._moving], [self._state[name] for name in self._moving], 1.0 - decay
        )
        if self._whole:
            copy_all([self.values[name] for name in self._whole], [self._state[name] for name in self._whole])

    def restore(self, values: Mapping[str, torch.Tensor]) -> None:
        """Take other values, in place; raises `KeyError` or `RuntimeError` where they are another network's."""
        for name, own in self.values.items():
            own.copy_(values[name])


@torch.no_grad()
def pull_to(base: Mapping[str, torch.Tensor], module: torch.nn.Module, strength: float) -> None:
    """Draw trained parameters towards the base, in place: (1 - strength) x parameter + strength x base.

    L2-SP (Li et al., ICML 2018: weight decay towards the starting point), decoupled from the gradient as in AdamW.
    """
    named = [(name, value) for name, value in module.named_parameters() if value.requires_grad]
    # At most all the way: a rate times a pull above 1 would throw the weights beyond the base.
    lerp_all([value for _, value in named], [base[name] for name, _ in named], min(1.0, strength))


def lerp_all(moved: list[torch.Tensor], towards: list[torch.Tensor], strength: float) -> None:
    """Move many tensors towards others in place by one call: on a small network hundreds of calls cost a tenth."""
    cast(Any, torch)._foreach_lerp_(moved, towards, strength)


def copy_all(written: list[torch.Tensor], read: list[torch.Tensor]) -> None:
    """Copy many tensors into others by one call."""
    cast(Any, torch)._foreach_copy_(written, read)
