"""Measure person numbers: `python tracking.py [--clips 12] [--quick] [--shared ../shared/data] [--json]`.

Rendered crowds whose identities are known (2 to 4 people, most of them walking through one another; seeds that nothing
was tuned on), and the real clip of two people with boxes made by hand on 34 frames and interpolated between them (386
boxes). `plain`: suppression by IoU and tracks as they are; `wholes`: as ours, but of a box inside of another the larger
stays; `ours`: what `emc predict` does, from the same frames. `perfect`: our tracker on the true boxes, which are
clipped where one hides another. A person of whom fewer than six joints are seen counts neither way. IoU of a match:
0.5, on the real clip 0.4 (its boxes are interpolated). Intervals: 95 %, paired bootstrap over the crowds.
"""

from __future__ import annotations

import argparse
import functools
import json
import operator
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import torch
from hand_boxes import by_hand

import emc.detectors.embedded.detector as detectors
import emc.detectors.embedded.suppress as detectors_suppress
from emc.detectors.embedded import EmbeddedDetector
from emc.pose.metrics import resample_weights
from emc.pose.records import Box
from emc.stages.track import TrackScores, TrackSettings, track, track_scores
from emc.synth.body import sample_body, sample_look
from emc.synth.motion import generate_motion
from emc.synth.scene.scene import cast, render_people, sample_scene

SEED = 9001
FPS = 25.0
SIZE = (480, 270)
LEAST_SCORE = 0.3
LEAST_JOINTS = 6
CLIP = "two_people_1768x994_30fps.mp4"
Rows = list[tuple[int, list[Box]]]


def crowd(seed: int, people: int, frames: int) -> Iterator[tuple[np.ndarray, list[Box]]]:
    """Yield frames of people who walk through one another, and who is where."""
    rng = np.random.default_rng([SEED, seed])
    others = ("walk", "run", "wave", "reach", "turn", "walk")
    names = ["walk", "walk", *(others[int(rng.integers(len(others)))] for _ in range(people - 2))]
    actors = []
    for name in names:
        body = sample_body(rng)
        look = sample_look(rng, gender=body.gender)
        actors.append(cast(generate_motion(name, frames / FPS, FPS, body, rng), body, look))
    scene = sample_scene(rng, SIZE, [actor.motion for actor in actors], coarse=True)
    for frame in range(frames):
        picture = render_people(actors, scene, frame)
        boxes = []
        for person in picture.people:
            places = zip(actors, scene.offsets, strict=True)
            apart = [np.abs(person.coco3d - actor.motion.coco[frame] - offset).max() for actor, offset in places]
            clear = (person.visibility == 2).sum() >= LEAST_JOINTS and person.area >= 0.01 * person.box[3] ** 2 + 80
            xywh = tuple(float(value) for value in person.box)
            boxes.append(Box(frame, xywh, float(clear), int(np.argmin(apart))))
        yield picture.image, boxes


def detected(images: Sequence[np.ndarray]) -> Rows:
    detector = EmbeddedDetector().with_background(images[:: max(1, len(images) // 40)][:40])
    found: list[list[Box]] = []
    for start in range(0, len(images), 16):
        part = images[start : start + 16]
        found += detector.detect(part, range(start, start + len(part)))
    return [(frame, [box for box in boxes if box.score >= LEAST_SCORE]) for frame, boxes in enumerate(found)]


def compare(images: Sequence[np.ndarray], truth: Rows, overlap: float, perfect: bool) -> dict[str, TrackScores]:
    """Score one clip: plain, where the larger box stays, as it is, and with the true boxes."""
    with patch.object(detectors, "whole_persons", lambda xywh, scores: np.ones(len(xywh), bool)):
        plain = list(track(detected(images), TrackSettings(reunite=False)))
    with patch.multiple(detectors_suppress, NARROWER=0.0, INSIDE=0.7):
        wholes = list(track(detected(images)))
    rows = {"plain": plain, "wholes": wholes, "ours": list(track(detected(images)))}
    if perfect:
        seen = [(frame, [Box(frame, box.xywh) for box in boxes if box.score > 0]) for frame, boxes in truth]
        rows["perfect"] = list(track(seen))
    return {name: track_scores(truth, found, overlap) for name, found in rows.items()}


def intervals(clips: dict[str, list[TrackScores]]) -> dict[str, dict[str, list[float]]]:
    """Return the 95 % intervals of ours, and of ours less each of the others, over resampled clips."""
    weights = resample_weights(len(clips["ours"]), 2000, 0)
    drawn = {name: _rates(weights, scores) for name, scores in clips.items() if name != "perfect"}
    found = {"ours": drawn["ours"]} | {
        f"ours - {name}": {rate: drawn["ours"][rate] - values for rate, values in drawn[name].items()}
        for name in ("plain", "wholes")
    }
    return {
        name: {rate: [round(float(v), 4) for v in np.percentile(values, [2.5, 97.5])] for rate, values in rates.items()}
        for name, rates in found.items()
    }


def _rates(weights: np.ndarray, scores: list[TrackScores]) -> dict[str, np.ndarray]:
    names = ("persons", "found", "false", "doubles", "switches", "identity")
    total = {name: weights @ np.array([getattr(one, name) for one in scores], float) for name in names}
    return {
        "recall": total["found"] / total["persons"],
        "precision": total["found"] / (total["found"] + total["false"]),
        "doubles_per_person": total["doubles"] / total["persons"],
        "switches_per_1000": 1000 * total["switches"] / total["persons"],
        "idf1": 2 * total["identity"] / (total["persons"] + total["found"] + total["false"]),
    }


def figures(scores: TrackScores) -> dict[str, float]:
    counts = {name: getattr(scores, name) for name in ("persons", "found", "false", "doubles", "switches", "numbers")}
    rates = {name: round(getattr(scores, name), 4) for name in ("idf1", "mota", "recall", "precision")}
    return counts | rates


def read_video(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (got := capture.read())[0]:
        frames.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB))
    return frames


def measure(clips: int, frames: int, shared: Path) -> tuple[dict[str, dict[str, TrackScores]], dict]:
    crowds: dict[str, list[TrackScores]] = {}
    for seed in range(clips):
        pictures = list(crowd(seed, 2 + seed % 3, frames))
        truth = [(frame, boxes) for frame, (_, boxes) in enumerate(pictures)]
        for name, scores in compare([image for image, _ in pictures], truth, 0.5, True).items():
            crowds.setdefault(name, []).append(scores)
    found = {"rendered crowds": {name: functools.reduce(operator.add, scores) for name, scores in crowds.items()}}
    video = shared / "video" / CLIP
    if video.is_file():
        images = read_video(video)
        found["two people"] = compare(images, by_hand(CLIP, len(images)), 0.4, False)
    else:
        print(f"no {video}: rendered crowds only", file=sys.stderr)
    return found, intervals(crowds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--quick", action="store_true", help="two short crowds; proves nothing")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    clips, frames = (2, 30) if arguments.quick else (arguments.clips, arguments.frames)
    found, ranges = measure(clips, frames, arguments.shared)
    summary = {kind: {name: figures(one) for name, one in rows.items()} for kind, rows in found.items()}
    if arguments.json:
        print(json.dumps({"benchmark": "tracking", "summary": summary, "ci95": ranges}, indent=2))
        return 0
    for kind, rows in summary.items():
        for name, row in rows.items():
            print(f"{kind:16s} {name:8s}", "  ".join(f"{key} {value:g}" for key, value in row.items()))
    for name, rates in ranges.items():
        print(
            f"crowds, 95 %     {name:13s}",
            "  ".join(f"{rate} {low:g} to {high:g}" for rate, (low, high) in rates.items()),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
