"""Test photos with verified labels: what `verified.csv` says of each photo, put into effect on its sample.

Two independent looks, a third where they differed (`sheets.py` draws what was looked at, `looks.py` counts). Exchanged
sides are exchanged back, joints that are off lose their label, and photos whose legs' sides cannot be told are left
out.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from emc.pose.records import Sample
from emc.pose.skeletons import COCO17

LIST = Path(__file__).with_name("verified.csv")
NAMES = {"A": "ankle", "K": "knee", "H": "hip", "W": "wrist", "E": "elbow", "S": "shoulder"}
PARTS = {"legs": ("hip", "knee", "ankle"), "arms": ("shoulder", "elbow", "wrist")}


def with_verified_labels(samples: Sequence[Sample], split: str, path: Path = LIST) -> list[Sample]:
    """Return the samples (COCO-17) of a split that stand in the list and could be told, labels as verified."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["photo"]: row for row in csv.DictReader(file) if row["split"] == split}
    kept = [sample for sample in samples if rows.get(sample.clip, {"verdict": "unclear"})["verdict"] != "unclear"]
    return [corrected(sample, rows[sample.clip]["verdict"], rows[sample.clip]["joints"].split()) for sample in kept]


def corrected(sample: Sample, verdict: str, wrong: Sequence[str]) -> Sample:
    """Return a sample with sides exchanged back and without the joints that are off (named as the photo shows them)."""
    xy, visibility = sample.xy.copy(), sample.visibility.copy()
    off = [COCO17.joints.index(full_name(joint)) for joint in wrong if joint[0] in "RL" and joint[1:] in NAMES]
    xy[off], visibility[off] = np.nan, 0
    words = set(verdict.split("+"))
    for part, joints in PARTS.items():
        if words & {part, "both"}:
            left, right = ([COCO17.joints.index(f"{side}_{joint}") for joint in joints] for side in ("left", "right"))
            xy[left + right], visibility[left + right] = xy[right + left], visibility[right + left]
    return replace(sample, xy=xy, visibility=visibility)


def full_name(joint: str) -> str:
    return f"{'left' if joint[0] == 'L' else 'right'}_{NAMES[joint[1:]]}"
