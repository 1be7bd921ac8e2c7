"""The training loop of `nano`: seeded by step, so that a run stopped at any instant goes on exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emc.estimators.nano import NanoEstimator
from emc.estimators.nano.crops import Augmentation
from emc.pose.records import Sample

Pools = Callable[[int], Sequence[tuple[Sequence[Sample], int]]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, but for the data.

    The rate rises for `warmup` steps, stays, and falls to zero along a half cosine over the last `decay` steps, so a
    longer run shares its beginning with a shorter one. The weights that count are a moving mean with factor `ema`.
    """

    seed: int = 20261122
    steps: int = 12500
    batch: int = 64
    rate: float = 2e-3
    warmup: int = 300
    decay: int = 4500
    weight_decay: float = 0.05
    ema: float = 0.998
    bfloat16: bool = True
    augmentation: Augmentation = Augmentation(
        rotation=40.0, scale=(0.7, 1.35), shift=0.08, colour=0.4, cutout=0.35, grey=0.1, noise=10.0
    )


@dataclass(slots=True)
class Training:
    """What a checkpoint holds: the estimator in training, its moving mean, the optimizer and the steps done."""

    estimator: NanoEstimator
    mean: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0


def begin(recipe: Recipe) -> Training:
    """Return an untrained state."""
    estimator = NanoEstimator.untrained(recipe.seed)
    estimator.augmentation = recipe.augmentation
    named = list(estimator.module.named_parameters())
    groups = [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.rate, foreach=True)
    return Training(estimator, copy_state(estimator.module.state_dict()), optimizer)


def resume(recipe: Recipe, path: Path) -> Training:
    """Return the state of a checkpoint, or an untrained one where there is none."""
    training = begin(recipe)
    if path.is_file():
        content = torch.load(path, weights_only=True)
        training.estimator.module.load_state_dict(content["model"])
        training.optimizer.load_state_dict(content["optimizer"])
        training.mean = content["mean"]
        training.step = int(content["step"])
    return training


def keep(training: Training, path: Path) -> None:
    """Write a checkpoint all at once: a run that is killed meanwhile leaves the one before."""
    content = {
        "model": training.estimator.module.state_dict(),
        "mean": training.mean,
        "optimizer": training.optimizer.state_dict(),
        "step": training.step,
    }
    temporary = path.with_suffix(".part")
    torch.save(content, temporary)
    temporary.replace(path)


def run(
    training: Training,
    recipe: Recipe,
    pools: Pools,
    path: Path,
    keep_every: int,
    watch: Callable[[Training, str], None],
) -> None:
    """Train up to `recipe.steps`; `watch` is called at each checkpoint with a line of figures."""
    training.estimator.module.train()
    started, first, losses = time.monotonic(), training.step, []
    for batch in batches(training.estimator, recipe, pools, training.step):
        losses.append(train_step(training, recipe, batch))
        if training.step % keep_every == 0 or training.step == recipe.steps:
            keep(training, path)
            pace = (training.step - first) * recipe.batch / (time.monotonic() - started)
            line = f"step {training.step} loss {np.mean(losses):.4f} pace {pace:.0f}/s"
            losses = []
            watch(training, line)
            training.estimator.module.train()


def train_step(training: Training, recipe: Recipe, batch: Mapping[str, Tensor]) -> float:
    """Take one step and return its loss."""
    rate = recipe.rate * rate_share(training.step, recipe)
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
        loss = training.estimator.loss(batch)
    training.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(training.estimator.module.parameters(), 5.0, foreach=True)
    training.optimizer.step()
    training.step += 1
    blend(training, min(recipe.ema, training.step / (training.step + 9)))
    return float(loss.detach())


def rate_share(step: int, recipe: Recipe) -> float:
    """Return the share of the full rate at a step (0-based)."""
    rise = min((step + 1) / recipe.warmup, 1.0)
    left = min((recipe.steps - step) / recipe.decay, 1.0)
    return rise * 0.5 * (1 - float(np.cos(np.pi * left)))


def blend(training: Training, factor: float) -> None:
    """Move the mean weights towards the present ones."""
    state = training.estimator.module.state_dict()
    names = [name for name, value in state.items() if value.is_floating_point()]
    torch._foreach_lerp_([training.mean[n] for n in names], [state[n] for n in names], 1 - factor)
    for name in state.keys() - set(names):
        training.mean[name].copy_(state[name])


def batches(estimator: NanoEstimator, recipe: Recipe, pools: Pools, first: int) -> Iterator[dict[str, Tensor]]:
    """Yield the batches of steps `first`..., each made by its own generator while the step before is trained."""
    with ThreadPoolExecutor(1) as maker:
        waiting = maker.submit(make_batch, estimator, recipe, pools, first)
        for step in range(first, recipe.steps):
            batch = waiting.result()
            if step + 1 < recipe.steps:
                waiting = maker.submit(make_batch, estimator, recipe, pools, step + 1)
            yield batch


def make_batch(estimator: NanoEstimator, recipe: Recipe, pools: Pools, step: int) -> dict[str, Tensor]:
    """Draw and augment the batch of one step; the same step always gives the same batch."""
    rng = np.random.default_rng([recipe.seed, step])
    chosen: list[Sample] = []
    for pool, count in pools(step):
        chosen += [pool[epoch_index(recipe.seed, step * count + i, len(pool))] for i in range(count)]
    return estimator.collate(chosen, rng)


def epoch_index(seed: int, position: int, size: int) -> int:
    """Return which of `size` samples comes at `position` in an endless run of shuffled epochs."""
    epoch, place = divmod(position, size)
    return int(_order(seed, epoch, size)[place])


@lru_cache(maxsize=8)
def _order(seed: int, epoch: int, size: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch, size]).permutation(size)


def copy_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return an independent copy of a state dict."""
    return {name: value.detach().clone() for name, value in state.items()}


def say(path: Path, line: str, figures: Mapping[str, Any]) -> None:
    """Append a line of figures to the log and print it."""
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps({"line": line, **figures}) + "\n")
    print(line, figures, flush=True)
