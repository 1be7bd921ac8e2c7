"""What a fix of one joint tells of the person's other joints on the same frame: conditioned decoding, measured.

Usage: python reprediction.py [--clips 12] [--seed 91000] [--size 320] [--json]. Kicks of rendered people are
predicted by `nano` in their true boxes. In every run of wrong frames of a joint (further from the truth than half a
head) the frame in the middle is put right, as in propagate.py, and the joints that are not yet placed are read again,
given the one that is, in these ways:

swap        the mirror joint takes the place that the model gave to the joint, where the fix put that on the mirror's
limbs       joints of the same pair of limbs are chosen among the peaks of their heatmaps (and the mirror's place),
            by the peak's share, the lengths of limbs on the clip's sure frames, and no two mirror joints in one place
crops       the model reads the person again in eight boxes around the corrected pose; the median counts
crops+limbs both: where the eight boxes agree with what the limbs say
untold      as crops, around the pose as it was before the fix: what the boxes do without being told anything

For each: other joints put right and made wrong per fix, and their difference with a 95 % interval over clips.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from propagate import Case, rendered

import emc.plugins as plugins
from emc.pose.records import Box
from emc.pose.skeletons import COCO17
from emc.synth.motion.motions import KICKS
from emc.workflow.editing.models import heatmaps

GROUPS = ((5, 6, 7, 8, 9, 10), (11, 12, 13, 14, 15, 16))
LIMBS = tuple((a, b) for a, b in COCO17.limbs if a >= 5 and b >= 5)
PEAKS, SHARE = 3, 0.04
SURE = 0.6
APART = 0.06
"""Share of the person's side within which two joints are in one place."""
GAIN = 1.0
"""Nats by which another reading must be better than the model's own."""


@dataclass
class Clip:
    """A case with what the network sees: chances (J, h, w) and affine per frame, and how long limbs are."""

    case: Case
    places: np.ndarray
    maps: list[tuple[np.ndarray, np.ndarray]]
    side: np.ndarray
    lengths: dict[tuple[int, int], tuple[float, float]]


Reading = Callable[[Clip, int, int, np.ndarray], dict[int, np.ndarray]]


def clip_of(case: Case, estimator: Any) -> Clip:
    places = np.stack([p.xy for p in case.predictions]).astype(float)
    side = np.array([float(max(p.box[2:])) for p in case.predictions])
    maps = []
    for image, prediction in zip(case.images, case.predictions, strict=True):
        found = heatmaps(estimator, image, prediction.box)
        if found is None:
            raise SystemExit("the estimator shows no heatmaps: use nano")
        maps.append(found)
    sure = np.stack([p.confidence for p in case.predictions]) >= SURE
    lengths = {}
    for a, b in LIMBS:
        both = sure[:, a] & sure[:, b]
        ratio = np.linalg.norm(places[:, a] - places[:, b], axis=1)[both] / side[both]
        if len(ratio) >= 8:
            lengths[a, b] = (float(np.median(ratio)), float(np.percentile(ratio, 95)))
    return Clip(case, places, maps, side, lengths)


def swapped(clip: Clip, frame: int, joint: int, xy: np.ndarray) -> dict[int, np.ndarray]:
    mirror = COCO17.flip[joint]
    if mirror == joint:
        return {}
    now = clip.places[frame]
    near = APART * clip.side[frame]
    taken = np.linalg.norm(xy - now[mirror]) < near and np.linalg.norm(now[joint] - now[mirror]) > 2 * near
    return {mirror: now[joint]} if taken else {}


def peaks_of(clip: Clip, frame: int, joint: int) -> list[tuple[np.ndarray, float]]:
    """Return the places of the heatmap's peaks with the share of all chances near each."""
    chances, affine = clip.maps[frame]
    left, found = chances[joint].copy(), []
    rows, columns = np.indices(left.shape)
    for _ in range(PEAKS):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        near = (rows - row) ** 2 + (columns - column) ** 2 <= 9
        share = float(left[near].sum())
        if share < SHARE:
            break
        found.append((affine[:, :2] @ np.array([column, row]) + affine[:, 2], share))
        left[near] = 0.0
    return found


def candidates(clip: Clip, frame: int, joint: int) -> list[tuple[np.ndarray, float]]:
    own = clip.places[frame, joint]
    peaks = peaks_of(clip, frame, joint)
    near = APART / 2 * clip.side[frame]
    share = max((s for xy, s in peaks if np.linalg.norm(xy - own) <= near), default=SHARE)
    found = [(own, share), *[(xy, s) for xy, s in peaks if np.linalg.norm(xy - own) > near]]
    mirror = clip.places[frame, COCO17.flip[joint]]
    if all(np.linalg.norm(xy - mirror) > near for xy, _ in found):
        found.append((mirror, SHARE / 2))
    return found


def limbs_read(clip: Clip, frame: int, joint: int, xy: np.ndarray) -> dict[int, np.ndarray]:
    group = next((g for g in GROUPS if joint in g), None)
    if group is None:
        return {}
    open_joints = [k for k in group if k != joint]
    choices = [candidates(clip, frame, k) for k in open_joints]
    best, own = None, None
    for pick in itertools.product(*(range(len(c)) for c in choices)):
        at = {joint: xy} | {k: choices[i][pick[i]][0] for i, k in enumerate(open_joints)}
        cost = -sum(float(np.log(choices[i][p][1])) for i, p in enumerate(pick)) + strain(clip, frame, at)
        own = cost if own is None else own
        if best is None or cost < best[0]:
            best = (cost, pick)
    if best is None or own is None or own - best[0] < GAIN:
        return {}
    return {k: choices[i][p][0] for i, (k, p) in enumerate(zip(open_joints, best[1], strict=True)) if p}


def strain(clip: Clip, frame: int, at: dict[int, np.ndarray]) -> float:
    """Return what speaks against places: limbs longer than they ever are, mirror joints in one place."""
    side, cost = clip.side[frame], 0.0
    for a, b in LIMBS:
        if a in at and b in at and (a, b) in clip.lengths:
            usual, longest = clip.lengths[a, b]
            length = float(np.linalg.norm(at[a] - at[b])) / side
            cost += 0.5 * (max(length - longest, 0.0) / (0.15 * usual + 0.01)) ** 2
    for a in at:
        b = COCO17.flip[a]
        if a < b and b in at and np.linalg.norm(at[a] - at[b]) < APART / 2 * side:
            cost += 1.5
    return min(cost, 50.0)


class Crops:
    """The model asked again in boxes around the corrected pose."""

    def __init__(self, estimator: Any, told: bool = True) -> None:
        self._estimator = estimator
        self._told = told

    def __call__(self, clip: Clip, frame: int, joint: int, xy: np.ndarray) -> dict[int, np.ndarray]:
        """Return the median of what is read, where it is another place."""
        places = clip.places[frame].copy()
        places[joint] = xy if self._told else places[joint]
        low, high = places.min(0), places.max(0)
        middle, size = (low + high) / 2, (high - low) * 1.1
        boxes = []
        for i, (dx, dy, s) in enumerate(itertools.product((-0.06, 0.06), (-0.06, 0.06), (0.95, 1.15))):
            w, h = size * s
            x, y = middle + size * (dx, dy) - (w / 2, h / 2)
            boxes.append(Box(0, (float(x), float(y), float(w), float(h)), track=i))
        found = np.stack([p.xy for p in self._estimator.predict([clip.case.images[frame]], [boxes])]).astype(float)
        again = np.median(found, axis=0)
        spread = np.median(np.linalg.norm(found - again, axis=2), axis=0) / clip.side[frame]
        moved = np.linalg.norm(again - clip.places[frame], axis=1) / clip.side[frame]
        return {k: again[k] for k in range(len(again)) if k != joint and moved[k] > 0.03 and spread[k] < 0.03}


def agreed(crops: Crops) -> Reading:
    def read(clip: Clip, frame: int, joint: int, xy: np.ndarray) -> dict[int, np.ndarray]:
        by_limbs, by_crops = limbs_read(clip, frame, joint, xy), crops(clip, frame, joint, xy)
        near = APART * clip.side[frame]
        return {k: v for k, v in by_limbs.items() if k in by_crops and np.linalg.norm(by_crops[k] - v) < near}

    return read


def measure(clip: Clip, read: Reading) -> tuple[int, int, int, int]:
    """Return fixes, joints put right, made wrong, and moved from one wrong place to another."""
    case = clip.case
    off = np.linalg.norm(clip.places - case.truth, axis=2) / case.tolerance[:, None]
    fixes = righted = broken = moved = 0
    for joint in range(off.shape[1]):
        wrong = np.flatnonzero(~(off[:, joint] <= 1))
        for own in np.split(wrong, np.flatnonzero(np.diff(wrong) > 1) + 1):
            if not len(own) or not case.visibility[own[len(own) // 2], joint]:
                continue
            frame = int(own[len(own) // 2])
            fixes += 1
            for other, xy in read(clip, frame, joint, case.truth[frame, joint]).items():
                was = off[frame, other] <= 1
                now = np.linalg.norm(xy - case.truth[frame, other]) / case.tolerance[frame] <= 1
                righted += int(now and not was)
                broken += int(was and not now)
                moved += int(not was and not now)
    return fixes, righted, broken, moved


def result_text(rows: Sequence[tuple[int, int, int, int]], seed: int) -> dict[str, float | list[float]]:
    table = np.array(rows, dtype=float)
    rng = np.random.default_rng(seed)
    net = []
    for _ in range(2000):
        some = table[rng.integers(0, len(table), len(table))].sum(0)
        net.append((some[1] - some[2]) / max(some[0], 1))
    fixes, righted, broken, moved = table.sum(0)
    low, high = np.percentile(net, [2.5, 97.5])
    per = {"righted": righted, "broken": broken, "moved_wrong": moved, "net": righted - broken}
    figures: dict[str, float | list[float]] = {f"{name}_per_fix": round(n / fixes, 4) for name, n in per.items()}
    return {"fixes": int(fixes), **figures, "net_ci95": [round(float(low), 4), round(float(high), 4)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--seed", type=int, default=91_000)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    estimator = plugins.estimator_for("nano")
    crops = Crops(estimator)
    ways: dict[str, Reading] = {
        "swap": swapped, "limbs": limbs_read, "crops": crops, "crops+limbs": agreed(crops),
        "untold": Crops(estimator, told=False),
    }  # fmt: skip
    rows: dict[str, list[tuple[int, int, int, int]]] = {name: [] for name in ways}
    for i in range(given.clips):
        clip = clip_of(rendered(KICKS[i % len(KICKS)], given.seed + i, given.size, estimator), estimator)
        for name, read in ways.items():
            rows[name].append(measure(clip, read))
    document = {name: result_text(found, given.seed) for name, found in rows.items()}
    if given.json:
        sys.stdout.write(json.dumps({"clips": given.clips, "seed": given.seed, "ways": document}) + "\n")
        return
    for name, row in document.items():
        sys.stdout.write(f"{name:12} " + "  ".join(f"{key} {value}" for key, value in row.items()) + "\n")


if __name__ == "__main__":
    main()
