"""Stage: carry a person's fix of one joint to the frames around it."""

from emc.stages.propagate.carry import propagate
from emc.stages.propagate.flow import FollowedPoint, GreyCrop, crop_scale, follow_point, grey_crop, scene_cuts
from emc.stages.propagate.kin import follow_kin, kin_of
from emc.stages.propagate.run import FlowChain, JointRun, PropagationTuning, Repair, StopReason
from emc.stages.propagate.smoother import HUMAN_SPREAD, fuse

__all__ = [
    "FlowChain",
    "FollowedPoint",
    "GreyCrop",
    "HUMAN_SPREAD",
    "JointRun",
    "Repair",
    "StopReason",
    "PropagationTuning",
    "crop_scale",
    "scene_cuts",
    "follow_point",
    "follow_kin",
    "fuse",
    "grey_crop",
    "kin_of",
    "propagate",
]
