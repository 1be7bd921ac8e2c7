"""Motion for training the lifter: motion-capture clips, the package's own motion, and random articulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial.transform import Rotation

from emc.formats.motion.h36m import TRAIN_SUBJECTS, motion_clips, read_positions
from emc.formats.motion.mocap import read_mocap
from emc.formats.motion.recording import MotionClip
from emc.lifters.measured_noise import NoiseModel, apply_noise, read_noise
from emc.lifters.person_frame import flat_pose, person_frame, ray_rotation
from emc.lifters.virtual_camera import (
    PARENTS,
    coco_from_h36m,
    detector_noise,
    random_camera,
    rooted,
    standard_scale,
    view,
    with_bones,
)
from emc.pose.skeletons import COCO17, H36M17
from emc.synth.body import COCO_SOURCES, H36M_SOURCES, NODE, NODES, BodyShape, build_rig, pick, pose_rig, sample_body
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS, generate_motion

FPS = 30.0
LEGS = tuple(COCO17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle"))
ARMS = tuple(tuple(COCO17.index(f"{side}_{joint}") for joint in ("elbow", "wrist")) for side in ("left", "right"))

# Random articulation: standard deviations in degrees of the rotation vector of each node (x, y, z), and hinge ranges.
SWING = {
    "pelvis": (10, 10, 8), "spine": (22, 18, 12), "neck": (8, 14, 6), "head": (10, 16, 8),
    "clavicle": (0, 4, 6), "shoulder": (60, 35, 45), "hip": (42, 14, 22), "wrist": (10, 10, 10), "ankle": (12, 4, 4),
}  # fmt: skip
HINGES = {"elbow": (-145.0, 0.0), "knee": (0.0, 140.0)}


@dataclass(frozen=True)
class Source:
    """A motion to draw views from: (T, 17, 3) world metres; `coco` None: made from `h36m` again on each draw."""

    name: str
    h36m: np.ndarray
    coco: np.ndarray | None


def mocap_sources(shared: Path) -> list[Source]:
    """Return the CMU clips that are not marked as tests; nothing of the DeepMimic clips is ever trained on."""
    with np.load(shared / "mocap" / "mocap.npz") as clips:
        names = [name for name in clips.files if name.startswith("cmu/") and not name.endswith("_test")]
        return [Source(name, rooted(clips[name]), None) for name in names]


def own_sources(files: list[Path]) -> list[Source]:
    """Return the movements of files of one's own, at `FPS`: ``.bvh``, ``.c3d``, ``.npz`` of clips, Human3.6M's 3D file.

    Of Human3.6M only the training subjects are taken. Movements of which a joint is never there are passed over.
    """
    clips: list[MotionClip] = []
    for file in files:
        if file.name.startswith("data_3d_h36m"):
            people = read_positions(file)
            clips += motion_clips({subject: people[subject] for subject in TRAIN_SUBJECTS if subject in people})
        else:
            clips += read_mocap(file)
    return [Source(clip.name, rooted(points), None) for clip in clips if len(points := _at_rate(clip)) > 1]


def _at_rate(clip: MotionClip) -> np.ndarray:
    """Return (T, 17, 3) at `FPS`, missing joints bridged in time; none where a joint is never there."""
    known = np.isfinite(clip.xyz).all(axis=2)
    if not known.any(axis=0).all():
        return np.zeros((0, 17, 3))
    times = np.arange(len(clip.xyz)) / clip.fps
    wanted = np.arange(0.0, times[-1] + 1e-9, 1 / FPS)
    out = np.empty((len(wanted), 17, 3))
    for joint in range(17):
        there = known[:, joint]
        for axis in range(3):
            out[:, joint, axis] = np.interp(wanted, times[there], clip.xyz[there, joint, axis])
    return out


def package_sources(names: tuple[str, ...], clips: int, seed: int) -> list[Source]:
    """Return `clips` motions of 5 s of each name, each with its own body and seed."""
    sources = []
    for index, name in enumerate(names):
        for clip in range(clips):
            rng = np.random.default_rng([seed, index, clip])
            motion = generate_motion(name, 5.0, FPS, sample_body(rng), rng)
            sources.append(Source(name, motion.h36m, motion.coco))
    return sources


def articulated_sources(clips: int, seed: int) -> list[Source]:
    """Return `clips` motions of 5 s through random poses of the package's figure, in random orientation."""
    return [_articulated(np.random.default_rng([seed, 1000, clip])) for clip in range(clips)]


def _articulated(rng: np.random.Generator) -> Source:
    frames = int(5 * FPS)
    keys = np.arange(0, frames + 60, rng.uniform(8, 30))
    calm = rng.uniform(0.4, 1.2)
    local = np.broadcast_to(np.eye(3), (frames, len(NODES), 3, 3)).copy()
    for name in NODES:
        part = name[2:] if name[:2] in ("l_", "r_") else name
        if part in HINGES:
            low, high = HINGES[part]
            angles = np.zeros((len(keys), 3))
            angles[:, 0] = low + (high - low) * rng.beta(1.0, 1.6 if high > 0 else 1.0, len(keys))
        else:
            angles = calm * rng.standard_normal((len(keys), 3)) * np.array(SWING[part])
            if part == "hip":
                angles[:, 0] -= 25
        curve = PchipInterpolator(keys, angles)(np.arange(frames))
        local[:, NODE[name]] = Rotation.from_rotvec(curve, degrees=True).as_matrix()
    tilt = calm * rng.standard_normal((len(keys), 3)) * np.array([35, 60, 35])
    tilt[:, 1] += rng.uniform(-180, 180)
    root = Rotation.from_euler("yxz", PchipInterpolator(keys, tilt[:, [1, 0, 2]])(np.arange(frames)), degrees=True)
    path = PchipInterpolator(keys, np.cumsum(0.15 * rng.standard_normal((len(keys), 3)), axis=0))(np.arange(frames))
    posed = pose_rig(build_rig(sample_body(rng)), root.as_matrix(), local, path)
    return Source("articulated", pick(posed, H36M_SOURCES), pick(posed, COCO_SOURCES))


def bone_lengths(body: BodyShape) -> np.ndarray:
    """Return the (17,) length of each Human3.6M joint's bone to its parent in the package's figure, metres."""
    still = np.broadcast_to(np.eye(3), (1, len(NODES), 3, 3))
    rest = pick(pose_rig(build_rig(body), np.eye(3)[None], still, np.zeros((1, 3))), H36M_SOURCES)[0]
    return np.linalg.norm(rest - rest[np.maximum(PARENTS, 0)], axis=-1)


def draw(
    source: Source, frames: int, reach: int, rng: np.random.Generator, measured: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one training example: (frames, 17, 3) input values and (frames - 2 reach, 17, 3) targets.

    measured : share of the examples whose 2D errors are those measured from `nano`; up to 0.8 the rest have made-up
    ones. Targets are metres, the difference from the flat pose, which is what the network learns.
    The window may begin before the clip and end after it, with the border frame repeated, as in use.
    """
    h36m, coco = _window(source, frames, reach, rng)
    if rng.random() < 0.5:
        h36m, coco = (p[:, list(s.flip)] * [-1, 1, 1] for p, s in ((h36m, H36M17), (coco, COCO17)))
    if rng.random() < 0.12:
        turn = Rotation.random(rng=rng).as_matrix()
        h36m, coco = h36m @ turn.T, coco @ turn.T
    scale = standard_scale(coco)
    h36m, coco = h36m * scale, coco * scale
    camera = random_camera(h36m, rng)
    seen = view(h36m, coco, camera)
    xy, confidence = _degraded(seen.xy, rng, measured)
    values, _ = person_frame(xy, confidence)
    # The true pelvis gives the viewing ray: the network answers in axes that look straight at the person.
    ray = seen.pelvis @ camera.intrinsic.T
    turn = ray_rotation(ray[:, :2] / ray[:, 2:], camera.size, float(camera.intrinsic[0, 0]))
    target = np.einsum("tji,tkj->tki", turn, seen.xyz)
    residual = target.astype(np.float32) - flat_pose(values)
    return values, residual[reach : frames - reach]


def _window(source: Source, frames: int, reach: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    speed = float(np.exp(rng.uniform(np.log(0.45), np.log(1.5))))
    last = len(source.h36m) - 1
    begin = rng.uniform(-reach * speed, max(last - (frames - reach) * speed, 0.0))
    at = np.clip(begin + speed * np.arange(frames), 0, last)
    h36m = _interpolated(source.h36m, at)
    if source.coco is not None:
        return h36m, _interpolated(source.coco, at)
    if rng.random() < 0.7:
        h36m = with_bones(h36m, bone_lengths(sample_body(rng)))
    yaw = np.deg2rad(rng.normal(0, 25) + rng.normal(0, 20) * np.sin(np.arange(frames) * rng.uniform(0.02, 0.12)))
    return h36m, coco_from_h36m(h36m, yaw)


def _interpolated(points: np.ndarray, at: np.ndarray) -> np.ndarray:
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(points) - 1)
    share = (at - low)[:, None, None]
    return points[low] * (1 - share) + points[high] * share


@cache
def _measured() -> tuple[NoiseModel, ...]:
    """Return the errors measured from `nano`, before and after calibration, on common and on uncommon motion."""
    return tuple(model for name in ("nano", "nano-calibrated") for model in read_noise(name).values())


def _degraded(xy: np.ndarray, rng: np.random.Generator, measured: float) -> tuple[np.ndarray, np.ndarray]:
    """Give joints errors: measured ones with this chance, else made-up ones, else (one in five) none."""
    confidence = np.ones(xy.shape[:2])
    chance = rng.random()
    if chance < measured:
        xy, confidence = _with_measured_errors(xy, rng)
    elif chance < 0.8:
        xy, confidence = detector_noise(xy, float(np.exp(rng.uniform(np.log(0.004), np.log(0.03)))), rng)
    # Measured confidences stay: they are what tells good joints from bad ones.
    if rng.random() < 0.3 and chance >= measured:
        confidence = np.where(confidence > 0, 1.0, 0.0)
    hidden: tuple[int, ...] = ()
    if rng.random() < 0.04:
        hidden = LEGS
    elif rng.random() < 0.04:
        hidden = ARMS[int(rng.integers(2))]
    xy = xy.copy()
    xy[:, list(hidden)] = np.nan
    confidence[:, list(hidden)] = 0.0
    return xy, confidence


def _with_measured_errors(xy: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give joints measured errors: as they are in half of the examples, else shorter ones, as of a better model."""
    models = _measured()
    model = models[int(rng.integers(len(models)))]
    if rng.random() < 0.5:
        model = replace(model, length=model.length * rng.uniform(0.3, 1.0))
    return apply_noise(xy, model, rng)


def training_sources(shared: Path, seed: int, own: list[Path]) -> list[tuple[float, list[Source]]]:
    """Return (share of the draws, sources): captured common, own common, own uncommon, random articulation.

    own : files of the user's; where there are any, a third as much again is drawn of them.
    """
    added = own_sources(own)
    return [
        *([(0.33, added)] if added else []),
        (0.25, mocap_sources(shared)),
        (0.22, package_sources(COMMON_MOTIONS, 30, seed)),
        (0.28, package_sources(UNCOMMON_MOTIONS, 50, seed + 1)),
        (0.25, articulated_sources(400, seed + 2)),
    ]
