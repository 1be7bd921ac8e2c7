"""The training loop against the bare network: steps per second of both in the same run.

    python calibrate.py [--steps 30] [--rounds 5] [--threads 0] [--estimator nano] [--compiled] [--json]

The bare network does forward, backward and optimizer step on one batch that lies in memory; the loop does what `emc
calibrate` does: it draws, cuts, augments, averages and keeps checkpoints. The ratio is loop / bare, the median over
rounds that alternate. ``bare_cpu_ms`` and ``loop_cpu_ms`` are the processor time of the computing thread per step, and
``batch_cpu_ms`` that of making one batch: with one thread they tell the loop's own work also on a busy machine.
``compiled`` (asked for) is the speed of the bare network by ``torch.compile`` over that without, in processor time.
``kept_memory`` is bare with freed memory kept / bare without, each in a process of its own, since the switch cannot be
turned back.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import time
from typing import Any

import numpy as np
import torch

import emc.plugins as plugins
from emc.config import CalibrateSettings, PredictSettings
from emc.interfaces import Trainable
from emc.pose.records import Sample
from emc.stages.calibrate import Progressed, resolved_precision, train
from emc.stages.calibrate.optimizer import build_optimizer
from emc.workflow.compute import keep_freed_memory, set_threads
from emc.workflow.samples import ClipRequest, sparse_samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--estimator", default="nano")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    set_threads(PredictSettings(threads=asked.threads))
    target, common = (people(motion, 8) for motion in ("side_kick", "walk"))
    rounds = [one_round(asked.estimator, target, common, asked.steps) for _ in range(asked.rounds)]
    bare = statistics.median(row["bare"] for row in rounds)
    document = {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bare_steps_per_s": bare,
        "loop_steps_per_s": statistics.median(row["loop"] for row in rounds),
        "loop_of_bare": statistics.median(row["loop"] / row["bare"] for row in rounds),
        **{name: statistics.median(row[name] for row in rounds) for name in ("bare_cpu_ms", "loop_cpu_ms")},
        "batch_cpu_ms": batch_time(asked.estimator, target, common),
        "kept_memory": in_process(asked, True) / in_process(asked, False),
    }
    if asked.compiled:
        plain, compiled = (bare_rate(asked.estimator, target, asked.steps, how)["cpu_ms"] for how in (False, True))
        document["compiled"] = plain / compiled
    if asked.json:
        print(json.dumps(document, indent=2))
    else:
        for name, value in document.items():
            print(f"{name:20} {value:.3f}" if isinstance(value, float) else f"{name:20} {value}")


def people(motion: str, clips: int) -> list[Sample]:
    return [sample for seed in range(clips) for sample in sparse_samples(ClipRequest(motion, 70_000 + seed, 4))]


def one_round(name: str, target: list[Sample], common: list[Sample], steps: int) -> dict[str, float]:
    bare, loop = bare_rate(name, target, steps), loop_rate(name, target, common, steps)
    return {
        "bare": bare["rate"], "loop": loop["rate"], "bare_cpu_ms": bare["cpu_ms"], "loop_cpu_ms": loop["cpu_ms"]
    }  # fmt: skip


def figures(steps: int, wall: float, cpu: float) -> dict[str, float]:
    return {"rate": steps / wall, "cpu_ms": 1000 * cpu / steps}


def batch_time(name: str, target: list[Sample], common: list[Sample], batches: int = 20) -> float:
    estimator: Trainable = plugins.estimator_for(name)
    samples = ((target + common) * CalibrateSettings().batch)[: CalibrateSettings().batch]
    estimator.collate(samples, np.random.default_rng(0))
    started = time.thread_time()
    for number in range(batches):
        estimator.collate(samples, np.random.default_rng(number))
    return 1000 * (time.thread_time() - started) / batches


def bare_rate(name: str, samples: list[Sample], steps: int, compiled: bool = False) -> dict[str, float]:
    estimator: Trainable = plugins.estimator_for(name)
    settings = CalibrateSettings()
    module = estimator.module.train()
    if compiled:
        module.compile()
    optimizer = build_optimizer(estimator, settings)
    batch = estimator.collate((samples * settings.batch)[: settings.batch], None)
    device = next(module.parameters()).device.type
    half = resolved_precision(device, settings) == "bfloat16"

    def step() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=half):
            loss = estimator.loss(batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(3):
        step()
    started, cpu = time.perf_counter(), time.thread_time()
    for _ in range(steps):
        step()
    return figures(steps, time.perf_counter() - started, time.thread_time() - cpu)


def loop_rate(name: str, target: list[Sample], common: list[Sample], steps: int) -> dict[str, float]:
    events = train(plugins.estimator_for(name), target, common, CalibrateSettings(steps=steps + 3, ladder=1))
    started = cpu = 0.0
    for event in events:
        if isinstance(event, Progressed) and event.step == 3:
            started, cpu = time.perf_counter(), time.thread_time()
        if isinstance(event, Progressed) and event.step == steps + 3:
            return figures(steps, time.perf_counter() - started, time.thread_time() - cpu)
    raise SystemExit("the loop ended early")


def in_process(asked: argparse.Namespace, kept: bool) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured_bare, (asked.estimator, asked.steps, asked.threads, kept))


def measured_bare(*asked: Any) -> float:
    name, steps, threads, kept = asked
    torch.set_num_threads(threads or os.cpu_count() or 1)
    if kept:
        keep_freed_memory()
    return bare_rate(name, people("side_kick", 8), steps)["rate"]


if __name__ == "__main__":
    main()
