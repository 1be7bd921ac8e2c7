"""Train the embedded person detector: ``python training/detector.py --photos FOLDER --cache FOLDER``.

One thread, seeded, resumable: masks and renders are kept in the cache, and every `SAVE_EVERY` steps a checkpoint from
which the same command goes on. Every image depends on its step alone, so that a resumed run is the run that was not
interrupted. `FOLDER` is the shared data's `lspe` folder; of it only `common_train` is read.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from detector_photos import read_photos
from detector_scenes import SIDE, STRIDE, Pool, Rendered, Scene, compose
from emc.detectors.embedded.detector import save_detector
from emc.detectors.embedded.network import DetectorNetwork, cell_centres
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS
from emc.synth.scene.backdrop import BACKDROPS, paint_backdrop
from emc.synth.scene.camera import look_at
from emc.synth.scene.scene import sample_frame

CELLS = SIDE // STRIDE
RENDER_SIZE = 224
SAVE_EVERY = 200
EMA = 0.997


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(arguments.seed)
    photos = read_photos(arguments.photos, arguments.cache / "photos", arguments.photo_limit)
    rendered = read_rendered(arguments.cache / "rendered", arguments.rendered, arguments.seed)
    empty = [_empty(np.random.default_rng([arguments.seed, 7, number])) for number in range(300)]
    print(f"{len(photos)} photos, {len(rendered)} rendered frames, {len(empty)} empty backdrops", flush=True)
    pool = Pool(photos, rendered, empty)
    train(pool, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="the lspe folder of the shared data")
    parser.add_argument("--cache", type=Path, default=Path("training-cache/detector"))
    parser.add_argument("--out", type=Path, default=Path("src/emc/assets/detector"))
    parser.add_argument("--steps", type=int, default=2300)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--photo-limit", type=int, default=2900)
    parser.add_argument("--rendered", type=int, default=1000)
    parser.add_argument("--stop-at", type=float, default=float("inf"), help="seconds after which to stop and save")
    return parser.parse_args()


def read_rendered(folder: Path, count: int, seed: int) -> list[Rendered]:
    """Return `count` rendered frames of one to three people, kept as PNG with their boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = []
    for number in range(count):
        kept = folder / f"{number:05d}.npz"
        if not kept.exists():
            frame = sample_frame(
                np.random.default_rng([seed, 3, number]),
                motions=(*COMMON_MOTIONS, *UNCOMMON_MOTIONS),
                size=(RENDER_SIZE, RENDER_SIZE),
                people=1 + number % 3,
            )
            boxes = np.array([person.box for person in frame.people if person.area > 60], np.float32).reshape(-1, 4)
            np.savez(kept, image=frame.image, boxes=boxes)
        with np.load(kept) as data:
            frames.append(Rendered(data["image"], data["boxes"]))
    return frames


def _empty(rng: np.random.Generator) -> np.ndarray:
    height, distance = rng.uniform(0.4, 3.0), rng.uniform(2, 8)
    camera = look_at((distance, height, 0.0), (0.0, 1.0, 0.0), rng.uniform(180, 420), (SIDE, SIDE))
    return paint_backdrop(rng, camera, (SIDE, SIDE), BACKDROPS[int(rng.integers(len(BACKDROPS)))], distance + 4)


def targets(scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the centre map (C, C), the box of each cell (4, C, C) as x0 y0 x1 y1, and the weight of its box loss.

    The centre map holds a Gaussian per person as wide as its box (Liu et al., *Training-time-friendly network*,
    AAAI 2020), exactly 1 at the cell of the centre; cells well inside it learn the box.
    """
    heat = np.zeros((CELLS, CELLS), np.float32)
    corners = np.zeros((4, CELLS, CELLS), np.float32)
    weight = np.zeros((CELLS, CELLS), np.float32)
    grid = np.arange(CELLS)
    for box in sorted(scene.boxes, key=lambda b: -float(b[2] * b[3])):
        centre = (box[:2] + box[2:] / 2) / STRIDE
        cell = np.clip(centre.astype(int), 0, CELLS - 1)
        spread = np.maximum(box[2:] / STRIDE * 0.09, 0.35)
        bump = np.outer(
            np.exp(-((grid - cell[1]) ** 2) / (2 * spread[1] ** 2)),
            np.exp(-((grid - cell[0]) ** 2) / (2 * spread[0] ** 2)),
        )
        near = (bump > 0.2) & (bump >= heat)
        heat = np.maximum(heat, bump)
        corners[:, near] = np.concatenate([box[:2], box[:2] + box[2:]])[:, None] - 0.5
        weight[near] = bump[near] / bump[bump > 0.2].sum()
    return heat, corners, weight


def focal_loss(logits: Tensor, heat: Tensor, weight: Tensor, persons: float) -> Tensor:
    """Return the penalty-reduced focal loss of the centre map (Law and Deng, ECCV 2018), per person."""
    share = logits.sigmoid()
    centre = heat > 0.999
    hit = (1 - share) ** 2 * functional.logsigmoid(logits)
    miss = (1 - heat) ** 4 * share**2 * functional.logsigmoid(-logits) * weight
    return -torch.where(centre, hit, miss).sum() / persons


def box_loss(sides: Tensor, corners: Tensor, weight: Tensor, persons: float) -> Tensor:
    """Return the generalised IoU loss (Rezatofighi et al., CVPR 2019) of the weighted cells, per person."""
    centres = cell_centres(CELLS, CELLS)
    low, high = centres - sides[:, :2], centres + sides[:, 2:]
    true_low, true_high = corners[:, :2], corners[:, 2:]
    overlap = (torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(min=0).prod(dim=1)
    union = (high - low).prod(dim=1) + (true_high - true_low).prod(dim=1) - overlap
    hull = (torch.maximum(high, true_high) - torch.minimum(low, true_low)).prod(dim=1).clamp(min=1e-6)
    giou = overlap / union.clamp(min=1e-6) - (hull - union) / hull
    return ((1 - giou) * weight).sum() / persons


def batch_of(pool: Pool, seed: int, step: int, size: int) -> tuple[Tensor, ...]:
    """Return images, centre maps, cell boxes, box weights and "nobody here" weights of one step."""
    scenes = [compose(pool, np.random.default_rng([seed, 1, step, number])) for number in range(size)]
    images = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2).float() / 255
    heat, corners, weight = (np.stack(parts) for parts in zip(*(targets(s) for s in scenes), strict=True))
    nobody = np.stack([scene.weight for scene in scenes])
    return images, *(torch.from_numpy(array) for array in (heat[:, None], corners, weight, nobody[:, None]))


def train(pool: Pool, arguments: argparse.Namespace) -> None:
    """Train to `--steps`, from the checkpoint where there is one, and write the averaged weights."""
    network, average = DetectorNetwork(), DetectorNetwork()
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=0.02)
    checkpoint = arguments.cache / "checkpoint.pt"
    first = _resume(checkpoint, network, average, optimiser)
    began, losses = time.monotonic(), []
    for step in range(first, arguments.steps):
        _set_rate(optimiser, arguments.rate, step, arguments.steps)
        images, heat, corners, weight, nobody = batch_of(pool, arguments.seed, step, arguments.batch)
        logits, sides = network(images)
        persons = max(1.0, float((heat > 0.999).sum()))
        centre = focal_loss(logits, heat, nobody, persons)
        box = box_loss(sides, corners, weight, persons)
        optimiser.zero_grad()
        (centre + 2 * box).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
        optimiser.step()
        _follow(average, network, min(EMA, (step + 1) / (step + 10)))
        losses.append((float(centre.detach()), float(box.detach())))
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == arguments.steps:
            spent = time.monotonic() - began
            shown = np.mean(losses, axis=0).round(3).tolist()
            print(f"step {step + 1}: centre, box loss {shown}; {spent:.0f} s", flush=True)
            losses.clear()
            torch.save(
                {"step": step + 1, "network": network.state_dict(), "average": average.state_dict(),
                 "optimiser": optimiser.state_dict()}, checkpoint,
            )  # fmt: skip
            save_detector(average, arguments.out, {"steps": step + 1, "seed": arguments.seed})
            if spent > arguments.stop_at:
                return


def _resume(
    checkpoint: Path, network: DetectorNetwork, average: DetectorNetwork, optimiser: torch.optim.Optimizer
) -> int:
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    print(f"going on after step {state['step']}", flush=True)
    return int(state["step"])


def _set_rate(optimiser: torch.optim.Optimizer, peak: float, step: int, steps: int) -> None:
    """Warm up over 100 steps, then fall along a cosine to 1 % of the peak."""
    warm = min(1.0, (step + 1) / 100)
    rate = peak * warm * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * step / steps)))
    for group in optimiser.param_groups:
        group["lr"] = float(rate)


@torch.no_grad()
def _follow(average: DetectorNetwork, network: DetectorNetwork, keep: float) -> None:
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - keep)
        else:
            kept.copy_(new)


if __name__ == "__main__":
    main()
