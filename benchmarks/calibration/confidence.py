"""Measure the fitted confidence: `python benchmarks/calibration/confidence.py [--shared ../shared/data] [--json]`.

Fitted on the training people alone, measured on test people that no fit has seen: photos of uncommon poses
(`target_train` -> `target_test`), of common ones (photos that the model was not trained on -> `common_test`), and
rendered kicks of other persons. "Wrong" = beyond 0.5 head segments. Intervals: 1,000 paired bootstraps over photos
(rendered: clips).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

import emc.plugins as plugins
from emc.interfaces import Estimator
from emc.pose.records import Prediction, Sample
from emc.stages.confidence import SIGNAL_SETS, fit_confidence, with_confidence
from emc.stages.evaluate import compare_confidence, confidence_figures, joint_hits, score_confidence
from emc.synth.motion.motions import KICKS
from emc.workflow.calibration import original_pixels
from emc.workflow.progress import Silent
from emc.workflow.samples import ClipRequest, read_lspe_split, sparse_samples
from emc.workflow.scoring import predict_samples

People = tuple[list[Sample], list[Prediction]]
FIGURES = ("ece", "auroc_wrong", "ap_wrong", "precision_at_100", "precision_at_500")


def predicted(estimator: Estimator, samples: Sequence[Sample]) -> People:
    return original_pixels(samples, predict_samples(estimator, samples))


def photos(estimator: Estimator, folder: Path) -> dict[str, People]:
    found = {name: read_lspe_split(folder, name, Silent()) for name in ("target_train", "target_test", "common_test")}
    unseen = frozenset(estimator.describe().extra.get("held_out_photos", ()))
    train = [s for s in read_lspe_split(folder, "common_train", Silent()) if s.clip in unseen]
    return {name: predicted(estimator, samples) for name, samples in (found | {"common_train": train}).items()}


def kicks(estimator: Estimator, clips: int, first: int) -> People:
    orders = [ClipRequest(KICKS[i % len(KICKS)], first + i, 6) for i in range(clips)]
    return predicted(estimator, [sample for order in orders for sample in sparse_samples(order)])


def measure(
    train: People, test: People, estimator: Estimator, bootstrap: int, kinds: Sequence[str], count: int
) -> dict:
    skeleton = estimator.skeleton
    samples, found = train[0][:count], train[1][:count]
    hits = joint_hits(found, samples, skeleton, "head_segment", 0.5)
    fit = fit_confidence(found, hits, [s.group for s in samples], skeleton, kinds=kinds)
    after = with_confidence(test[1], fit.model, skeleton)
    how = (skeleton, "head_segment", 0.5, 15, bootstrap)
    return {
        "persons": len(samples),
        "signals": fit.model.kind,
        "before": confidence_figures(score_confidence(test[1], test[0], *how)),
        "after": confidence_figures(score_confidence(after, test[0], *how)),
        "change": compare_confidence(test[1], after, test[0], *how),
    }


def measure_all(estimator: Estimator, lspe: Path | None, clips: int, bootstrap: int) -> dict[str, dict]:
    rows: dict[str, dict] = {}
    if lspe is not None:
        sets = photos(estimator, lspe)
        train, test = sets["target_train"], sets["target_test"]
        for count in (25, 50, 100, 200, 400, 800, len(train[0])):
            rows[f"photos, uncommon: {count} persons"] = measure(train, test, estimator, bootstrap, SIGNAL_SETS, count)
        alone = measure(train, test, estimator, bootstrap, ("heatmap",), len(train[0]))
        rows[f"photos, uncommon: {len(train[0])} persons, heatmap signals alone"] = alone
        common, seen = sets["common_train"], sets["common_test"]
        rows["photos, common: fitted on common"] = measure(
            common, seen, estimator, bootstrap, SIGNAL_SETS, len(common[0])
        )
        rows["photos, common: fitted on uncommon"] = measure(
            train, seen, estimator, bootstrap, SIGNAL_SETS, len(train[0])
        )
    train, test = kicks(estimator, clips, 50_000), kicks(estimator, clips, 60_000)
    rows[f"rendered kicks: {len(train[0])} persons"] = measure(
        train, test, estimator, bootstrap, SIGNAL_SETS, len(train[0])
    )
    return rows


def cell(figure: dict) -> str:
    if figure["value"] is None:
        return "-"
    text = f"{figure['value']:.3f}"
    return text if not figure["ci95"] else f"{text} [{figure['ci95'][0]:.3f}, {figure['ci95'][1]:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--estimator", default="nano", help="a name from `emc models`, or a saved model's folder")
    parser.add_argument("--clips", type=int, default=60, help="rendered kicks to fit on, and as many to measure on")
    parser.add_argument("--bootstrap", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    estimator = plugins.estimator_for(options.estimator)
    lspe = options.shared / "lspe"
    if not lspe.is_dir():
        print(f"no photos in {lspe}: only rendered kicks are measured", file=sys.stderr)
    rows = measure_all(estimator, lspe if lspe.is_dir() else None, options.clips, options.bootstrap)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"| fitted on | signals | | {' | '.join(FIGURES)} |")
    print("|---|---|---|" + "---|" * len(FIGURES))
    for name, row in rows.items():
        for when in ("before", "after", "change"):
            cells = (cell(row[when][figure]) if figure in row[when] else "-" for figure in FIGURES)
            print(f"| {name} | {row['signals']} | {when} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
