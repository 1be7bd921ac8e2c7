"""The Human3.6M-17 skeleton in space: bones, standard lengths, what joints can do.

Joints are those of `emc.pose.skeletons.H36M17`; a *bone* is named by the joint at its far end (bone 3 = right knee to
right ankle), so that arrays over bones have 17 entries and entry 0, the pelvis, is unused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.pose.skeletons.skeleton import COCO17, H36M17, joint_mapping

H36M_PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
"""Parent of each joint, -1 for the pelvis."""

BONE_GROUPS: tuple[tuple[int, ...], ...] = (
    (1, 4), (2, 5), (3, 6), (7,), (8,), (9,), (10,), (11, 14), (12, 15), (13, 16),
)  # fmt: skip
"""Bones that share one length: people are taken to be as long on the left as on the right."""

STANDARD_STATURE = 1.70
STANDARD_LENGTHS = np.array(
    [0, 0.092, 0.406, 0.411, 0.092, 0.406, 0.411, 0.227, 0.300, 0.099, 0.189, 0.193, 0.282, 0.248, 0.193, 0.282, 0.248]
)
"""(17,) metres, bones of an adult of `STANDARD_STATURE`: the package's own average figure (`emc.synth.body.rig`)."""

RIGHT_ANKLE, LEFT_ANKLE = H36M17.index("right_ankle"), H36M17.index("left_ankle")
ANKLES = (RIGHT_ANKLE, LEFT_ANKLE)
ANKLE_HEIGHT = 0.042 * STANDARD_STATURE
"""Metres from the floor to the ankle joint of a foot that stands flat, of an adult of `STANDARD_STATURE`."""

SHARED_H36M = tuple(i for i, joint in enumerate(H36M17.joints) if joint in COCO17.joints)
SHARED_COCO = tuple(int(i) for i in joint_mapping(COCO17, H36M17)[list(SHARED_H36M)])
"""The twelve limb joints that Human3.6M-17 shares with COCO-17, as indices into either."""


@dataclass(frozen=True, slots=True)
class Hinge:
    """A joint that bends one way: `joint` between `upper` and `lower`, by at most `flexion` degrees.

    A straight limb has flexion 0. `forward` is +1 where the far bone bends backwards (knee), 0 where the direction is
    free because the bone above turns about its own axis by about as much as any bend (elbow). `extension` is how many
    degrees the joint goes beyond straight.
    """

    upper: int
    joint: int
    lower: int
    flexion: float
    extension: float
    forward: int


HINGES: tuple[Hinge, ...] = (
    Hinge(1, 2, 3, 154.0, 10.0, 1),
    Hinge(4, 5, 6, 154.0, 10.0, 1),
    Hinge(11, 12, 13, 154.0, 10.0, 0),
    Hinge(14, 15, 16, 154.0, 10.0, 0),
)
"""Ranges of knee and elbow: mean plus two standard deviations of male adults.

Source: Boone, Azen, "Normal range of motion of joints in male subjects", Journal of Bone and Joint Surgery 61-A, 1979:
knee flexion 142.5 (SD 5.4), elbow flexion 142.9 (SD 5.6) degrees. Extension: up to 10 degrees beyond straight count as
healthy (Beighton score, Annals of the Rheumatic Diseases 32, 1973).
"""


def bone_vectors(xyz: np.ndarray) -> np.ndarray:
    """Return (..., 17, 3) metres from each joint's parent to the joint; 0 for the pelvis."""
    parents = np.maximum(np.array(H36M_PARENTS), 0)
    return xyz - xyz[..., parents, :]


def bone_lengths(xyz: np.ndarray) -> np.ndarray:
    """Return (..., 17) metres of each bone of (..., 17, 3) joints; NaN where an end is missing."""
    return np.linalg.norm(bone_vectors(xyz), axis=-1)


def length_spread(xyz: np.ndarray) -> np.ndarray:
    """Return (17,) how much each bone's length varies over (T, 17, 3): standard deviation / mean, 0 for the pelvis."""
    lengths = bone_lengths(xyz)
    mean = np.nanmean(lengths, axis=0)
    return np.nanstd(lengths, axis=0) / np.where(mean > 0, mean, 1.0)


def stature_of(lengths: np.ndarray) -> float:
    """Return the stature in metres of a person with (17,) bone `lengths`, in standard proportion to all of them."""
    return STANDARD_STATURE * float(np.sum(lengths[1:])) / float(STANDARD_LENGTHS.sum())


def pelvis_axes(xyz: np.ndarray) -> np.ndarray:
    """Return (..., 3, 3) whose rows are the pelvis' left, up and forward as unit vectors, in the axes of `xyz`.

    Left is from the right to the left hip, up the part of pelvis to thorax that is at right angles to it, and forward
    what makes a right-handed frame of left, up, forward. Camera axes (y down) are right-handed too, so the same holds.
    """
    left = _unit(xyz[..., 4, :] - xyz[..., 1, :])
    up = xyz[..., 8, :] - xyz[..., 0, :]
    up = _unit(up - (up * left).sum(axis=-1, keepdims=True) * left)
    return np.stack([left, up, np.cross(left, up)], axis=-2)


def swing_forward(axes: np.ndarray, bone: np.ndarray) -> np.ndarray:
    """Return the (..., 3) direction that is forward for a limb: the pelvis' forward, swung as the limb is from down.

    axes : (..., 3, 3) of `pelvis_axes`. bone : (..., 3), such as hip to knee. The swing is the shortest rotation from
    the pelvis' down to the bone; where the bone points straight up it is undefined, and the result then is 0.
    """
    down, forward = -axes[..., 1, :], axes[..., 2, :]
    to = _unit(bone)
    cosine = (down * to).sum(axis=-1, keepdims=True)
    middle = down + to
    share = (middle * forward).sum(axis=-1, keepdims=True) / np.maximum(1.0 + cosine, 1e-9)
    return np.where(cosine > -0.98, forward - share * middle, 0.0)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
