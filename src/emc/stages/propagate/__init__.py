"""Stage: carry a person's fix of one joint to the frames around it."""

from emc.stages.propagate.carry import propagate
from emc.stages.propagate.flow import Followed, GreyCrop, crop_scale, cuts, follow, grey_crop
from emc.stages.propagate.kin import follow_kin, kin_of
from emc.stages.propagate.run import FlowChain, JointRun, Repair, Stop, Tuning
from emc.stages.propagate.smoother import HUMAN_SPREAD, fuse

__all__ = [
    "FlowChain",
    "Followed",
    "GreyCrop",
    "HUMAN_SPREAD",
    "JointRun",
    "Repair",
    "Stop",
    "Tuning",
    "crop_scale",
    "cuts",
    "follow",
    "follow_kin",
    "fuse",
    "grey_crop",
    "kin_of",
    "propagate",
]
