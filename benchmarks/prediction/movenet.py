"""`nano`, MoveNet Lightning and Thunder, nothing calibrated: `python movenet.py [--shared FOLDER] [--persons N]`.

Given boxes. Right joints (PCKh@0.5, legs and all) on the test photos of LSPE, common and target, and OKS-AP on
`coco-mini` (53 images, 147 persons; MoveNet was trained on COCO, so these images may not be unseen), each with its 95 %
interval over photos or images; CPU time a person on one thread, on common and on target photos. MoveNet is read by the
decoding of the published graph ("reference"), by the softer one ("soft"), as the estimator chooses ("own"), and with
rotations for persons who are unsure, lying or inverted ("adaptive"). Nothing was chosen on the LSPE test splits; from
how much of a neighbour on the reference decoding is taken was chosen on `coco-mini`. persons : so many of the photos of
each split, drawn by a seed. ``--labels verified`` scores on the photos whose labels were verified by eye
(`benchmarks/labels`), corrected where two looks agreed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch

import emc.plugins as plugins
from emc.config import EvaluateSettings
from emc.estimators.movenet.decode import REFERENCE, SOFT
from emc.formats.poses.coco import CocoFormat
from emc.pose.metrics.oks import average_precisions
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons import COCO17
from emc.stages.evaluate import match_people
from emc.workflow.progress import Silent
from emc.workflow.samples.lspe import read_lspe_split
from emc.workflow.scoring import score_samples

sys.path.insert(0, str(Path(__file__).parents[1] / "labels"))
from verified import with_verified_labels

READERS: dict[str, tuple[str, float | None]] = {
    "nano": ("nano", None),
    "Lightning, reference": ("movenet-lightning", REFERENCE),
    "Lightning, soft": ("movenet-lightning", SOFT),
    "Lightning, own": ("movenet-lightning", None),
    "Thunder, reference": ("movenet-thunder", REFERENCE),
    "Thunder, soft": ("movenet-thunder", SOFT),
    "Thunder, own": ("movenet-thunder", None),
    "Lightning, adaptive": ("movenet-lightning+rotation", None),
    "Thunder, adaptive": ("movenet-thunder+rotation", None),
}
OWN = ("Lightning, own", "Thunder, own")
"""On photos with one box these read softly: they are measured on `coco-mini` alone."""
SPLITS = ("common_test", "target_test")
RESAMPLES = 1000


def main() -> None:
    """Print a row per way of reading."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--readers", nargs="+", default=list(READERS), choices=list(READERS))
    parser.add_argument("--persons", type=int, default=400)
    parser.add_argument("--labels", choices=("raw", "verified"), default="raw")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = {name: drawn(read_lspe_split(options.shared / "lspe", name, Silent()), options.persons) for name in SPLITS}
    if options.labels == "verified":
        photos = {name: with_verified_labels(samples, name) for name, samples in photos.items()}
    people = coco_people(options.shared / "coco-mini")
    rows = [measured(name, photos, people) for name in options.readers]
    if options.json:
        print(json.dumps({"rows": rows, "persons": options.persons, "threads": 1, "cores": os.cpu_count()}))
        return
    print("| | common legs / all | target legs / all | COCO AP | AP50 | ms, common / target | parameters |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        cells = [f"{shown(row[s]['leg'])} / {shown(row[s]['total'])}" if s in row else "as soft" for s in SPLITS]
        cells += [shown(row["coco"]["ap"]), shown(row["coco"]["ap50"])]
        times = " / ".join(f"{row['ms'][s]:.0f}" for s in SPLITS if s in row["ms"])
        cells += [times or "as soft", f"{row['parameters']:,}"]
        print(f"| {row['reader']} | {' | '.join(cells)} |")


def drawn(samples: list[Sample], persons: int) -> list[Sample]:
    """Return so many of the samples, drawn by a seed, in their order."""
    chosen = sorted(np.random.default_rng(0).permutation(len(samples))[:persons].tolist())
    return [samples[i] for i in chosen]


def measured(name: str, photos: dict[str, list[Sample]], people: list[Sample]) -> dict[str, Any]:
    """Return the figures of one way of reading."""
    plugin, pull = READERS[name]
    estimator = plugins.estimator_for(plugin)
    if pull is not None:
        estimator.pull = pull
    row: dict[str, Any] = {"reader": name, "parameters": sum(p.numel() for p in estimator.module.parameters())}
    row["ms"] = {}
    for split, samples in photos.items() if name not in OWN else ():
        began = time.process_time()
        row[split] = cast(Any, score_samples(estimator, samples, EvaluateSettings())).document["pckh"]
        row["ms"][split] = 1000 * (time.process_time() - began) / len(samples)
    row["coco"] = coco_precision(estimator, people)
    return row


def coco_people(folder: Path) -> list[Sample]:
    """Return every person with labelled joints."""
    labels = CocoFormat().read(folder / "person_keypoints.json")
    pictures = {
        one.id: cv2.cvtColor(cv2.imread(str(folder / "images" / one.file_name)), cv2.COLOR_BGR2RGB)
        for one in labels.images
    }
    return [
        Sample(pictures[p.image], p.xy, p.visibility, np.array(p.box), str(p.image), str(p.image), 0, area=p.area)
        for p in labels.persons
        if not p.iscrowd and p.box is not None and (p.visibility > 0).any()
    ]


def coco_precision(estimator: Any, people: list[Sample]) -> dict[str, Any]:
    """Return AP and AP50 with intervals over images; the boxes of an image are given together."""
    images: dict[str, list[int]] = {}
    for number, sample in enumerate(people):
        images.setdefault(sample.clip, []).append(number)
    boxes = [[Box(0, tuple(map(float, people[i].box))) for i in numbers] for numbers in images.values()]
    found: list[Prediction] = estimator.predict([people[numbers[0]].image for numbers in images.values()], boxes)
    order = np.argsort([i for numbers in images.values() for i in numbers])
    unit = np.array([list(images).index(sample.clip) for sample in people])
    matches = match_people([found[i] for i in order], people, COCO17, unit)
    drawn = np.random.default_rng(0).multinomial(len(images), [1 / len(images)] * len(images), RESAMPLES)
    plain, resampled = (average_precisions(matches, w) for w in (np.ones((1, len(images))), drawn.astype(float)))
    return {
        name: {"value": float(plain[0, i]), "ci95": np.nanpercentile(resampled[:, i], [2.5, 97.5]).tolist()}
        for i, name in enumerate(("ap", "ap50"))
    }


def shown(figure: dict[str, Any]) -> str:
    """Return a share in percent with its interval."""
    low, high = figure["ci95"]
    return f"{100 * figure['value']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
