"""Fit the confidence of published networks: `python training/confidence.py [--shared ../shared/data] [--persons 400]`.

P(right) by the predictions' own signals (`emc.stages.confidence`: logistic sums, isotonic curves, both cross-fitted
over photos), on photos of LSPE's training splits that none of these networks was trained on, half of uncommon and half
of common poses. "Right" = within 0.5 head segments. LSPE labels no faces: their joints follow what all joints share.
Written to `src/emc/assets/confidence/KEY.json`, one file for the weights of each estimator. Target and common clips
share the fit, for what a user films as uncommon motion is mostly people who stand and walk.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

import emc.plugins as plugins
from emc.interfaces import Estimator
from emc.pose.records import Role, Sample
from emc.stages.confidence import fit_confidence
from emc.stages.evaluate import confidence_figures, joint_hits, score_confidence
from emc.workflow.calibration import original_pixels
from emc.workflow.predict import model_key
from emc.workflow.progress import Silent
from emc.workflow.samples import read_lspe_split
from emc.workflow.scoring import predict_samples

ESTIMATORS = ("movenet-thunder+rotation", "movenet-lightning+rotation", "movenet-thunder", "movenet-lightning")
HOW = ("head_segment", 0.5)
ASSETS = Path(__file__).parents[1] / "src" / "emc" / "assets" / "confidence"


def people(shared: Path, persons: int, seed: int) -> list[Sample]:
    """Return photos of both training splits in equal numbers, drawn by a seed."""
    rng = np.random.default_rng(seed)
    found: list[Sample] = []
    for split in ("target_train", "common_train"):
        samples = read_lspe_split(shared / "lspe", split, Silent())
        found += [samples[i] for i in rng.permutation(len(samples))[: persons // 2]]
    return found


def fitted(estimator: Estimator, samples: Sequence[Sample]) -> dict[str, object]:
    """Return the document of a fit, and what it changes by cross-fitting."""
    own, predicted = original_pixels(samples, predict_samples(estimator, samples))
    hits = joint_hits(predicted, own, estimator.skeleton, *HOW)
    fit = fit_confidence(predicted, hits, [s.group for s in own], estimator.skeleton)
    after = [replace(p, confidence=c.astype(np.float32)) for p, c in zip(predicted, fit.cross_fitted, strict=True)]
    about = {
        "persons": len(own),
        "joints": int(np.isfinite(hits).sum()),
        "photos": "LSPE, training splits",
        "alpha": 0.5,
    }
    model = replace(fit.model, about=about | {"model": model_key(estimator), "head_size": HOW[0]}).as_json()
    scored = {
        when: confidence_figures(score_confidence(one, own, estimator.skeleton, *HOW, 15, 1000))
        for when, one in (("before", predicted), ("after", after))
    }
    return {"model": model_key(estimator), "roles": {str(role): model for role in Role}, "scores": scored}


def main() -> None:
    """Write a file for each estimator, and print its calibration error before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--persons", type=int, default=400)
    parser.add_argument("--estimators", nargs="+", default=list(ESTIMATORS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ASSETS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    samples = people(options.shared, options.persons, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.estimators:
        document = fitted(plugins.estimator_for(name), samples)
        scores = document.pop("scores")
        (options.out / f"{document['model']}.json").write_text(json.dumps(document) + "\n", encoding="utf-8")
        print(name, json.dumps(scores))


if __name__ == "__main__":
    main()
