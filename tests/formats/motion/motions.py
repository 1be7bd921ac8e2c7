"""Motions that the tests of the 3D formats write."""

from __future__ import annotations

import numpy as np

from emc.pose.motion.motion import Motion3D
from emc.pose.skeletons.skeleton import H36M17
from emc.pose.skeletons.spatial import H36M_PARENTS, STANDARD_LENGTHS

STANDING = {
    "right_hip": (-1, 0, 0), "right_knee": (0, -1, 0), "right_ankle": (0, -1, 0),
    "left_hip": (1, 0, 0), "left_knee": (0, -1, 0), "left_ankle": (0, -1, 0),
    "spine": (0, 1, 0), "thorax": (0, 1, 0), "neck_nose": (0, 1, 0), "head_top": (0, 1, 0),
    "left_shoulder": (1, 0, 0), "left_elbow": (0, -1, 0), "left_wrist": (0, -1, 0),
    "right_shoulder": (-1, 0, 0), "right_elbow": (0, -1, 0), "right_wrist": (0, -1, 0),
}  # fmt: skip
"""Direction of each bone of a person who stands, faces +z and has the left side at +x, arms hanging."""


def posed(pelvis=(0.0, 0.9, 0.0), **directions):
    """Return (17, 3) metres of the standing person with the named bones pointing elsewhere."""
    points = np.zeros((17, 3))
    points[0] = pelvis
    for joint in range(1, 17):
        name = H36M17.joints[joint]
        way = np.array(directions.get(name, STANDING[name]), dtype=np.float64)
        points[joint] = points[H36M_PARENTS[joint]] + STANDARD_LENGTHS[joint] * way / np.linalg.norm(way)
    return points


def kick(count=24, fps=30.0, name="p0", first=0):
    """Return a person whose right leg swings up, whose knee straightens, and who turns a little and moves on."""
    frames = np.arange(count)
    rows = []
    for share in frames / max(count - 1, 1):
        up = np.radians(10 + 110 * share)
        knee = up - np.radians(80 * (1 - share))
        turn = np.radians(40 * share)
        points = posed(
            right_knee=(0, -np.cos(up), np.sin(up)),
            right_ankle=(0, -np.cos(knee), np.sin(knee)),
            left_elbow=(0.2, -1, 0.4),
            left_wrist=(0, 0.3, 1),
            spine=(0, 1, -0.2 * share),
            thorax=(0.1, 1, 0),
        )
        about = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        rows.append(points @ about.T + [0.3 * share, 0, 0.1])
    frames = frames + first
    return Motion3D(name, fps, frames / fps, frames, np.array(rows))


def with_hole(motion, frame, joint):
    """Return the motion with one joint missing on one frame."""
    xyz = motion.xyz.copy()
    xyz[frame, joint] = np.nan
    return Motion3D(motion.name, motion.fps, motion.times, motion.frames, xyz)
