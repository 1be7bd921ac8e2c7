"""Where the person stands: the pelvis in metres before the camera, from a pose in metres and its 2D joints."""

from __future__ import annotations

import numpy as np

from emc.pose.skeletons import SHARED_COCO, SHARED_H36M
from emc.stages.refine.evidence import Evidence

NEAREST = 0.3
"""Metres: nobody is closer to the lens."""
FASTEST = 12.0
"""Metres a second: nobody runs faster."""
ROUGH = 0.05
"""Share of the distance by which one frame's place may be off: that of an error of a twentieth in the pose's size."""
_FEWEST = 4
_ROUNDS = 6
_USUAL = 0.03
"""Metres by which joints miss their rays at the least: a few that fit exactly must not outvote all others."""


def solve_root(evidence: Evidence) -> np.ndarray:
    """Return (T, 3) metres, the pelvis in the camera frame, under full perspective.

    A joint at depth z on the ray (u, v) has x = u z and y = v z. With the pose known around the pelvis these are linear
    in the pelvis' place: two equations per seen joint, three unknowns, solved by least squares with the confidences as
    weights, once more with strays held down. Frames with fewer than four seen joints, or whose solution lies behind the
    lens, are interpolated in time; where no frame has one, the person is put 4 m away.

    Metres are those of the pose: a pose that is 5 % too large stands 5 % too far.
    """
    return _bridged(*_solved(evidence))


def place_root(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, 3) metres, the pelvis as `solve_root` finds it, and the (T,) frames of consecutive ones to believe.

    A frame at whose place nobody could have got from most others (`reachable`) is interpolated too, and not to be
    believed: its joints are of somebody else, or of two people.
    """
    root, good = _solved(evidence)
    kept = reachable(root, good, evidence.fps)
    return _bridged(root, kept), kept | ~good


def _solved(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, 3) metres and which of these frames have a usable place."""
    pose = evidence.xyz[:, list(SHARED_H36M)]
    rays = evidence.rays[:, list(SHARED_COCO)]
    weight = np.nan_to_num(evidence.confidence[:, list(SHARED_COCO)]) * np.isfinite(pose).all(axis=-1)
    root = _least_squares(pose, rays, weight)
    for _ in range(_ROUNDS):
        off = _misfit(pose, rays, root)
        typical = np.nanmedian(np.where(weight > 0, off, np.nan)) if (weight > 0).any() else 0.0
        root = _least_squares(pose, rays, weight / (1 + (np.nan_to_num(off) / max(2.5 * float(typical), _USUAL)) ** 2))
    enough = (weight > 0).sum(axis=1) >= _FEWEST
    return root, enough & np.isfinite(root).all(axis=1) & (np.nan_to_num(root[:, 2]) > NEAREST)


def reachable(root: np.ndarray, good: np.ndarray, fps: float) -> np.ndarray:
    """Return which of the `good` (T,) frames make the longest way that somebody can have gone.

    root : (T, 3) metres. Between two frames of it lie no more than `FASTEST` metres a second and what a single frame's
    place is uncertain by (`ROUGH` of its distance). Where a pose is taken for another size for a while, as where two
    people are taken for one, the place jumps away and back; those frames are left out. By dynamic programming, O(T^2).
    """
    frames = np.flatnonzero(good)
    if len(frames) < 2:
        return good
    places, depth = root[frames], root[frames, 2]
    longest, before = np.ones(len(frames)), np.full(len(frames), -1)
    for here in range(1, len(frames)):
        apart = np.linalg.norm(places[:here] - places[here], axis=1)
        free = FASTEST * (frames[here] - frames[:here]) / fps + ROUGH * np.minimum(depth[:here], depth[here])
        length = np.where(apart <= free, longest[:here], 0.0)
        # Of equally long ways the one by the nearest frame.
        best = here - 1 - int(np.argmax(length[::-1]))
        if length[best] > 0:
            longest[here], before[here] = longest[best] + 1, best
    kept = np.zeros(len(good), dtype=bool)
    at = int(np.argmax(longest))
    while at >= 0:
        kept[frames[at]] = True
        at = int(before[at])
    return kept


def _least_squares(pose: np.ndarray, rays: np.ndarray, weight: np.ndarray) -> np.ndarray:
    u, v = np.nan_to_num(rays[..., 0]), np.nan_to_num(rays[..., 1])
    point = np.nan_to_num(pose)
    right_u, right_v = u * point[..., 2] - point[..., 0], v * point[..., 2] - point[..., 1]
    normal = np.empty((len(pose), 3, 3))
    normal[:, 0, 0] = normal[:, 1, 1] = weight.sum(axis=1)
    normal[:, 0, 1] = normal[:, 1, 0] = 0.0
    normal[:, 0, 2] = normal[:, 2, 0] = -(weight * u).sum(axis=1)
    normal[:, 1, 2] = normal[:, 2, 1] = -(weight * v).sum(axis=1)
    normal[:, 2, 2] = (weight * (u * u + v * v)).sum(axis=1)
    right = np.stack(
        [
            (weight * right_u).sum(axis=1),
            (weight * right_v).sum(axis=1),
            -(weight * (u * right_u + v * right_v)).sum(axis=1),
        ],
        axis=1,
    )
    solvable = np.abs(np.linalg.det(normal)) > 1e-12
    root = np.full((len(pose), 3), np.nan)
    root[solvable] = np.linalg.solve(normal[solvable], right[solvable][..., None])[..., 0]
    return root


def _misfit(pose: np.ndarray, rays: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return (T, 12) metres at the joint's depth between a joint and its ray."""
    point = pose + root[:, None]
    return np.linalg.norm(point[..., :2] - rays * point[..., 2:], axis=-1)


def _bridged(root: np.ndarray, good: np.ndarray) -> np.ndarray:
    if not good.any():
        return np.tile(np.array([0.0, 0.0, 4.0]), (len(root), 1))
    frames = np.arange(len(root))
    bridged = np.empty_like(root)
    for axis in range(3):
        bridged[:, axis] = np.interp(frames, frames[good], root[good, axis])
    return bridged
