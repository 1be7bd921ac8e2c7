"""Synthetic motion: everyday and athletic, by key frames."""

from emc.synth.motion.keyframes import smoothed
from emc.synth.motion.motions import COMMON_MOTIONS, UNCOMMON_MOTIONS, Motion, Seat, generate_motion

__all__ = ["COMMON_MOTIONS", "Motion", "Seat", "UNCOMMON_MOTIONS", "generate_motion", "smoothed"]
