"""Which persons of a clip count as labelled, and which of their joints."""

from __future__ import annotations

import numpy as np

from emc.interfaces import Store
from emc.pose.records import Pose, Provenance, Visibility
from emc.workflow.project import clip_skeleton, padded_pose


def is_labelled(pose: Pose) -> bool:
    """Return whether a person has vouched for at least one joint of the pose."""
    return bool((pose.provenance >= Provenance.HUMAN).any() and (label_visibility(pose) > 0).any())


def label_visibility(pose: Pose) -> np.ndarray:
    """Return (J,) visibility in which only joints that a person placed or confirmed count."""
    vouched = (pose.provenance >= Provenance.HUMAN) & np.isfinite(pose.xy).all(axis=1)
    return np.where(vouched, pose.visibility, Visibility.ABSENT).astype(np.int8)


def labelled_poses(store: Store, clip: str) -> list[Pose]:
    """Return the poses of a clip that a person vouched for, by frame and person, with all joints of its skeleton.

    Where athletes of the clip were named, theirs alone.
    """
    joints, people = len(clip_skeleton(store, clip)), store.people(clip)
    poses = (pose for pose in store.poses(clip) if people.counts(pose.person))
    return [padded_pose(pose, joints) for pose in poses if is_labelled(pose)]
