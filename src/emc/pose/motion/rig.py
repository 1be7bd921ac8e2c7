"""A jointed rig of the Human3.6M-17 skeleton: rotations from joints, and joints from rotations.

Formats of animation (BVH, glTF) hold rotations of nodes. Each node's rotation turns its own children, so where three
bones leave one joint (pelvis, thorax) a node without length stands at its start for each that turns on its own.
The rest pose stands upright with hanging arms, faces +z, the person's left is +x, y is up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.pose.motion.motion import Motion3D
from emc.pose.skeletons import bone_lengths

DOWN, UP, LEFT, RIGHT = (0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the rig: its name, its parent's index (-1: none), the joint of Human3.6M-17 at which it stands, the
    direction from the parent in the rest pose, and the joint that its rotation points at (-1: none, it is an end).
    """

    name: str
    parent: int
    joint: int
    rest: tuple[float, float, float]
    aims: int


RIG_NODES: tuple[Node, ...] = (
    Node("pelvis", -1, 0, (0.0, 0.0, 0.0), -1),
    Node("right_hip", 0, 1, RIGHT, 2),
    Node("right_knee", 1, 2, DOWN, 3),
    Node("right_ankle", 2, 3, DOWN, -1),
    Node("left_hip", 0, 4, LEFT, 5),
    Node("left_knee", 4, 5, DOWN, 6),
    Node("left_ankle", 5, 6, DOWN, -1),
    Node("lower_back", 0, 0, (0.0, 0.0, 0.0), 7),
    Node("spine", 7, 7, UP, 8),
    Node("thorax", 8, 8, UP, -1),
    Node("neck", 9, 8, (0.0, 0.0, 0.0), 9),
    Node("neck_nose", 10, 9, UP, 10),
    Node("head_top", 11, 10, UP, -1),
    Node("left_collar", 9, 8, (0.0, 0.0, 0.0), 11),
    Node("left_shoulder", 13, 11, LEFT, 12),
    Node("left_elbow", 14, 12, DOWN, 13),
    Node("left_wrist", 15, 13, DOWN, -1),
    Node("right_collar", 9, 8, (0.0, 0.0, 0.0), 14),
    Node("right_shoulder", 17, 14, RIGHT, 15),
    Node("right_elbow", 18, 15, DOWN, 16),
    Node("right_wrist", 19, 16, DOWN, -1),
)


@dataclass(frozen=True, slots=True)
class RigMotion:
    """A rig in motion: offsets (N, 3) metres from each node's parent at rest, local rotations (T, N, 3, 3), and where
    the pelvis is, root (T, 3) metres.
    """

    offsets: np.ndarray
    rotations: np.ndarray
    root: np.ndarray


def rig_motion(motion: Motion3D) -> RigMotion:
    """Return the rig that follows a Human3.6M-17 motion without missing joints.

    Bones have their median length over the clip; the joints are met exactly where bones keep that length (as they do
    after the refinement ``bones``). The pelvis turns with hips and trunk; every other node turns by the shortest way
    from its parent, so turns of a bone about itself, which joints do not show, are those of its parent.
    """
    xyz = np.asarray(motion.xyz, dtype=np.float64)
    lengths = np.median(bone_lengths(xyz), axis=0)
    offsets = np.array([np.array(node.rest) * lengths[node.joint] for node in RIG_NODES])
    world = np.empty((len(xyz), len(RIG_NODES), 3, 3))
    world[:, 0] = _pelvis_rotation(xyz)
    for index, node in enumerate(RIG_NODES[1:], start=1):
        parent = world[:, node.parent]
        if node.aims < 0:
            world[:, index] = parent
            continue
        child = next(i for i, other in enumerate(RIG_NODES) if other.parent == index)
        rest = np.einsum("tij,j->ti", parent, np.array(RIG_NODES[child].rest))
        world[:, index] = shortest_rotation(rest, xyz[:, node.aims] - xyz[:, node.joint]) @ parent
    parents = np.array([max(node.parent, 0) for node in RIG_NODES])
    local = np.swapaxes(world[:, parents], 2, 3) @ world
    local[:, 0] = world[:, 0]
    return RigMotion(offsets, local, xyz[:, 0].copy())


def rig_positions(rig: RigMotion) -> np.ndarray:
    """Return (T, 17, 3) metres, the joints of Human3.6M-17 that a rig in motion reaches."""
    count = len(rig.root)
    world = np.empty((count, len(RIG_NODES), 3, 3))
    place = np.empty((count, len(RIG_NODES), 3))
    world[:, 0], place[:, 0] = rig.rotations[:, 0], rig.root
    for index, node in enumerate(RIG_NODES[1:], start=1):
        world[:, index] = world[:, node.parent] @ rig.rotations[:, index]
        place[:, index] = place[:, node.parent] + np.einsum("tij,j->ti", world[:, node.parent], rig.offsets[index])
    joints = np.empty((count, 17, 3))
    for index, node in enumerate(RIG_NODES):
        joints[:, node.joint] = place[:, index]
    return joints


def shortest_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the (..., 3, 3) shortest rotations that take directions (..., 3) `start` to `end` (Rodrigues).

    Where the two are opposite, half a turn about some axis at right angles to them.
    """
    a, b = _unit(start), _unit(end)
    cosine = (a * b).sum(axis=-1)[..., None, None]
    cross = np.cross(a, b)
    skew = np.zeros((*cross.shape[:-1], 3, 3))
    skew[..., 0, 1], skew[..., 0, 2], skew[..., 1, 2] = -cross[..., 2], cross[..., 1], -cross[..., 0]
    skew -= np.swapaxes(skew, -1, -2)
    turned = np.eye(3) + skew + skew @ skew / np.maximum(1 + cosine, 1e-12)
    aside = _unit(np.cross(a, np.where(np.abs(a[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])))
    half = 2 * aside[..., :, None] * aside[..., None, :] - np.eye(3)
    return np.where(cosine > -1 + 1e-9, turned, half)


def _pelvis_rotation(xyz: np.ndarray) -> np.ndarray:
    """Return (T, 3, 3) whose columns are the person's left, up and forward."""
    left = _unit(xyz[:, 4] - xyz[:, 1])
    up = xyz[:, 7] - xyz[:, 0]
    up = _unit(up - (up * left).sum(axis=-1, keepdims=True) * left)
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def euler_zxy(rotations: np.ndarray) -> np.ndarray:
    """Return (..., 3) radians z, x, y of (..., 3, 3) rotations Rz(z) Rx(x) Ry(y); x lies in [-pi / 2, pi / 2]."""
    x = np.arcsin(np.clip(rotations[..., 2, 1], -1.0, 1.0))
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    return np.stack([z, x, y], axis=-1)


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """Return (T, ..., 4) unit quaternions x, y, z, w of (T, ..., 3, 3) rotations, without sign flips over T.

    Source: Shepperd, Journal of Guidance and Control 1978 (the largest of the four is found first).
    """
    m = rotations
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    squares = np.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], axis=-1) * 2 + 1 - trace[..., None]
    squares = np.concatenate([squares, 1 + trace[..., None]], axis=-1)
    x, y, z = (m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1])
    xy, xz, yz = (m[..., a, b] + m[..., b, a] for a, b in ((0, 1), (0, 2), (1, 2)))
    rows = np.stack(
        [
            np.stack([squares[..., 0], xy, xz, x], axis=-1),
            np.stack([xy, squares[..., 1], yz, y], axis=-1),
            np.stack([xz, yz, squares[..., 2], z], axis=-1),
            np.stack([x, y, z, squares[..., 3]], axis=-1),
        ],
        axis=-2,
    )
    chosen = np.take_along_axis(rows, squares.argmax(axis=-1)[..., None, None], axis=-2)[..., 0, :]
    found = chosen / np.linalg.norm(chosen, axis=-1, keepdims=True)
    turned = np.ones((*found.shape[:-1], 1))
    turned[1:] = np.where((found[1:] * found[:-1]).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    return found * np.cumprod(turned, axis=0)
