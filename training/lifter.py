"""Train the embedded lifter: `python training/lifter.py --shared ../shared/data --out src/emc/assets/temporal-small`.

Seeded, one thread, resumable: run it again with the same `--work` folder and it goes on where it stopped. Each step's
examples depend on the seed and the step alone, so an interrupted run ends as an uninterrupted one.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from emc.lifters.temporal import FEATURES, save_network
from emc.lifters.temporal_network import TemporalNetwork
from lifter_data import Source, draw, training_sources

OUTPUT_FRAMES = 48
VELOCITY_WEIGHT = 2.0


def batch(
    pools: list[tuple[float, list[Source]]], size: int, reach: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    frames = OUTPUT_FRAMES + 2 * reach
    shares = np.array([share for share, _ in pools])
    examples = []
    for pool in rng.choice(len(pools), size, p=shares / shares.sum()):
        sources = pools[int(pool)][1]
        # A clip's chance grows with its length, gently: hundreds of short walks must not crowd out the rest.
        weight = np.sqrt([len(source.h36m) for source in sources])
        source = sources[int(rng.choice(len(sources), p=weight / weight.sum()))]
        examples.append(draw(source, frames, reach, rng))
    values, targets = (torch.from_numpy(np.stack(column)) for column in zip(*examples, strict=True))
    return values, targets


def loss(predicted: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (loss, mean joint error in metres): position error plus a term on first differences."""
    position = torch.linalg.vector_norm(predicted - target, dim=-1).mean()
    velocity = torch.linalg.vector_norm(predicted.diff(dim=1) - target.diff(dim=1), dim=-1).mean()
    return position + VELOCITY_WEIGHT * velocity, position.detach()


def learning_rate(step: int, steps: int, peak: float) -> float:
    warm = min(1.0, (step + 1) / 200)
    return peak * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--out", type=Path, default=Path("src/emc/assets/temporal-small"))
    parser.add_argument("--work", type=Path, default=Path("training-work/lifter"))
    parser.add_argument("--steps", type=int, default=6500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=20260)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    network = TemporalNetwork(
        features=FEATURES, filter_widths=(3,) * (options.blocks + 1), channels=options.channels, dropout=0.1
    )
    train(network, options)


def train(network: TemporalNetwork, options: argparse.Namespace) -> None:
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=1e-3)
    state_file = options.work / "state.pt"
    step, seconds = 0, 0.0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        step, seconds = int(state["step"]), float(state["seconds"])
        print(f"goes on at step {step}", flush=True)
    pools = training_sources(options.shared, options.seed)
    reach = (network.receptive_field - 1) // 2
    network.train()
    begun, running = time.monotonic(), math.nan
    while step < options.steps:
        torch.manual_seed(options.seed + step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, options.steps, options.rate)
        values, targets = batch(pools, options.batch, reach, np.random.default_rng([options.seed, 7, step]))
        total, error = loss(network(values), targets)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        averaged.update_parameters(network)
        step += 1
        running = float(error) if math.isnan(running) else 0.98 * running + 0.02 * float(error)
        if step % 200 == 0 or step == options.steps:
            spent = seconds + time.monotonic() - begun
            print(f"step {step} error {running * 1000:.1f} mm, {spent:.0f} s", flush=True)
            keep(state_file, network, averaged, optimiser, step, spent)
    save_network(
        averaged.module,
        options.out,
        {"training": {"seed": options.seed, "steps": options.steps, "batch": options.batch, "frames": OUTPUT_FRAMES}},
    )
    print(f"wrote {options.out}", flush=True)


def keep(
    file: Path,
    network: TemporalNetwork,
    averaged: AveragedModel,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(file)


if __name__ == "__main__":
    main()
