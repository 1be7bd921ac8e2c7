"""3D motion: joint angles, ground, bones and the records of lifted sequences."""

from emc.pose.motion.angles import ANGLE_KINDS, angle_errors, by_kind, joint_angles
from emc.pose.motion.ground import height_above
from emc.pose.motion.motion import MOTION_AXES, Motion3D, at_constant_rate, without_holes, world_motions
from emc.pose.motion.opensim_angles import OPENSIM_COORDINATES, opensim_coordinates
from emc.pose.motion.rig import RIG_NODES, RigMotion, euler_zxy, quaternions, rig_motion, shortest_rotation
from emc.pose.motion.sequences import LiftedSequence

__all__ = [
    "ANGLE_KINDS",
    "MOTION_AXES",
    "OPENSIM_COORDINATES",
    "LiftedSequence",
    "Motion3D",
    "RIG_NODES",
    "RigMotion",
    "angle_errors",
    "at_constant_rate",
    "by_kind",
    "euler_zxy",
    "height_above",
    "joint_angles",
    "opensim_coordinates",
    "quaternions",
    "rig_motion",
    "shortest_rotation",
    "without_holes",
    "world_motions",
]
