"""Compare lifters on motion kept for choosing: `python training/lifter_choose.py BASE TUNED [--shares 0 0.5 1]`.

BASE and TUNED are folders with weights of one shape. Each share a scores the network (1 - a) BASE + a TUNED, exactly
seen, through mild made-up errors (those of a good model), and through those measured of `nano` before and after
calibration. Motion: DeepMimic's everyday clips (never
trained on, and none of those that `emc bench lift` measures) and the package's own motion with other seeds. No test
clip is looked at. --out holds the network of the last share.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch

from emc.lifters.measured_noise import apply_noise, read_noise
from emc.lifters.temporal import TemporalSmallLifter, load_network, save_network
from emc.lifters.virtual_camera import View, coco_from_h36m, detector_noise, random_camera, rooted, view
from emc.pose.metrics import mean_error, mpjpe_errors, p_mpjpe_errors
from emc.synth.body import sample_body
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS, generate_motion

SEED = 909_000
CAMERAS = 3
EVERYDAY = ("punch", "jump", "run", "jog", "walk", "stealthy_walk", "zombie_walk")
CONDITIONS = ("exact", "mild", "before", "after")
MILD = 0.012
Population = dict[str, list[View]]


def captured(shared: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    with np.load(shared / "mocap" / "mocap.npz") as file:
        motions = [rooted(file[f"deepmimic/{name}"]) for name in EVERYDAY]
    return [(motion, coco_from_h36m(motion)) for motion in motions]


def rendered(names: tuple[str, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    motions = []
    for index, name in enumerate(names):
        for clip in range(2):
            rng = np.random.default_rng([SEED, index, clip])
            motion = generate_motion(name, 4.0, 30.0, sample_body(rng), rng)
            motions.append((motion.h36m, motion.coco))
    return motions


def seen(motions: list[tuple[np.ndarray, np.ndarray]], kind: str) -> Population:
    """Return condition -> views, the same cameras and the same chance in each."""
    noise = {"before": read_noise("nano")[kind], "after": read_noise("nano-calibrated")[kind]}
    views: Population = {condition: [] for condition in CONDITIONS}
    for index, (h36m, coco) in enumerate(motions):
        for number in range(CAMERAS):
            exact = view(h36m, coco, random_camera(h36m, np.random.default_rng([SEED, 1, index, number])))
            views["exact"].append(exact)
            xy, confidence = detector_noise(exact.xy, MILD, np.random.default_rng([SEED, 3, index, number]))
            views["mild"].append(View(xy, confidence, exact.xyz, exact.camera, exact.pelvis))
            for when, model in noise.items():
                xy, confidence = apply_noise(exact.xy, model, np.random.default_rng([SEED, 2, index, number]))
                views[when].append(View(xy, confidence, exact.xyz, exact.camera, exact.pelvis))
    return views


def scored(lifter: TemporalSmallLifter, views: list[View]) -> tuple[float, float]:
    """Return (MPJPE, P-MPJPE) in mm, the mean over views."""
    pairs = [(lifter.lift(one.xy, one.confidence, one.camera.size).astype(np.float64), one.xyz) for one in views]
    return (
        float(np.mean([mean_error(mpjpe_errors(ours, truth)) for ours, truth in pairs])),
        float(np.mean([mean_error(p_mpjpe_errors(ours, truth)) for ours, truth in pairs])),
    )


def mixed(base: Path | None, tuned: Path, share: float, out: Path) -> Path:
    """Write the network between two into `out` (WiSE-FT, Wortsman et al., CVPR 2022) and return it."""
    network, document = load_network(base)
    other = load_network(tuned)[0].state_dict()
    state = {
        name: value if name.endswith("num_batches_tracked") else torch.lerp(value, other[name], share)
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    save_network(network, out, {"training": {**document.get("training", {}), "share_of_tuned": share}})
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("tuned", type=Path)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 1.0])
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--out", type=Path, default=Path("training-work/lifter-mixed"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    populations = {
        "captured, everyday": seen(captured(options.shared), "common"),
        "package common": seen(rendered(COMMON_MOTIONS), "common"),
        "package uncommon": seen(rendered(UNCOMMON_MOTIONS), "uncommon"),
    }
    print("| share | " + " | ".join(f"{name}, {when}" for name in populations for when in CONDITIONS) + " |")
    print("|---|" + "---|" * (len(populations) * len(CONDITIONS)))
    for share in options.shares:
        lifter = TemporalSmallLifter(mixed(options.base, options.tuned, share, options.out))
        cells = [scored(lifter, views[when]) for views in populations.values() for when in CONDITIONS]
        print(
            f"| {share} | " + " | ".join(f"{mpjpe:.1f} / {aligned:.1f}" for mpjpe, aligned in cells) + " |", flush=True
        )


if __name__ == "__main__":
    main()
