"""Training steps beside other busy programs: `python busy.py [--others N] [--rounds N] [--steps N] [--json]`.

Time of a step of `nano` on all cores, in a program of its own each time, alone and beside `--others` programs that keep
a core busy each: with OpenMP's threads waiting as GNU's library does unasked (300,000 turns of a loop, then asleep) and
asleep at once (what EMC asks for, unless ``OMP_WAIT_POLICY`` or ``GOMP_SPINCOUNT`` is set). Rounds of all in turn; wall
and CPU seconds a step, medians, and the median over the rounds of unasked over asleep.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

FIRST = 3
"""Steps that are not counted: memory is asked for, and the kernels are chosen."""
WAITING = {"unasked": {"GOMP_SPINCOUNT": "300000"}, "asleep": {"OMP_WAIT_POLICY": "PASSIVE"}}


def child(steps: int) -> None:
    from emc.config import CalibrateSettings
    from emc.estimators.nano import NanoEstimator
    from emc.stages.calibrate import Progressed, train
    from emc.workflow.samples import ClipRequest
    from emc.workflow.samples.rendered import sparse_samples

    target, common = (sparse_samples(ClipRequest(motion, 1, 6)) for motion in ("side_kick", "walk"))
    done = 0
    wall = cpu = 0.0
    for event in train(NanoEstimator(), target, common, CalibrateSettings(steps=FIRST + steps, ladder=1)):
        if isinstance(event, Progressed):
            done += 1
            if done == FIRST:
                wall, cpu = time.perf_counter(), time.process_time()
            if done == FIRST + steps:
                break
    print(json.dumps({"wall": (time.perf_counter() - wall) / steps, "cpu": (time.process_time() - cpu) / steps}))


def measured(waiting: str, others: int, steps: int) -> dict[str, float]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(others)]
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--child", "--steps", str(steps)], env=os.environ | WAITING[waiting],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        for program in busy:
            program.kill()
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--others", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.steps)
        return 0
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(asked.rounds):
        for others in (0, asked.others):
            for waiting in WAITING:
                found.setdefault(f"{waiting}, {others} others", []).append(measured(waiting, others, asked.steps))
    rows = {
        name: {key: statistics.median(one[key] for one in rounds) for key in ("wall", "cpu")}
        for name, rounds in found.items()
    }
    for others in (0, asked.others):
        pairs = zip(found[f"unasked, {others} others"], found[f"asleep, {others} others"], strict=True)
        rows[f"unasked over asleep, {others} others"] = {
            "wall": statistics.median(one["wall"] / two["wall"] for one, two in pairs)
        }
    print(json.dumps({"cores": os.cpu_count(), "rows": rows}, indent=None if asked.json else 2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
