"""Measure the embedded lifter: `python benchmarks/lifting/lifter.py [--shared ../shared/data] [--json]`.

Every clip is seen by four seeded virtual cameras, exactly and through a made-up detector (errors of 1.2 % of the
person's extent, strays, lost joints, swaps). Beside it stand two baselines: the exact 2D at depth 0 (flat), and the
mean pose of the package's motion.
MPJPE is in the camera's own axes, pelvis at the origin, metres taken as they come: the lifter speaks of a person of
1.70 m, whatever the person's height. N-MPJPE frees the scale, P-MPJPE scale and rotation.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from emc.lifters.person_frame import flat_pose, person_frame
from emc.lifters.temporal import TemporalSmallLifter
from emc.lifters.virtual_camera import View, coco_from_h36m, detector_noise, random_camera, rooted, view
from emc.pose.metrics import mean_error, mpjpe_errors, n_mpjpe_errors, p_mpjpe_errors
from emc.synth.body import sample_body
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS, generate_motion
from emc.synth.motion.motions import KICKS

SEED = 777_000
CAMERAS = 4
NOISE = 0.012
UNSEEN = ("kick", "cartwheel", "roll", "dance_a", "dance_spin")
Clip = tuple[str, np.ndarray, np.ndarray]


def mocap_clips(shared: Path, wanted: Callable[[str], bool]) -> list[Clip]:
    with np.load(shared / "mocap" / "mocap.npz") as file:
        points = {name: rooted(file[name]) for name in file.files if wanted(name)}
    return [(name, h36m, coco_from_h36m(h36m)) for name, h36m in points.items()]


def package_clips(names: tuple[str, ...], count: int = 3) -> list[Clip]:
    clips: list[Clip] = []
    for index, name in enumerate(names):
        for clip in range(count):
            rng = np.random.default_rng([SEED, index, clip])
            motion = generate_motion(name, 4.0, 30.0, sample_body(rng), rng)
            clips.append((name, motion.h36m, motion.coco))
    return clips


def views(clips: list[Clip], noisy: bool) -> list[View]:
    out = []
    for index, (_, h36m, coco) in enumerate(clips):
        for number in range(CAMERAS):
            rng = np.random.default_rng([SEED, 1, index, number])
            seen = view(h36m, coco, random_camera(h36m, rng))
            if noisy:
                xy, confidence = detector_noise(seen.xy, NOISE, rng)
                seen = View(xy, confidence, seen.xyz, seen.camera, seen.pelvis)
            out.append(seen)
    return out


def mean_pose() -> np.ndarray:
    """Return the (17, 3) mean pose of the package's motion over random cameras, metres."""
    clips = package_clips((*COMMON_MOTIONS, *UNCOMMON_MOTIONS))
    return np.mean([seen.xyz.mean(axis=0) for seen in views(clips, False)], axis=0)


def errors(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """Return (MPJPE, N-MPJPE, P-MPJPE) in mm, means over frames and joints."""
    kinds = (mpjpe_errors, n_mpjpe_errors, p_mpjpe_errors)
    mpjpe, n_mpjpe, p_mpjpe = (mean_error(kind(predicted, truth)) for kind in kinds)
    return mpjpe, n_mpjpe, p_mpjpe


def score(clips: list[Clip], lift: Callable[[View], np.ndarray], noisy: bool) -> dict[str, float]:
    seen = views(clips, noisy)
    rows = np.array([errors(lift(one).astype(np.float64), one.xyz) for one in seen])
    mpjpe, n_mpjpe, p_mpjpe = rows.mean(axis=0)
    return {"mpjpe": mpjpe, "n_mpjpe": n_mpjpe, "p_mpjpe": p_mpjpe}


def populations(shared: Path | None) -> dict[str, list[Clip]]:
    sets = {
        "package common": package_clips(COMMON_MOTIONS),
        "package kicks": package_clips(KICKS),
        "package cartwheel, arabesque, dance": package_clips(
            tuple(name for name in UNCOMMON_MOTIONS if name not in KICKS)
        ),
    }
    if shared is not None:
        sets["CMU test"] = mocap_clips(shared, lambda name: name.startswith("cmu/") and name.endswith("_test"))
        for clip in UNSEEN:
            sets[f"DeepMimic {clip}"] = mocap_clips(shared, lambda name, clip=clip: name == f"deepmimic/{clip}")
    return sets


def measure(weights: Path | None, shared: Path | None) -> dict[str, dict[str, dict[str, float]]]:
    lifter = TemporalSmallLifter(weights)
    still = mean_pose()
    table = {}
    for name, clips in populations(shared).items():
        table[name] = {
            "exact": score(clips, lambda s: lifter.lift(s.xy, s.confidence, s.camera.size), False),
            "noisy": score(clips, lambda s: lifter.lift(s.xy, s.confidence, s.camera.size), True),
            "flat_pose": score(clips, lambda s: flat_pose(person_frame(s.xy, s.confidence)[0]), False),
            "mean_pose": score(clips, lambda s: np.broadcast_to(still, s.xyz.shape), False),
        }
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=None, help="a folder; without it the embedded weights")
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    shared = options.shared if (options.shared / "mocap" / "mocap.npz").exists() else None
    if shared is None:
        print(f"no motion capture in {options.shared}: only the package's own motion is measured", file=sys.stderr)
    table = measure(options.weights, shared)
    if options.json:
        print(json.dumps({"unit": "mm", "cameras": CAMERAS, "noise": NOISE, "summary": table}, indent=2))
        return
    kinds = ("exact", "noisy", "flat_pose", "mean_pose")
    print(f"| MPJPE / N / P, mm | {' | '.join(kinds)} |")
    print("|---|" + "---|" * len(kinds))
    for name, row in table.items():
        cells = (" / ".join(f"{v:.0f}" for v in row[kind].values()) for kind in kinds)
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
