"""Views of a moving skeleton through made-up cameras and a made-up detector, to train and measure lifters.

World points are metres, y up; camera points are metres, x right, y down, z forward (`emc.pose.geometry.Camera`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch
from emc.lifters.person_frame import BONE_LENGTHS, BONES
from emc.pose.geometry import Camera
from emc.pose.skeletons import COCO17, H36M17, joint_mapping

PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
"""Parent of each Human3.6M joint."""

HEAD_OF_STATURE = 0.168
# Nose, eyes and ears in units of the neck-to-crown length: the person's left, up from the neck, forward.
FACE = ((0.0, 0.50, 0.435), (0.12, 0.615, 0.335), (-0.12, 0.615, 0.335), (0.275, 0.545, 0.0), (-0.275, 0.545, 0.0))
# How far a detector strays on each COCO joint, relative to its mean: faces are easy, hips and wrists are not.
JOINT_NOISE = (0.5, 0.5, 0.5, 0.6, 0.6, 0.9, 0.9, 1.1, 1.1, 1.3, 1.3, 1.4, 1.4, 1.1, 1.1, 1.2, 1.2)


@dataclass(frozen=True, slots=True)
class View:
    """What a camera sees of one person, and the truth.

    xy : (T, 17, 2) COCO-17 pixels, NaN = missing. confidence : (T, 17). xyz : (T, 17, 3) Human3.6M-17, metres,
    camera axes, pelvis at the origin. camera : the camera. pelvis : (T, 3) metres, camera frame.
    """

    xy: np.ndarray
    confidence: np.ndarray
    xyz: np.ndarray
    camera: Camera
    pelvis: np.ndarray


def rooted(h36m: np.ndarray) -> np.ndarray:
    """Return (T, 17, 3) with the pelvis in the middle of the hips: motion-capture rigs often place it higher."""
    out = np.array(h36m, dtype=np.float64)
    out[:, 0] = (out[:, 1] + out[:, 4]) / 2
    return out


def with_bones(h36m: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Give a (T, 17, 3) motion other bones: directions stay, `lengths` (17,) metres replace the lengths (0: unused)."""
    out = rooted(h36m)
    source = out.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            bone = source[:, joint] - source[:, parent]
            bone /= np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9)
            out[:, joint] = out[:, parent] + bone * lengths[joint]
    return out


def coco_from_h36m(h36m: np.ndarray, turn: np.ndarray | None = None) -> np.ndarray:
    """Return (T, 17, 3) COCO-17 points of a (T, 17, 3) Human3.6M-17 motion, in the same frame.

    Limbs are copied; nose, eyes and ears are placed on a head that points from thorax to crown and faces where the
    shoulders face, turned by `turn` (T,) radians about its own axis (positive: to the person's left).
    Raises `ShapeMismatch` where the joints are not 17.
    """
    if h36m.ndim != 3 or h36m.shape[1:] != (17, 3):
        raise ShapeMismatch(f"got Human3.6M points {h36m.shape}: they must be (T, 17, 3)")
    points = np.asarray(h36m, dtype=np.float64)
    out = points[:, np.maximum(joint_mapping(H36M17, COCO17), 0)].copy()
    crown = points[:, H36M17.index("head_top")]
    up = _unit(crown - points[:, H36M17.index("thorax")])
    left = points[:, H36M17.index("left_shoulder")] - points[:, H36M17.index("right_shoulder")]
    left = _unit(left - (left * up).sum(-1, keepdims=True) * up)
    forward = np.cross(left, up)
    if turn is not None:
        cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
        left, forward = cos * left - sin * forward, cos * forward + sin * left
    legs = [np.linalg.norm(points[:, a] - points[:, b], axis=-1).mean() for a, b in ((1, 2), (2, 3))]
    head = HEAD_OF_STATURE * float(sum(legs)) / 0.480
    for joint, (x, y, z) in enumerate(FACE):
        out[:, joint] = crown + head * (x * left + (y - 1) * up + z * forward)
    return out


def standard_scale(coco: np.ndarray) -> float:
    """Return the factor that brings (T, 17, 3) metres to the size of a standard adult (sum of ten bones)."""
    ends = np.array(BONES)
    lengths = np.linalg.norm(coco[:, ends[:, 0]] - coco[:, ends[:, 1]], axis=-1).mean(axis=0)
    return sum(BONE_LENGTHS) / float(lengths.sum())


def random_camera(points: np.ndarray, rng: np.random.Generator) -> Camera:
    """Return a camera that looks at a (T, J, 3) motion, metres, y up.

    Any azimuth; 3 to 9 m beyond the motion's own extent; mostly held between knee and head, at times from above; a
    few degrees of roll; a field of view of 35 to 65 degrees; the person up to 12 degrees off the middle.
    """
    centre = (points.min(axis=(0, 1)) + points.max(axis=(0, 1))) / 2
    extent = float(np.linalg.norm(points[:, 0] - points[:, 0].mean(axis=0), axis=-1).max())
    distance = np.exp(rng.uniform(np.log(3.0), np.log(9.0))) + extent
    azimuth = rng.uniform(0, 2 * np.pi)
    angle = rng.uniform(0.3, 0.9) if rng.random() < 0.15 else rng.normal(0.08, 0.10)
    direction = np.array([np.cos(azimuth) * np.cos(angle), np.sin(angle), np.sin(azimuth) * np.cos(angle)])
    eye = centre + distance * direction
    target = centre + distance * np.tan(np.deg2rad(6.0)) * np.clip(rng.standard_normal(3), -2, 2) / np.sqrt(2)
    rotation = _roll(float(rng.normal(0, np.deg2rad(4)))) @ _look(target - eye)
    size = ((1280, 720), (720, 1280), (1920, 1080), (640, 480))[int(rng.integers(4))]
    focal = max(size) / (2 * np.tan(np.deg2rad(rng.uniform(35, 65)) / 2))
    intrinsic = np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1.0]])
    return Camera(intrinsic, rotation, -rotation @ eye, size)


def view(h36m: np.ndarray, coco: np.ndarray, camera: Camera) -> View:
    """Return the exact view of a motion: (T, 17, 3) Human3.6M and COCO points, world metres."""
    truth = camera.to_camera(h36m)
    xy = camera.project(coco)
    return View(xy, np.ones(xy.shape[:2]), truth - truth[:, :1], camera, truth[:, 0])


def detector_noise(xy: np.ndarray, level: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make exact joints look like a detector's: returns (T, 17, 2) with NaN where lost, and (T, 17) confidence.

    level : typical error as a share of the person's longest extent in the frame (0.01 is good, 0.03 poor). Errors are
    half steady over time, half new on each frame; a joint may stray or be lost for a while, legs or all sides swap.
    """
    frames = len(xy)
    span = float(np.median((xy.max(axis=1) - xy.min(axis=1)).max(axis=-1)))
    sigma = level * span * np.array(JOINT_NOISE)[:, None]
    noise = sigma * (_steady(frames, rng) + rng.standard_normal((frames, 17, 2))) / np.sqrt(2)
    noisy = _swapped(xy, rng)
    for joint, first, last in _spans(frames, 0.25 * level / 0.01, 12, rng):
        noise[first:last, joint] += rng.normal(0, 0.12 * span, 2)
    noisy = noisy + noise
    error = np.linalg.norm(noisy - xy, axis=-1) / span
    confidence = np.clip(np.exp(-error / 0.06) + rng.normal(0, 0.08, error.shape), 0.05, 1.0)
    for joint, first, last in _spans(frames, 0.6, 10, rng):
        noisy[first:last, joint] = np.nan
        confidence[first:last, joint] = 0.0
    return noisy, confidence


def _steady(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance noise (T, 17, 2) that is correlated in time: white noise under a window of about 9 frames."""
    kernel = np.hanning(11)[1:-1]
    kernel /= np.sqrt((kernel**2).sum())
    white = rng.standard_normal((frames + len(kernel) - 1, 17, 2))
    windows = np.lib.stride_tricks.sliding_window_view(white, len(kernel), axis=0)
    return windows @ kernel


def _spans(frames: int, rate: float, longest: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Draw (joint, first, last + 1) spans, on average `rate` per 27 frames."""
    count = int(rng.poisson(rate * frames / 27))
    starts = rng.integers(0, frames, count)
    lengths = rng.integers(1, longest + 1, count)
    joints = rng.integers(0, 17, count)
    return [(int(j), int(s), int(min(s + n, frames))) for j, s, n in zip(joints, starts, lengths, strict=True)]


def _swapped(xy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Swap left and right legs, or all joints, on a few short spans."""
    out = xy.copy()
    for joint, first, last in _spans(len(xy), 0.04, 8, rng):
        flip = np.array(COCO17.flip)
        if joint > 4:
            flip[:11] = np.arange(11)
        out[first:last] = out[first:last, flip]
    return out


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _look(forward: np.ndarray) -> np.ndarray:
    forward = _unit(forward)
    right = _unit(np.cross(forward, np.array([0.0, 1.0, 0.0])))
    return np.stack([right, np.cross(forward, right), forward])


def _roll(angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
