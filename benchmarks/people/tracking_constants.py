"""What a change of each constant of tracking does: `python tracking_constants.py [--clips 12] [--seed 100] [--json]`.

Rendered crowds as in ``tracking.py``, of other seeds, and its real clip of two people; persons are found once, then
tracked with one constant changed at a time. Nothing is chosen by these crowds: they say what the code's comments claim.
The thresholds were chosen on the real clip, among others: its rows say what each of them holds together.
"""

from __future__ import annotations

import argparse
import functools
import json
import operator
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
from tracking import CLIP, Rows, by_hand, crowd, detected, figures, read_video

import emc.stages.track.follow as follow
import emc.stages.track.tracklets as tracklets
from emc.stages.track import TrackSettings, track, track_scores

FOLLOW: dict[str, tuple[Any, ...]] = {
    "_MEASURED": (0.025, 0.1), "_WANDER": (0.01, 0.04),
    "_PUSH": (np.array([0.015, 0.015, 0.0075, 0.0075]), np.array([0.06, 0.06, 0.03, 0.03])),
    "_KEPT": (np.ones(4), np.array([0.8, 0.8, 0.7, 0.7]), np.array([0.95, 0.95, 0.95, 0.95])),
}  # fmt: skip
PIECES: dict[str, tuple[Any, ...]] = {
    "COMMON": (0.25, 0.9), "MOSTLY": (0.4, 0.8), "HANDED": (0.4, 0.8), "AT_ONCE": (0.1, 0.6), "ALWAYS": (0.7, 0.95),
    "SMALL": (0.2, 0.7), "LOST": (0, 5, 20), "LIKE": (1.3, 4.0), "CUT": (0.4, 0.8), "AROUND": (5, 30),
    "FLUSH": (0.05, 0.4),
}  # fmt: skip
SETTINGS: dict[str, tuple[Any, ...]] = {
    "start_score": (0.3, 0.5), "sure_score": (0.35, 0.6), "max_gap": (5, 90), "min_hits": (1, 8),
    "min_overlap": (0.05, 0.3), "reunite": (False,),
}  # fmt: skip
Clip = tuple[Rows, Rows]
"""True boxes and found ones."""


def crowds(count: int, seed: int) -> list[Clip]:
    clips: list[Clip] = []
    for number in range(count):
        pictures = list(crowd(seed + number, 2 + number % 3, 90))
        truth = [(frame, boxes) for frame, (_, boxes) in enumerate(pictures)]
        clips.append((truth, detected([image for image, _ in pictures])))
    return clips


def scored(clips: list[Clip], settings: TrackSettings, overlap: float) -> dict[str, float]:
    scores = [track_scores(truth, list(track(found, settings)), overlap) for truth, found in clips]
    return figures(functools.reduce(operator.add, scores))


def variants() -> list[tuple[str, AbstractContextManager[Any], TrackSettings]]:
    found: list[tuple[str, AbstractContextManager[Any], TrackSettings]] = [("as it is", nullcontext(), TrackSettings())]
    for module, table in ((follow, FOLLOW), (tracklets, PIECES)):
        for name, values in table.items():
            found += [(f"{name} {value}", patch.object(module, name, value), TrackSettings()) for value in values]
    for name, values in SETTINGS.items():
        found += [(f"{name} {value}", nullcontext(), replace(TrackSettings(), **{name: value})) for value in values]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--seed", type=int, default=100)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    sets = {"crowds": (crowds(given.clips, given.seed), 0.5)}
    video = given.shared / "video" / CLIP
    if video.is_file():
        images = read_video(video)
        sets["two people"] = ([(by_hand(len(images)), detected(images))], 0.4)
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for name, change, settings in variants():
        with change:
            rows[name] = {kind: scored(clips, settings, overlap) for kind, (clips, overlap) in sets.items()}
        if not given.json:
            for kind, figures_of in rows[name].items():
                told = "  ".join(f"{key} {value:g}" for key, value in figures_of.items())
                print(f"{name:44} {kind:10} {told}", flush=True)
    if given.json:
        json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
