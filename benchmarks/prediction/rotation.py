"""What a rotation ensemble with zoomed passes gives and costs: `python rotation.py [--estimator NAME] [--persons N]`.

On photos that are held out of the training splits of LSPE (320 uncommon poses; the 150 common ones that `nano` was not
trained on), the base as it ships, nothing trained: right joints (PCKh@0.5) and seconds per person, as a ratio to one
turn in the same run. Of an estimator that names no photos that it was not trained on, any common ones judge. `4a` is
adaptive: four rotations, for persons alone whom the first pass is unsure of or sees lying or inverted. The consensus,
the zoomed crops and the adaptive rule were chosen on these photos; the test splits are not read.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import cv2
import torch

import emc.plugins as plugins
from emc.config import read_settings
from emc.estimators.rotation import rotation_ensemble
from emc.estimators.rotation.estimator import ZOOM_BOX_SIDES
from emc.stages.evaluate import before_after
from emc.workflow.bench.lspe import populations
from emc.workflow.progress import Silent
from emc.workflow.samples import read_lspe_split
from emc.workflow.scoring import score_samples

PASSES = ("1", "2", "4", "8", "16", "4+3", "8+1", "8+3", "8+8", "4a", "8a+3")
"""Rotations (a: adaptive), and at how many of them zoomed passes are made."""


def main() -> None:
    """Print a row per way of reading, and write them as JSON with --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--rotations", nargs="+", default=list(PASSES), help="as 8, or 8+3: zoomed passes at 3 of them")
    parser.add_argument("--estimator", default="nano")
    parser.add_argument("--persons", type=int, default=400, help="at most so many photos of each population")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = read_settings(None, {})
    base = plugins.estimator_for(options.estimator)
    splits = {
        name: read_lspe_split(options.shared / "lspe", name, Silent()) for name in ("target_train", "common_train")
    }
    people = populations(splits, settings, frozenset(base.describe().extra.get("held_out_photos", ())))
    target, common = people.validation_target[: options.persons], people.validation_common[: options.persons]
    rows, first = [], None
    for way in options.rotations:
        rotations, _, zooms = way.partition("+")
        turns, adaptive = int(rotations.removesuffix("a")), rotations.endswith("a")
        reader = rotation_ensemble(inner=base, rotations=turns, zooms=int(zooms or 0), adaptive=adaptive)
        start = time.perf_counter()
        scores = score_samples(reader, target, settings.evaluate), score_samples(reader, common, settings.evaluate)
        spent = time.perf_counter() - start
        if first is None:
            first = (scores, spent)
        change = before_after((first[0][0], scores[0]), (first[0][1], scores[1]))
        rows.append(
            {
                "rotations": way,
                "passes": reader.rotations + len(ZOOM_BOX_SIDES) * reader.zooms,
                "target": scores[0].document["pckh"],
                "common": scores[1].document["pckh"],
                "change": change,
                "time_ratio": spent / first[1],
            }
        )
    if options.json:
        print(json.dumps({"rows": rows, "threads": 1, "cores": os.cpu_count()}))
        return
    print(
        "rotations | passes | target legs | target total | leg errors removed, % | common total | change, points | time"
    )
    for row in rows:
        removed, kept = row["change"]["leg_errors_removed"], row["change"]["common_total_change"]
        print(
            f"{row['rotations']} | {row['passes']} | {percent(row['target']['leg'])} | "
            f"{percent(row['target']['total'])} | {interval(removed, 100)} | {percent(row['common']['total'])} | "
            f"{interval(kept, 1)} | "
            f"{row['time_ratio']:.1f}"
        )


def percent(figure: dict) -> str:
    """Return a share in percent with its interval."""
    return interval(figure, 100)


def interval(figure: dict, factor: float) -> str:
    """Return a figure with its 95 % interval."""
    low, high = figure["ci95"] or (float("nan"), float("nan"))
    return f"{factor * figure['value']:.1f} [{factor * low:.1f}, {factor * high:.1f}]"


if __name__ == "__main__":
    main()
