"""Train the embedded lifter: `python training/lifter.py --shared ../shared/data --out src/emc/assets/temporal-small`.

A larger network: `--blocks 4 --channels 512 --out FOLDER` sees 243 frames; `emc lift --set lift.lifter=FOLDER` uses it.
`--motion FILES` adds motion capture of your own. Seeded, one thread, resumable: run it again with the same `--work`
folder and it goes on where it stopped. Each step's examples depend on the seed and the step alone, so an interrupted
run ends as an uninterrupted one.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emc.lifters.temporal import FEATURES, load_network, save_network
from emc.lifters.temporal_network import TemporalNetwork
from lifter_data import Source, draw, training_sources

VIEW_FRAMES = 94
"""Frames of a view beyond those that its border frames need to see."""

VIEWS_PER_STEP = 12
STEPS_KEPT = 150
"""A view is drawn once and serves for this many steps, a few windows at a time: drawing costs more than learning."""

VELOCITY_WEIGHT = 2.0
GROWN = 0.02
Pools = list[tuple[float, list[Source]]]
View = tuple[np.ndarray, np.ndarray]


def draw_views(pools: Pools, reach: int, measured: float, rng: np.random.Generator) -> list[View]:
    shares = np.array([share for share, _ in pools])
    views = []
    for pool in rng.choice(len(pools), VIEWS_PER_STEP, p=shares / shares.sum()):
        sources = pools[int(pool)][1]
        # A clip's chance grows with its length, gently: hundreds of short walks must not crowd out the rest.
        weight = np.sqrt([len(source.h36m) for source in sources])
        source = sources[int(rng.choice(len(sources), p=weight / weight.sum()))]
        views.append(draw(source, VIEW_FRAMES + 2 * reach, reach, rng, measured))
    return views


class Views:
    """The views of the last steps, the same for a step whether or not the run was interrupted before it."""

    def __init__(self, pools: Pools, reach: int, seed: int, step: int, measured: float) -> None:
        self.pools, self.reach, self.seed, self.measured = pools, reach, seed, measured
        self.kept: deque[list[View]] = deque(maxlen=STEPS_KEPT)
        for earlier in range(step, step + STEPS_KEPT - 1):
            self.kept.append(self._drawn(earlier))

    def _drawn(self, number: int) -> list[View]:
        return draw_views(self.pools, self.reach, self.measured, np.random.default_rng([self.seed, 7, number]))

    def batch(self, step: int, pairs: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (2, pairs, F, 17, 3) windows, the second one frame after the first, and (2, pairs, 17, 3) targets."""
        self.kept.append(self._drawn(step + STEPS_KEPT - 1))
        rng = np.random.default_rng([self.seed, 8, step])
        views = [view for drawn in self.kept for view in drawn]
        window = 2 * self.reach + 1
        values, targets = [], []
        for which in rng.integers(0, len(views), pairs):
            seen, truth = views[which]
            at = int(rng.integers(0, len(truth) - 1))
            values.append(np.stack([seen[at : at + window], seen[at + 1 : at + 1 + window]]))
            targets.append(truth[at : at + 2])
        return torch.from_numpy(np.stack(values, axis=1)), torch.from_numpy(np.stack(targets, axis=1))


def loss(predicted: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (loss, mean joint error in metres): position error plus a term on first differences."""
    position = torch.linalg.vector_norm(predicted - target, dim=-1).mean()
    velocity = torch.linalg.vector_norm(predicted.diff(dim=0) - target.diff(dim=0), dim=-1).mean()
    return position + VELOCITY_WEIGHT * velocity, position.detach()


def learning_rate(step: int, steps: int, peak: float) -> float:
    warm = min(1.0, (step + 1) / 200)
    return peak * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--out", type=Path, default=Path("src/emc/assets/temporal-small"))
    parser.add_argument("--work", type=Path, default=Path("training-work/lifter"))
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--pairs", type=int, default=256)
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=20260)
    parser.add_argument("--start", type=Path, default=None, help="go on from the weights in this folder")
    parser.add_argument("--measured", type=float, default=0.0, help="share of examples with errors measured of nano")
    parser.add_argument(
        "--motion", type=Path, nargs="+", default=[], help="your own: .bvh, .c3d, .npz, data_3d_h36m.npz"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    network = TemporalNetwork(
        features=FEATURES, filter_widths=(3,) * (options.blocks + 1), channels=options.channels, dropout=0.0
    )
    # The answer is a difference from the flat pose: begin with none.
    torch.nn.init.zeros_(network.shrink.weight)
    torch.nn.init.zeros_(network.shrink.bias)
    if options.start is not None:
        begin_with(network, load_network(options.start)[0])
    train(network, options)


def begin_with(network: TemporalNetwork, start: TemporalNetwork) -> None:
    """Take the weights of a network with as many blocks or fewer; blocks beyond its own begin as next to nothing."""
    network.load_state_dict({**network.state_dict(), **start.state_dict()})
    for block in range(len(start.filter_widths) - 1, len(network.filter_widths) - 1):
        # Not zero: behind the ReLU nothing would ever be learned.
        torch.nn.init.constant_(network.layers_bn[2 * block + 1].weight, GROWN)  # pyright: ignore[reportArgumentType]


def train(network: TemporalNetwork, options: argparse.Namespace) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=1e-3)
    state_file = options.work / "state.pt"
    step, seconds = 0, 0.0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        step, seconds = int(state["step"]), float(state["seconds"])
        print(f"goes on at step {step}", flush=True)
    pools = training_sources(options.shared, options.seed, options.motion)
    views = Views(pools, (network.receptive_field - 1) // 2, options.seed, step, options.measured)
    network.train()
    begun, running = time.monotonic(), math.nan
    while step < options.steps:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, options.steps, options.rate)
        values, targets = views.batch(step, options.pairs)
        total, error = loss(network.lift_windows(values.flatten(0, 1)).unflatten(0, (2, -1)), targets)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        step += 1
        running = float(error) if math.isnan(running) else 0.98 * running + 0.02 * float(error)
        if step % 200 == 0 or step == options.steps:
            spent = seconds + time.monotonic() - begun
            print(f"step {step} error {running * 1000:.1f} mm, {spent:.0f} s", flush=True)
            keep(state_file, network, optimiser, step, spent)
    save_network(
        network,
        options.out,
        {"training": made_by(options)},
    )
    print(f"wrote {options.out}", flush=True)


def made_by(options: argparse.Namespace) -> dict[str, Any]:
    """Return how the weights came about, those that they began with included."""
    made: dict[str, Any] = {"seed": options.seed, "steps": options.steps, "pairs": options.pairs}
    if options.measured:
        made["measured"] = options.measured
    if options.start is not None:
        made["start"] = load_network(options.start)[1].get("training", {})
    return made


def keep(
    file: Path,
    network: TemporalNetwork,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(file)


if __name__ == "__main__":
    main()
