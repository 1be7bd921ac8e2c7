"""What a change of each constant of the repair does.

Usage: python propagate_constants.py [--clips 12] [--seed 900] [--size 320] [--only NAME ...] [--json]. Constants of the
smoother (`PropagationTuning`) and of the optical flow are made smaller and larger one at a time; the fixes and counts
are those of ``propagate.py``, with flow, on other clips. Those of the model's drift are left out: the fixes do not tell
where the model saw the joint. Nothing is chosen by these clips: they say what the code's comments claim.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import cv2
import propagate as bench
import torch

import emc.plugins as plugins
import emc.stages.propagate as stage
import emc.stages.propagate.flow as flow
import emc.stages.propagate.smoother as smoother
from emc.stages.propagate import PropagationTuning
from emc.synth.motion.motions import KICKS

TUNED: dict[str, tuple[Any, ...]] = {
    "right": (0.009, 0.036), "wrong": (0.12, 0.5), "acceleration": ((0.002, 0.015), (0.008, 0.06)),
    "stay": (0.5, 0.8, 0.95), "doubt": (0.025, 0.1, 0.3), "apart": (0.015, 0.06), "sure": (0.0075, 0.03),
    "bridge": (0, 6), "rounds": (1, 4, 16),
}  # fmt: skip
FLOW: dict[str, tuple[Any, ...]] = {
    "SIDE": (112, 448), "_WINDOW": (11, 31), "_LEVELS": (0, 1, 3), "_HALF": (24, 96), "_TEMPLATE": (7, 21),
    "_ALIKE": (0.0, 0.5, 0.85), "_STEP": (0.0015, 0.006), "_ROUNDS": (4, 30),
}  # fmt: skip
Made = Callable[[], AbstractContextManager[Any]]


def variants() -> dict[str, tuple[Made, PropagationTuning, bool]]:
    """Return by name: what to change while it runs, how to weigh, and whether flow is followed again."""
    found: dict[str, tuple[Made, PropagationTuning, bool]] = {"as it is": (nullcontext, PropagationTuning(), False)}
    for name, values in TUNED.items():
        for value in values:
            found[f"{name} {value}"] = (nullcontext, replace(PropagationTuning(), **{name: value}), False)
    for value in (0.05, 2.0):
        found[f"HUMAN_SPREAD {value}"] = (
            partial(patch.object, smoother, "HUMAN_SPREAD", value), PropagationTuning(), False,
        )  # fmt: skip
    for name, values in FLOW.items():
        for value in values:
            found[f"{name} {value}"] = (partial(patch.object, flow, name, value), PropagationTuning(), True)
    return found


def measure(
    cases: list[bench.Case], change: Made, tuning: PropagationTuning, again: bool, chains: dict[Any, Any]
) -> bench.Count:
    """Fix every run of every case; `chains` keeps what flow found where it is not followed again."""
    count = bench.Count()
    followed = bench.chain_of

    def kept(case: bench.Case, run: Any, at: int) -> Any:
        if again:
            return followed(case, run, at)
        key = (id(case), at, tuple(run.human[at]))
        if key not in chains:
            chains[key] = followed(case, run, at)
        return chains[key]

    def tuned(*given: Any) -> Any:
        return stage.propagate(*given, tuning=tuning)

    for case in cases:
        if again:
            case.crops = []
        with change(), patch.object(bench, "chain_of", kept), patch.object(bench, "propagate", tuned):
            bench.measure(case, count, flow=True)
        if again:
            case.crops = []
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--seed", type=int, default=900)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--only", nargs="+", default=[], help="Names of constants (default: all).")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    estimator = plugins.estimator_for("nano")
    cases = [bench.rendered(KICKS[i % len(KICKS)], given.seed + i, given.size, estimator) for i in range(given.clips)]
    chains: dict[Any, Any] = {}
    rows: dict[str, dict[str, Any]] = {}
    for name, (change, tuning, again) in variants().items():
        if given.only and name != "as it is" and name.split()[0] not in given.only:
            continue
        told = bench.count_text(measure(cases, change, tuning, again, chains))
        rows[name] = told
        if not given.json:
            print(
                f"{name:28} repaired per fix {told['repaired_per_fix']:5.2f}   right made wrong "
                f"{told['right_made_wrong']:4d} ({100 * told['share_of_right_made_wrong']:.2f} %)   "
                f"fixes {told['fixes']}",
                flush=True,
            )
    if given.json:
        json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
