"""2D sequences -> 3D sequences, their residual in the picture, and what changed between two of them."""

from emc.stages.lift.change import motion_change
from emc.stages.lift.residual import merge_residual_alerts, reprojection_residual, residual_alerts
from emc.stages.lift.sequence import OCCLUDED_CONFIDENCE, joints_on_frames, lift_clip, smooth_sequence

__all__ = [
    "OCCLUDED_CONFIDENCE",
    "joints_on_frames",
    "lift_clip",
    "merge_residual_alerts",
    "motion_change",
    "reprojection_residual",
    "residual_alerts",
    "smooth_sequence",
]
