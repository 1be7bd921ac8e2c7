"""What a change of each constant of the fitted confidence does: `python confidence_constants.py [--shared FOLDER]`.

Photos of uncommon poses as in ``confidence.py``; one constant is changed at a time, fitted on 50, 200 and 800 training
people and measured on test people. The constants were not chosen by this table: it says what the code's comments claim.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import torch

import confidence as bench
import emc.plugins as plugins
import emc.stages.confidence.fit as fit
import emc.stages.confidence.model as model
from emc.stages.confidence import SIGNAL_SETS
from emc.workflow.progress import Silent
from emc.workflow.samples import read_lspe_split

COUNTS = (50, 200, 800)
CHANGED: tuple[tuple[Any, str, tuple[Any, ...]], ...] = (
    (fit, "RIDGE_ALL", (0.3, 30.0)),
    (fit, "RIDGE_OWN", (2.0, 200.0)),
    (fit, "CONSTANT", (0.005, 1.0)),
    (fit, "FOLDS", (2, 10)),
    (model, "PRIOR_JOINTS", (0.0, 10.0, 1000.0)),
)
KNOTS = (9, 129)
FIGURES = ("ece", "auroc_wrong", "ap_wrong")


def variants() -> list[tuple[str, AbstractContextManager[Any]]]:
    found: list[tuple[str, AbstractContextManager[Any]]] = [("as it is", nullcontext())]
    for module, name, values in CHANGED:
        found += [(f"{name} {value}", patch.object(module, name, value)) for value in values]
    for knots in KNOTS:
        found.append((f"knots {knots}", patch.object(model.quantile_knots, "__defaults__", (knots,))))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    estimator = plugins.estimator_for("nano")
    names = ("target_train", "target_test")
    splits = [read_lspe_split(given.shared / "lspe", name, Silent()) for name in names]
    train, test = (bench.predicted(estimator, samples) for samples in splits)
    rows: dict[str, dict[int, dict[str, float]]] = {}
    for name, change in variants():
        rows[name] = {}
        for count in COUNTS:
            with change:
                after = bench.measure(train, test, estimator, 0, SIGNAL_SETS, count)["after"]
            rows[name][count] = {
                key: round(float(after[key]["value"]), 3) for key in ("ece", "auroc_wrong", "ap_wrong")
            }
        if not given.json:
            print(f"{name:20}", "   ".join(f"{count}: {figures}" for count, figures in rows[name].items()), flush=True)
    if given.json:
        json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
