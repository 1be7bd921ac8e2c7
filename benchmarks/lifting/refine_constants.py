"""What a change of each constant of the refinement does: `python refine_constants.py [--shared FOLDER] [--json]`.

The three populations of ``refine.py`` with other seeds and fewer clips; one constant is changed at a time. MPJPE in mm
and, on kicks, the share of the ankle's true peak speed that is left. Nothing is chosen by these clips: they say what
the code's comments claim.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import refine as bench
import torch

import emc.stages.refine.contacts as contacts
import emc.stages.refine.lengths as lengths
import emc.stages.refine.root as root
import emc.stages.refine.solve as solve
import emc.stages.refine.terms as terms
from emc.lifters.temporal import TemporalSmallLifter

SEED = 717_000
FACTORS = (0.5, 2.0)
SCALED = {
    terms: ("ACROSS", "ALONG", "SURE", "LOOSE", "JITTER", "STRAY", "BONE", "ACCELERATION", "PEAKS", "STANDING"),
    contacts: ("SLOW", "QUICK", "NEAR", "HIGH", "SHORTEST", "ROLL", "PITCH", "UPRIGHT", "_PLACE"),
    lengths: ("PROPORTION", "STATURE"),
    root: ("FASTEST", "ROUGH", "_USUAL"),
}
"""Constants that are halved and doubled."""
SET = (
    (solve, "STEPS", (1, 2, 3, 12)),
    (lengths, "STEPS", (1, 3, 12)),
    (lengths, "FRAMES", (120, 2400)),
    (root, "_ROUNDS", (0, 2, 12)),
    (contacts, "_ROUNDS", (1, 2, 8)),
)


def variants() -> Iterator[tuple[str, list[tuple[Any, str, Any]]]]:
    yield "as it is", []
    for module, names in SCALED.items():
        for name in names:
            for factor in FACTORS:
                value = getattr(module, name) * factor
                holders = [one for one in (module, lengths) if hasattr(one, name)]
                yield f"{name} x {factor:g}", [(one, name, value) for one in dict.fromkeys(holders)]
    for module, name, values in SET:
        for value in values:
            yield f"{module.__name__.rsplit('.', 1)[-1]} {name} {value}", [(module, name, value)]


def measured(cases: list[bench.Case], lifted: list[Any]) -> dict[str, float]:
    errors, peaks = [], []
    for case, sequence in zip(cases, lifted, strict=True):
        found = bench.refined(case, sequence, bench.DEFAULT).xyz.astype(np.float64)
        errors.append(bench.mean_error(bench.mpjpe_errors(found, case.exact.xyz)))
        peaks.append(bench.peak_speed(found) / bench.peak_speed(case.exact.xyz))
    return {"mpjpe": round(float(np.mean(errors)), 1), "peak": round(float(np.mean(peaks)), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--clips", type=int, default=6, help="At most this many of each population.")
    parser.add_argument("--only", nargs="+", default=[], help="Names of constants (default: all).")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    shared = given.shared if (given.shared / "mocap" / "mocap.npz").is_file() else None
    lifter = TemporalSmallLifter()
    with patch.object(bench, "SEED", SEED):
        populations = {
            name: cases[:: max(1, len(cases) // given.clips)][: given.clips]
            for name, cases in bench.populations(shared, 1, given.clips).items()
        }
    lifted = {name: [case.lifted(lifter) for case in cases] for name, cases in populations.items()}
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for name, changes in variants():
        if given.only and changes and changes[0][1] not in given.only:
            continue
        with ExitStack() as stack:
            for module, constant, value in changes:
                stack.enter_context(patch.object(module, constant, value))
            rows[name] = {kind: measured(cases, lifted[kind]) for kind, cases in populations.items()}
        if not given.json:
            told = "  ".join(
                f"{kind} {one['mpjpe']:.1f} mm, peak {one['peak']:.2f};" for kind, one in rows[name].items()
            )
            print(f"{name:24} {told}", flush=True)
    if given.json:
        json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
