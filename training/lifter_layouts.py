"""Fit the 2D mappings between COCO-17 and Human3.6M-17: `python training/lifter_layouts.py`.

Prints the numbers that stand in `emc.lifters.layouts`. Each point is a weighted mean of points of the other layout,
the same for a person and their mirror image, fitted by least squares on views of the package's own motion whose
joints are 2 cm off at random (exact joints would give large weights of both signs, which make noise worse).
"""

from __future__ import annotations

import numpy as np

from emc.lifters.person_frame import person_size
from emc.lifters.virtual_camera import random_camera
from emc.pose.skeletons import COCO17, H36M17, Skeleton
from emc.synth.body import sample_body
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS, generate_motion

SEED, CLIPS, OFF = 20_264, 12, 0.02
FACE_FROM = ("thorax", "neck_nose", "head_top", "left_shoulder", "right_shoulder")
FACE = ("nose", "left_eye", "left_ear")
TRUNK_FROM = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "nose", "left_ear", "right_ear")
TRUNK = ("spine", "thorax", "neck_nose", "head_top")


def seen() -> tuple[np.ndarray, np.ndarray]:
    """Return (N, 17, 2) Human3.6M and COCO points in units of the person's size, with their mirror images."""
    h36m, coco = [], []
    for index, name in enumerate((*COMMON_MOTIONS, *UNCOMMON_MOTIONS)):
        for clip in range(CLIPS):
            rng = np.random.default_rng([SEED, index, clip])
            motion = generate_motion(name, 3.0, 10.0, sample_body(rng), rng)
            camera = random_camera(motion.h36m, rng)
            xy = camera.project(motion.coco)
            unit = person_size(xy)[:, None, None]
            h36m.append(camera.project(motion.h36m) / unit)
            coco.append(xy / unit)
    a, b = np.concatenate(h36m), np.concatenate(coco)
    turn = np.array([-1.0, 1.0])
    return np.concatenate([a, a[:, list(H36M17.flip)] * turn]), np.concatenate([b, b[:, list(COCO17.flip)] * turn])


def weights(source: np.ndarray, names: tuple[str, ...], target: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return (K,) weights that sum to 1: target (N, 2) from the named joints of source (N, K, 2)."""
    off = source + rng.normal(0, OFF, source.shape)
    spread = np.moveaxis(off - off[:, :1], 1, -1).reshape(-1, len(names))[:, 1:]
    free = np.linalg.lstsq(spread, (target - off[:, 0]).reshape(-1), rcond=None)[0]
    return np.concatenate([[1 - free.sum()], free])


def fit(
    source: np.ndarray,
    layout: Skeleton,
    names: tuple[str, ...],
    truth: np.ndarray,
    other: Skeleton,
    wanted: tuple[str, ...],
) -> None:
    rng = np.random.default_rng(SEED)
    points = source[:, [layout.index(name) for name in names]]
    for joint in wanted:
        target = truth[:, other.index(joint)]
        row = weights(points, names, target, rng)
        error = np.linalg.norm(np.einsum("k,nka->na", row, points) - target, axis=-1).mean()
        cells = ", ".join(f"{value:.3f}" for value in row)
        print(f'    "{joint}": ({cells}),  # mean error {1000 * error:.0f} mm of a person of 1.70 m')


def main() -> None:
    h36m, coco = seen()
    print(f"from {FACE_FROM}")
    fit(h36m, H36M17, FACE_FROM, coco, COCO17, FACE)
    print(f"from {TRUNK_FROM}")
    fit(coco, COCO17, TRUNK_FROM, h36m, H36M17, TRUNK)


if __name__ == "__main__":
    main()
