"""Skeletons: ordered joints with limbs, flip pairs, parts and OKS sigmas; the built-in ones.

A user's own skeleton is a TOML file (`emc.pose.skeletons.file`); what the joints of one skeleton say of another's is in
`emc.pose.skeletons.maps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from emc.errors import UsageError
from emc.pose.skeletons.sides import mirror_joint, plain_name

PART_WORDS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
LEG_PARTS = ("hip", "knee", "ankle")


@dataclass(frozen=True, slots=True)
class Skeleton:
    """An ordered set of joints.

    Attributes
    ----------
    name : unique lower-case name, such as ``coco17``.
    joints : joint names, in storage order; left / right are the person's own.
    limbs : pairs of joint indices to draw.
    flip : for each joint the index of its mirror joint (itself on the midline).
    sigmas : per-joint OKS falloff (COCO keypoint evaluation), empty where undefined.
    parts : scoring part -> joint indices; always holds ``leg`` (hip, knee, ankle pooled) and ``total``
        where the joints exist.
    derived : joint -> joints (of other skeletons) whose mean stands in for it, beside the rules of `skeleton_maps`.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    flip: tuple[int, ...]
    sigmas: tuple[float, ...] = ()
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def mirrors(self) -> bool:
        """Whether it has mirror joints; without them a mirrored picture would teach left as right."""
        return any(other != joint for joint, other in enumerate(self.flip))

    def index(self, joint: str) -> int:
        """Return the index of `joint`; raises `UsageError` naming the joints that exist."""
        try:
            return self.joints.index(joint)
        except ValueError:
            raise UsageError(
                f"unknown joint '{joint}' in skeleton {self.name}: use one of {', '.join(self.joints)}"
            ) from None

    def part(self, name: str) -> tuple[int, ...]:
        """Return the joint indices of a scoring part; raises `UsageError` naming the parts that exist."""
        if name in self.parts:
            return self.parts[name]
        raise UsageError(f"unknown part '{name}' in skeleton {self.name}: use one of {', '.join(self.parts)}")


def build_skeleton(
    name: str,
    joints: tuple[str, ...],
    limbs: tuple[tuple[str, str], ...],
    sigmas: tuple[float, ...] = (),
) -> Skeleton:
    """Build a skeleton from joint names; flip pairs and parts follow from left and right in the names.

    See `emc.pose.skeletons.sides` for how a side may be written.
    """
    index = {joint: i for i, joint in enumerate(joints)}
    mirror = [index[mirror_joint(joint, index)] for joint in joints]
    flip = tuple(other if mirror[other] == i else i for i, other in enumerate(mirror))
    pairs = tuple((index[a], index[b]) for a, b in limbs)
    return Skeleton(name, joints, pairs, flip, sigmas, _parts(joints))


def joint_mapping(source: Skeleton, target: Skeleton) -> np.ndarray:
    """Return, for each joint of `target`, the index of the same-named joint of `source`, -1 where it has none."""
    index = {joint: i for i, joint in enumerate(source.joints)}
    return np.array([index.get(joint, -1) for joint in target.joints], dtype=np.int64)


def _parts(joints: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    plain = [plain_name(joint, joints).removeprefix("left_").removeprefix("right_") for joint in joints]
    parts = {word: tuple(i for i, joint in enumerate(plain) if joint == word) for word in PART_WORDS}
    parts = {word: indices for word, indices in parts.items() if indices}
    leg = tuple(sorted(i for word in LEG_PARTS for i in parts.get(word, ())))
    if leg:
        parts["leg"] = leg
    parts["total"] = tuple(range(len(joints)))
    return parts


COCO17 = build_skeleton(
    "coco17",
    (
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee",
        "left_ankle", "right_ankle",
    ),
    (
        ("left_ankle", "left_knee"), ("left_knee", "left_hip"), ("right_ankle", "right_knee"),
        ("right_knee", "right_hip"), ("left_hip", "right_hip"), ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"), ("left_shoulder", "right_shoulder"), ("left_shoulder", "left_elbow"),
        ("right_shoulder", "right_elbow"), ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"),
        ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear"),
    ),
    (
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087,
        0.089, 0.089,
    ),
)  # fmt: skip

H36M17 = build_skeleton(
    "h36m17",
    (
        "pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "spine", "thorax",
        "neck_nose", "head_top", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow",
        "right_wrist",
    ),
    (
        ("pelvis", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("pelvis", "left_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("pelvis", "spine"), ("spine", "thorax"),
        ("thorax", "neck_nose"), ("neck_nose", "head_top"), ("thorax", "left_shoulder"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("thorax", "right_shoulder"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ),
)  # fmt: skip

LSP14 = build_skeleton(
    "lsp14",
    (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist",
        "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top",
    ),
    (
        ("right_ankle", "right_knee"), ("right_knee", "right_hip"), ("right_hip", "left_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("right_wrist", "right_elbow"),
        ("right_elbow", "right_shoulder"), ("right_shoulder", "left_shoulder"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"), ("right_shoulder", "right_hip"), ("left_shoulder", "left_hip"),
        ("neck", "head_top"),
    ),
)  # fmt: skip

MPII16 = build_skeleton(
    "mpii16",
    (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
        "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
        "left_wrist",
    ),
    (
        ("right_ankle", "right_knee"), ("right_knee", "right_hip"), ("right_hip", "pelvis"), ("left_hip", "pelvis"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("pelvis", "thorax"), ("thorax", "upper_neck"),
        ("upper_neck", "head_top"), ("right_wrist", "right_elbow"), ("right_elbow", "right_shoulder"),
        ("right_shoulder", "thorax"), ("left_shoulder", "thorax"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
    ),
)  # fmt: skip

BODY25 = build_skeleton(
    "body25",
    (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
        "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye",
        "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe", "left_heel", "right_big_toe",
        "right_small_toe", "right_heel",
    ),
    (
        ("neck", "mid_hip"), ("neck", "right_shoulder"), ("neck", "left_shoulder"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"), ("mid_hip", "right_hip"), ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"), ("mid_hip", "left_hip"), ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"), ("neck", "nose"), ("nose", "right_eye"), ("right_eye", "right_ear"),
        ("nose", "left_eye"), ("left_eye", "left_ear"), ("left_ankle", "left_big_toe"),
        ("left_big_toe", "left_small_toe"), ("left_ankle", "left_heel"), ("right_ankle", "right_big_toe"),
        ("right_big_toe", "right_small_toe"), ("right_ankle", "right_heel"),
    ),
)  # fmt: skip

COCO18 = build_skeleton(
    "coco18",
    (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
        "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye",
        "right_ear", "left_ear",
    ),
    (
        ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
        ("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("neck", "left_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("neck", "nose"), ("nose", "right_eye"),
        ("right_eye", "right_ear"), ("nose", "left_eye"), ("left_eye", "left_ear"),
    ),
)  # fmt: skip

HALPE26 = build_skeleton(
    "halpe26",
    (
        *COCO17.joints, "head_top", "neck", "mid_hip", "left_big_toe", "right_big_toe", "left_small_toe",
        "right_small_toe", "left_heel", "right_heel",
    ),
    (
        ("left_ankle", "left_knee"), ("left_knee", "left_hip"), ("left_hip", "mid_hip"),
        ("right_ankle", "right_knee"), ("right_knee", "right_hip"), ("right_hip", "mid_hip"), ("head_top", "neck"),
        ("neck", "mid_hip"), ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"), ("neck", "right_shoulder"), ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"), ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"),
        ("right_eye", "right_ear"), ("left_ankle", "left_big_toe"), ("left_ankle", "left_small_toe"),
        ("left_ankle", "left_heel"), ("right_ankle", "right_big_toe"), ("right_ankle", "right_small_toe"),
        ("right_ankle", "right_heel"),
    ),
    (*COCO17.sigmas, 0.026, 0.026, 0.066, 0.079, 0.079, 0.079, 0.079, 0.079, 0.079),
)  # fmt: skip

SKELETONS: Mapping[str, Skeleton] = {s.name: s for s in (COCO17, H36M17, LSP14, MPII16, BODY25, COCO18, HALPE26)}


def skeleton_named(name: str) -> Skeleton:
    """Return a built-in skeleton; raises `UsageError` naming those that exist."""
    if name in SKELETONS:
        return SKELETONS[name]
    raise UsageError(f"unknown skeleton '{name}': use one of {', '.join(SKELETONS)}, or a TOML file")
