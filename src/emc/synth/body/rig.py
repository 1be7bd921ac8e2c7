"""The rig: which bones a figure has, how long they are, and where they are in each frame.

World frame: metres, y up, right-handed. At rest the figure stands at the origin, faces +z, its
arms hang down, and the person's own left is +x. All rest rotations are the identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES: tuple[str, ...] = (
    "pelvis", "spine", "neck", "head",
    "l_clavicle", "l_shoulder", "l_elbow", "l_wrist",
    "r_clavicle", "r_shoulder", "r_elbow", "r_wrist",
    "l_hip", "l_knee", "l_ankle", "r_hip", "r_knee", "r_ankle",
)  # fmt: skip
PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 1, 4, 5, 6, 1, 8, 9, 10, 0, 12, 13, 0, 15, 16)
NODE: dict[str, int] = {name: index for index, name in enumerate(NODES)}

MARKERS: tuple[str, ...] = (
    "nose", "l_eye", "r_eye", "l_ear", "r_ear", "head_top",
    "l_hand", "r_hand", "l_heel", "l_toe", "r_heel", "r_toe",
)  # fmt: skip
MARKER: dict[str, int] = {name: index for index, name in enumerate(MARKERS)}
MARKER_NODES: tuple[int, ...] = (3, 3, 3, 3, 3, 3, 7, 11, 14, 14, 17, 17)

COCO_SOURCES: tuple[str, ...] = (
    "nose", "l_eye", "r_eye", "l_ear", "r_ear", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow",
    "l_wrist", "r_wrist", "l_hip", "r_hip", "l_knee", "r_knee", "l_ankle", "r_ankle",
)  # fmt: skip
H36M_SOURCES: tuple[str, ...] = (
    "pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "neck", "head",
    "head_top", "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
)  # fmt: skip


@dataclass(frozen=True)
class BodyShape:
    """Proportions of one person; ratios are relative to an average adult (1.0).

    Parameters
    ----------
    height : float
        Standing height in metres.
    legs, arms, head, shoulders, hips : float
        Length of legs and arms, size of the head, width of shoulders and of hips.
    girth, limbs, belly, bust : float
        Thickness of the trunk and of the limbs; how far belly and chest stand out.
    gender : str
        ``"f"`` or ``"m"``: only a tag and a bias of the sampler.
    """

    height: float = 1.75
    legs: float = 1.0
    arms: float = 1.0
    head: float = 1.0
    shoulders: float = 1.0
    hips: float = 1.0
    girth: float = 1.0
    limbs: float = 1.0
    belly: float = 0.0
    bust: float = 0.0
    gender: str = "m"


@dataclass(frozen=True)
class Rig:
    """Rest positions of one body.

    Parameters
    ----------
    rest : ndarray (18, 3)
        Rest position of every node, metres.
    markers : ndarray (12, 3)
        Rest position of every marker, metres.
    """

    rest: Array
    markers: Array


@dataclass(frozen=True)
class PosedRig:
    """Rigid transforms of all nodes over time.

    Parameters
    ----------
    rotations : ndarray (T, 18, 3, 3)
        World rotation of every node.
    positions : ndarray (T, 18, 3)
        World position of every node, metres.
    markers : ndarray (T, 12, 3)
        World position of every marker, metres.
    """

    rotations: Array
    positions: Array
    markers: Array


def sample_body(rng: np.random.Generator) -> BodyShape:
    """Draw a body: 1.5 to 1.95 m tall, from slight to heavy."""
    gender = "f" if rng.random() < 0.5 else "m"
    mean = 1.65 if gender == "f" else 1.77
    ratio = 1 + 0.03 * np.clip(rng.standard_normal(4), -2, 2)
    heavy = float(np.clip(rng.gamma(2.0, 0.5) - 1.0, -0.8, 2.0))
    return BodyShape(
        height=float(np.clip(mean + 0.075 * rng.standard_normal(), 1.5, 1.95)),
        legs=float(ratio[0]),
        arms=float(ratio[1]),
        head=float(ratio[2] * 1.02),
        shoulders=float((0.95 if gender == "f" else 1.04) * ratio[3]),
        hips=float((1.06 if gender == "f" else 0.98) * (1 + 0.03 * rng.standard_normal())),
        girth=float(np.clip(1 + 0.12 * heavy + 0.04 * rng.standard_normal(), 0.85, 1.3)),
        limbs=float(np.clip(0.98 + 0.09 * heavy + 0.05 * rng.standard_normal(), 0.84, 1.25)),
        belly=float(np.clip(0.4 * heavy * rng.random(), 0.0, 1.0)),
        bust=float(rng.uniform(0.4, 1.0)) if gender == "f" else 0.0,
        gender=gender,
    )


def build_rig(body: BodyShape) -> Rig:
    """Rest positions of nodes and markers for a body, metres."""
    hip_y = 0.522 * body.legs
    skull = 0.168 * body.head
    neck_y = 1.0 - skull
    shoulder_y = neck_y - 0.034
    wide, hip = 0.108 * body.shoulders, 0.054 * body.hips
    upper, fore = 0.166 * body.arms, 0.146 * body.arms
    knee_y, ankle_y = 0.04 + (hip_y - 0.04) * 0.505, 0.042
    spine_y = hip_y + 0.43 * (neck_y - hip_y)
    half = {
        "clavicle": (0.0, neck_y, 0.0),
        "shoulder": (wide, shoulder_y, -0.004),
        "elbow": (wide, shoulder_y - upper, -0.004),
        "wrist": (wide, shoulder_y - upper - fore, -0.004),
        "hip": (hip, hip_y, 0.0),
        "knee": (hip, knee_y, 0.004),
        "ankle": (hip, ankle_y, -0.006),
    }
    middle = {
        "pelvis": (0.0, hip_y, 0.0),
        "spine": (0.0, spine_y, 0.0),
        "neck": (0.0, neck_y, 0.0),
        "head": (0.0, neck_y + 0.34 * skull, 0.010),
    }
    rest = np.array([_place(name, middle, half) for name in NODES]) * body.height
    return Rig(rest=rest, markers=_markers(body, rest))


def _place(
    name: str,
    middle: dict[str, tuple[float, float, float]],
    half: dict[str, tuple[float, float, float]],
) -> tuple[float, float, float]:
    if name in middle:
        return middle[name]
    x, y, z = half[name[2:]]
    return (x if name[0] == "l" else -x, y, z)


def _markers(body: BodyShape, rest: Array) -> Array:
    """Rest positions of the markers: the face is laid out in head sizes."""
    size = 0.168 * body.head * body.height
    neck_y = rest[NODE["neck"], 1]
    foot = 0.152 * body.height
    hand = 0.085 * body.height
    face = {
        "nose": (0.0, 0.50, 0.435),
        "eye": (0.120, 0.615, 0.335),
        "ear": (0.275, 0.545, 0.0),
        "head_top": (0.0, 1.0, 0.0),
    }
    points = []
    for name in MARKERS:
        kind = name if name in face else name[2:]
        side = -1.0 if name.startswith("r_") else 1.0
        if kind in face:
            x, y, z = face[kind]
            points.append((side * x * size, neck_y + y * size, z * size))
            continue
        x, y, z = rest[NODE[name[:2] + ("wrist" if kind == "hand" else "ankle")]]
        shift = {"hand": (-hand, 0.0), "heel": (-y, -0.22 * foot), "toe": (-y, 0.76 * foot)}[kind]
        points.append((x, y + shift[0], z + shift[1]))
    return np.array(points)


def rotation(vectors: Array) -> Array:
    """Rotation vectors (..., 3), radians, to matrices (..., 3, 3)."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    skew = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    small = angle < 1e-8
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1.0, np.sin(safe) / safe)
    second = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)
    return np.eye(3) + first * skew + second * (skew @ skew)


def pose_rig(rig: Rig, root: Array, local: Array, translation: Array) -> PosedRig:
    """Forward kinematics.

    Parameters
    ----------
    rig : Rig
        Rest positions.
    root : ndarray (T, 3, 3)
        Rotation of the whole figure in the world.
    local : ndarray (T, 18, 3, 3)
        Rotation of every node relative to its parent. The pelvis and both hips are relative to
        `root`, so that leaning the trunk leaves the legs where they stand.
    translation : ndarray (T, 3)
        World position of the pelvis, metres.

    Returns
    -------
    PosedRig
        World transforms of nodes and markers.
    """
    rotations = np.empty_like(local)
    positions = np.empty(local.shape[:2] + (3,))
    for node, parent in enumerate(PARENTS):
        if parent < 0:
            rotations[:, node] = root @ local[:, node]
            positions[:, node] = translation
            continue
        above = root if NODES[node].endswith("_hip") else rotations[:, parent]
        rotations[:, node] = above @ local[:, node]
        offset = rig.rest[node] - rig.rest[parent]
        positions[:, node] = positions[:, parent] + rotations[:, parent] @ offset
    nodes = list(MARKER_NODES)
    offsets = rig.markers - rig.rest[nodes]
    markers = positions[:, nodes] + np.einsum("tmij,mj->tmi", rotations[:, nodes], offsets)
    return PosedRig(rotations=rotations, positions=positions, markers=markers)


def pick(posed: PosedRig, names: tuple[str, ...]) -> Array:
    """World positions (T, len(names), 3) of named nodes and markers."""
    columns = [posed.positions[:, NODE[name]] if name in NODE else posed.markers[:, MARKER[name]] for name in names]
    return np.stack(columns, axis=1)
