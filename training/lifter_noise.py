"""Measure `nano`'s errors before and after calibration: `python training/lifter_noise.py --work training-work/noise`.

Renders people doing the package's uncommon motions (target) and everyday ones (common), calibrates `nano` on them as
`emc calibrate` does (8:2), and writes ``nano.json`` and ``nano-calibrated.json``: the noise that `emc bench lift` and
the training of the lifter use. People and clips of the calibration are not those that the noise is measured on.
Seeded, resumable: run it again with the same `--work` and it goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from emc.config import Settings, read_settings
from emc.pose.records import Sample
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS
from emc.workflow.bench.lspe import hold_out
from emc.workflow.bench.noise import bench_noise, write_noise
from emc.workflow.calibration import Populations, run_ladder, trainable_estimator
from emc.workflow.progress import Silent
from emc.workflow.samples import ClipRequest, sparse_samples
from emc.workflow.samples.rendered import FRAMES_PER_PERSON

TARGET_SEED, COMMON_SEED = 600_000, 650_000


def rendered(motions: Sequence[str], people: int, seed: int) -> list[Sample]:
    orders = [ClipRequest(motions[i % len(motions)], seed + i, FRAMES_PER_PERSON) for i in range(people)]
    return [sample for order in orders for sample in sparse_samples(order)]


def settings_of(options: argparse.Namespace, estimator: str) -> Settings:
    chosen = {"steps": options.steps, "seed": options.seed, "shares": (0.7, 0.9)}
    return read_settings(None, {}, predict={"estimator": estimator, "threads": 1}, calibrate=chosen)


def calibrate(options: argparse.Namespace) -> Path:
    settings = settings_of(options, "nano")
    target = rendered(UNCOMMON_MOTIONS, options.people, TARGET_SEED)
    common = rendered(COMMON_MOTIONS, options.people // 2, COMMON_SEED)
    print(f"rendered {len(target)} target and {len(common)} common persons", flush=True)
    train_target, held_target = hold_out(target, settings)
    train_common, held_common = hold_out(common, settings)
    data = Populations(train_target, train_common, held_target, held_common)
    document = run_ladder(trainable_estimator(settings), data, settings, options.work, PrintedProgress())
    print(f"chosen: {document['chosen']['why']}", flush=True)
    return options.work / "chosen"


class PrintedProgress(Silent):
    """Progress that only speaks."""

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, flush=True)


def write(document: dict[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_noise(document, path)
    print(f"wrote {path}: {json.dumps(document['summary'])}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("src/emc/assets/noise"))
    parser.add_argument("--work", type=Path, default=Path("training-work/noise"))
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--people", type=int, default=240)
    parser.add_argument("--clips", type=int, default=36)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    write(bench_noise(options.clips, settings_of(options, "nano")), options.out / "nano.json")
    chosen = calibrate(options)
    write(bench_noise(options.clips, settings_of(options, str(chosen))), options.out / "nano-calibrated.json")


if __name__ == "__main__":
    main()
