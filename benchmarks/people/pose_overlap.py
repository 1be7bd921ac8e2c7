"""Does the overlap of poses help the tracker? `python pose_overlap.py [--clips 12] [--frames 90] [--json]`.

The rendered crowds of `tracking.py` (people who walk through one another, identities known), boxes and rough poses by
`movenet-multipose`. `boxes` is the tracker as it is. `poses W` adds to the cost of giving a box to a person W times
what the rough pose lacks of the pose of that person's last sighting, moved to where the person is foreseen (object
keypoint similarity over the joints that both show). `perfect` is the tracker on the true boxes: what is left there no
cue of the detector can mend. Intervals: 95 %, paired bootstrap over the crowds, less `boxes`.
"""

from __future__ import annotations

import argparse
import functools
import json
import operator
from collections.abc import Mapping, Sequence
from unittest.mock import patch

import cv2
import numpy as np
import torch
from tracking import _rates, crowd, figures

import emc.stages.track.follow as follow
from emc.detectors.movenet import MoveNetDetector
from emc.pose.metrics import resample_weights
from emc.pose.records import Box
from emc.pose.skeletons import COCO17
from emc.stages.track import TrackScores, track, track_scores
from emc.workflow.engine import in_engine

WEIGHTS = (0.25, 0.5, 1.0)
LEAST_SCORE = 0.3
SEEN = 0.2
"""Score from which on a joint of a rough pose counts."""
Place = tuple[int, tuple[float, float, float, float]]
Poses = Mapping[Place, tuple[np.ndarray, np.ndarray]]


def seen_by(detector: MoveNetDetector, images: Sequence[np.ndarray]) -> tuple[list[list[Box]], Poses]:
    """Return the boxes of each image, and the rough pose of each box."""
    rows: list[list[Box]] = []
    poses: dict[Place, tuple[np.ndarray, np.ndarray]] = {}
    for frame, image in enumerate(images):
        (found,) = detector.detect_poses([image], [frame])
        kept = [(box, pose) for box, pose in found if box.score >= LEAST_SCORE]
        rows.append([box for box, _ in kept])
        poses |= {(frame, box.xywh): (pose.xy, pose.score) for box, pose in kept}
    return rows, poses


def lacking(lines: Sequence[follow._Line], boxes: Sequence[Box], poses: Poses) -> np.ndarray:
    """Return (lines, boxes) 1 - similarity of poses; 0.5 where fewer than four joints are seen on both."""
    found = np.full((len(lines), len(boxes)), 0.5)
    for i, line in enumerate(lines):
        last = line.boxes[-1]
        before = poses.get((last.frame, last.xywh))
        x, y, w, h = last.xywh
        moved = line.mean[:2, 0] - (x + w / 2, y + h / 2)
        for j, box in enumerate(boxes):
            now = poses.get((box.frame, box.xywh))
            if before is None or now is None:
                continue
            both = (before[1] >= SEEN) & (now[1] >= SEEN)
            if both.sum() < 4:
                continue
            off = ((before[0] + moved - now[0]) ** 2).sum(axis=1)[both]
            spread = (2 * np.array(COCO17.sigmas)[both]) ** 2
            found[i, j] = 1 - np.exp(-off / (2 * box.xywh[2] * box.xywh[3] * spread)).mean()
    return found


def tracked(rows: Sequence[list[Box]], poses: Poses, weight: float) -> list[tuple[int, list[Box]]]:
    """Return what the tracker makes of boxes with the poses' overlap at a weight."""
    plain = follow._costs

    def costs(lines: Sequence[follow._Line], boxes: list[Box], settings: follow.TrackSettings) -> np.ndarray:
        cost = plain(lines, boxes, settings)
        return np.where(cost < follow._REFUSED, cost + weight * lacking(lines, boxes, poses), cost)

    with patch.object(follow, "_costs", costs):
        return list(track(enumerate(rows)))


def measure(clips: int, frames: int) -> dict[str, list[TrackScores]]:
    """Return the scores of each way, clip by clip."""
    detector = in_engine(MoveNetDetector(), "auto")
    crowds: dict[str, list[TrackScores]] = {}
    for seed in range(clips):
        pictures = list(crowd(seed, 2 + seed % 3, frames))
        truth = [(frame, boxes) for frame, (_, boxes) in enumerate(pictures)]
        rows, poses = seen_by(detector, [image for image, _ in pictures])
        ways = {"boxes": list(track(enumerate(rows)))} | {f"poses {w}": tracked(rows, poses, w) for w in WEIGHTS}
        ways["perfect"] = list(track([(f, [Box(f, b.xywh) for b in who if b.score > 0]) for f, who in truth]))
        for name, found in ways.items():
            crowds.setdefault(name, []).append(track_scores(truth, found, 0.5))
    return crowds


def main() -> None:
    """Print the scores of each way, and the intervals of what poses change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    crowds = measure(options.clips, options.frames)
    weights = resample_weights(options.clips, 2000, 0)
    base = _rates(weights, crowds["boxes"])
    document = {}
    for name, scores in crowds.items():
        row = figures(functools.reduce(operator.add, scores))
        drawn = _rates(weights, scores)
        change = {key: [round(float(v), 4) for v in np.percentile(drawn[key] - base[key], [2.5, 97.5])] for key in base}
        document[name] = row | {"less boxes": change}
    if options.json:
        print(json.dumps({"benchmark": "pose overlap", "rendered crowds": document}, indent=2))
        return
    for name, row in document.items():
        change = row.pop("less boxes")
        print(f"{name:10s}", "  ".join(f"{key} {value}" for key, value in row.items()))
        print(" " * 10, "less boxes:", {key: change[key] for key in ("idf1", "switches_per_1000")})


if __name__ == "__main__":
    main()
