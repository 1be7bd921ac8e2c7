"""What the refined motion should agree with, one function each: every term adds its squared residuals to the equations.

All residuals are metres, so that weights are one over a variance in square metres and terms can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.pose.skeletons import ANKLES, H36M_PARENTS, SHARED_COCO, SHARED_H36M
from emc.stages.refine.evidence import Evidence
from emc.stages.refine.normal import STATE, NormalEquations, columns, unpack

# How firmly the lifter's joints are held across the line of sight, and along it, in metres: by and large what it errs
# (`python benchmarks/lifting/refine.py --parts prior`), less for the ends of limbs along it, where firmer was better.
# MPJPE on rendered kicks, uncommon and common mocap is 45.7, 97.1 and 50.7 mm on the few clips of
# `python benchmarks/lifting/refine_constants.py --clips 4`. ACROSS halved: 46.1, 101.0, 51.4; doubled: 48.3, 100.8,
# 49.1. ALONG halved: 44.9, 106.8, 50.0; doubled: 50.5, 90.2, 55.1, which is good for uncommon motion alone.
ACROSS = np.array([0, 18, 40, 55, 18, 40, 55, 28, 30, 35, 45, 35, 50, 60, 35, 50, 60]) / 1000
ALONG = np.array([0, 25, 72, 104, 25, 72, 104, 40, 56, 72, 88, 60, 88, 112, 60, 88, 112]) / 1000

# Half or twice of either moves the MPJPE by less than 1 mm.
SURE, LOOSE = 0.008, 0.10
"""Metres at the joint's depth: the least and the most that a joint of confidence 1 is taken to lie off its ray."""
# Halved, kicks keep 0.92 of their peak speed instead of 0.84, for 48.5 mm instead of 45.7; doubled, 0.75 for 44.7 mm,
# and uncommon motion errs 104.3 mm instead of 97.1.
JITTER = 1.0
"""Times its jitter by which a joint is taken to lie off its ray; more would trade the peaks of kicks for calm."""
# From 2 to 8 the MPJPE is the same to 0.5 mm.
STRAY = 4.0
"""Degrees of freedom of Student's t: beyond about two deviations a 2D joint counts less and less."""
BONE = np.array([0, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 5, 5, 4, 2.5, 4, 1.5, 1.5, 4, 1.5, 1.5]) / 1000
"""Metres by which a bone may differ from its length; the chain of the trunk bends, so its chords do vary."""
# Halved, common motion's peaks fall from 1.14 to 0.97 of the true ones, and kicks' from 0.84 to 0.83; doubled they rise
# to 1.25 and 0.88, with 0.2 to 0.9 mm more of MPJPE.
ACCELERATION = np.array([8.0, 10, 18, 30, 10, 18, 30, 10, 12, 14, 16, 16, 28, 40, 16, 28, 40])
"""m/s^2: usual accelerations of the pelvis, then of the joints around it."""
PEAKS = 1.2
"""Degrees of freedom of Student's t over accelerations: motion is smooth, and an impact is allowed its peak."""
STANDING = 0.006
"""Metres per frame at 30 frames per second that the ankle of a standing foot moves."""
_SHORTEST = 1e-4
_ENOUGH = 5
# A normal vector in the plane has the median length sqrt(2 ln 2); a second difference of noise is sqrt(6) larger.
_UNIT_JITTER = float(np.sqrt(2 * np.log(2) * 6))


@dataclass(frozen=True, slots=True)
class State:
    """The motion that the terms are linearised at: root (T, 3), xyz (T, 17, 3) around it, and both as (T, 51)."""

    vector: np.ndarray
    root: np.ndarray
    xyz: np.ndarray

    @classmethod
    def of(cls, vector: np.ndarray) -> State:
        """Return the state of (T, 51) numbers."""
        return cls(vector, *unpack(vector))


def add_prior(equations: NormalEquations, state: State, evidence: Evidence, root: np.ndarray) -> None:
    """Pull towards the lifter's pose; towards `root` (T, 3) only just enough to place a person whom no ray places."""
    spread = np.stack([ACROSS, ACROSS, ALONG], axis=1)[1:].reshape(-1)
    weight = np.tile(np.concatenate([np.full(3, 1.0), spread]) ** -2.0, (len(evidence), 1))
    target = np.concatenate([root, evidence.xyz[:, 1:].reshape(len(evidence), -1)], axis=1)
    known = np.isfinite(target)
    equations.add_diagonal(np.where(known, state.vector - target, 0.0), np.where(known, weight, 1e-4))


def add_rays(equations: NormalEquations, state: State, evidence: Evidence) -> None:
    """Pull each seen limb joint onto its ray: x - u z and y - v z, metres at the joint's depth, by confidence."""
    for joint, seen in zip(SHARED_H36M, SHARED_COCO, strict=True):
        ray = evidence.rays[:, seen]
        point = state.root + state.xyz[:, joint]
        off = np.nan_to_num(point[:, :2] - ray * point[:, 2:])
        spread = jitter(ray, state.root[:, 2]) / np.maximum(evidence.confidence[:, seen], 0.05)
        weight = np.isfinite(ray).all(axis=1) * student(off, spread, STRAY)
        place = columns(joint)
        where = np.arange(3) if place is None else np.concatenate([np.arange(3), np.arange(STATE)[place]])
        single = np.zeros((len(evidence), 2, 3))
        single[:, 0, 0] = single[:, 1, 1] = 1.0
        single[:, :, 2] = -np.nan_to_num(ray)
        jacobian = np.tile(single, (1, 1, len(where) // 3))
        equations.add_within(where, jacobian, off, np.repeat(weight[:, None], 2, axis=1))


def jitter(ray: np.ndarray, depth: np.ndarray) -> float:
    """Return metres by which one joint's rays are uncertain, told from how they shake.

    ray : (T, 2), NaN where not seen. depth : (T,) metres. The median second difference over that of unit normal noise:
    a smooth motion adds little to it, a stray nothing. Between `SURE` and `LOOSE`; `SURE` where too little is seen.
    """
    shaken = np.linalg.norm(np.diff(ray * depth[:, None], 2, axis=0), axis=1)
    known = shaken[np.isfinite(shaken)]
    if known.size < _ENOUGH:
        return SURE
    return float(np.clip(JITTER * np.median(known) / _UNIT_JITTER, SURE, LOOSE))


def add_bones(equations: NormalEquations, state: State, lengths: np.ndarray) -> None:
    """Pull every bone to its length in (17,) metres, and the middle of the hips to the pelvis."""
    for joint in range(1, 17):
        jacobian, where, length = bone_jacobian(state, joint)
        weight = np.full((len(length), 1), BONE[joint] ** -2.0)
        equations.add_within(where, jacobian, (length - lengths[joint])[:, None], weight)
        add_bone_curvature(equations, state, joint, float(lengths[joint]))
    add_middle(equations, state)


def add_middle(equations: NormalEquations, state: State) -> None:
    """Keep the pelvis in the middle of the hips, as Human3.6M has it."""
    where = np.concatenate([np.arange(STATE)[columns(1)], np.arange(STATE)[columns(4)]])
    middle = np.concatenate([np.eye(3), np.eye(3)], axis=1) / 2
    jacobian = np.tile(middle, (len(state.root), 1, 1))
    off = (state.xyz[:, 1] + state.xyz[:, 4]) / 2
    equations.add_within(where, jacobian, off, np.full(off.shape, 0.008**-2.0))


def add_bone_curvature(equations: NormalEquations, state: State, joint: int, length: float) -> None:
    """Add the second derivative of a bone that is too long: turning it does not shorten it, as its slope would say.

    Without it a bone whose projection is longer than the bone itself, which no depth can mend, swings between two
    depths for ever. It is weight x (1 - length / long) across the bone; where negative it is left out, so that the
    equations stay positive definite.
    """
    apart = state.xyz[:, joint] - state.xyz[:, H36M_PARENTS[joint]]
    long = np.maximum(np.linalg.norm(apart, axis=1), _SHORTEST)
    direction = apart / long[:, None]
    across = np.eye(3) - direction[:, :, None] * direction[:, None, :]
    parts = [(columns(joint), across), (columns(H36M_PARENTS[joint]), -across)]
    where = np.concatenate([np.arange(STATE)[place] for place, _ in parts if place is not None])
    jacobian = np.concatenate([side for place, side in parts if place is not None], axis=2)
    share = np.maximum(1.0 - length / long, 0.0) * BONE[joint] ** -2.0
    equations.add_within(where, jacobian, np.zeros((len(long), 3)), np.repeat(share[:, None], 3, axis=1))


def bone_jacobian(state: State, joint: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the (T, 1, n) derivative of a bone's length, the numbers that it depends on, and its (T,) length."""
    return distance_jacobian(state, H36M_PARENTS[joint], joint)


def distance_jacobian(state: State, first: int, second: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the (T, 1, n) derivative of the distance of two joints, the numbers it depends on, and the distance."""
    apart = state.xyz[:, second] - state.xyz[:, first]
    length = np.linalg.norm(apart, axis=1)
    direction = apart / np.maximum(length, _SHORTEST)[:, None]
    parts = [(columns(second), direction), (columns(first), -direction)]
    where = np.concatenate([np.arange(STATE)[place] for place, _ in parts if place is not None])
    jacobian = np.concatenate([side for place, side in parts if place is not None], axis=1)
    return jacobian[:, None], where, length


def add_smoothness(equations: NormalEquations, state: State, fps: float) -> None:
    """Hold down accelerations, those of everyday motion hard and a peak hardly: Student's t per joint and frame.

    Re-weighted at every step this is a robust Rauch-Tung-Striebel smoother in information form (Aravkin, Burke,
    Pillonetto, "Sparse/robust estimation and Kalman smoothing with nonsmooth log-concave densities", JMLR 2013, and
    the Student's t smoothers of the same authors, 2014).
    """
    if len(state.vector) < 3:
        return
    change = np.diff(state.vector, 2, axis=0)
    jerk = change.reshape(len(change), 17, 3)
    spread = ACCELERATION / fps**2
    weight = student(jerk, spread[None, :], PEAKS)
    equations.add_second_difference(change, np.repeat(weight, 3, axis=1))


def add_contacts(equations: NormalEquations, state: State, contact: np.ndarray, fps: float) -> None:
    """Keep the ankle of a standing foot where it is. contact : (T, 2), how surely the right and left foot stand."""
    if len(state.vector) < 2:
        return
    spread = STANDING * 30 / fps
    for foot, ankle in enumerate(ANKLES):
        held = np.minimum(contact[1:, foot], contact[:-1, foot])
        place = state.root + state.xyz[:, ankle]
        moved = np.diff(place, axis=0)
        weight = held * student(moved, np.full(len(moved), spread), STRAY)
        for axis in range(3):
            equations.add_first_difference((axis, 3 * ankle + axis), moved[:, axis], weight)


def student(residual: np.ndarray, spread: np.ndarray, freedom: float) -> np.ndarray:
    """Return the weights (...) of (..., n) residual vectors under a Student's t of (...) `spread` and `freedom`.

    The weight of re-weighted least squares: (freedom + n) / (freedom + r^2 / s^2) / s^2 (Lange, Little, Taylor, JASA
    1989).
    """
    size = (residual**2).sum(axis=-1) / spread**2
    return (freedom + residual.shape[-1]) / (freedom + size) / spread**2
