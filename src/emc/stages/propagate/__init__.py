"""Stage: carry a person's fix of one joint to the frames around it."""

from emc.stages.propagate.carry import propagate
from emc.stages.propagate.kin import follow_kin, kin_of
from emc.stages.propagate.run import FlowChain, JointRun, Repair, Stop, Tuning
from emc.stages.propagate.smoother import HUMAN_SPREAD, fuse

__all__ = [
    "HUMAN_SPREAD",
    "FlowChain",
    "JointRun",
    "Repair",
    "Stop",
    "Tuning",
    "follow_kin",
    "fuse",
    "kin_of",
    "propagate",
]
