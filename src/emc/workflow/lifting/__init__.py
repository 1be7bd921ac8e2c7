"""Lifting a project's clips to 3D: lifters, refinement, export, video side by side."""

from emc.workflow.lifting.export import export_motion, holds_motion
from emc.workflow.lifting.lift import lift_project, lift_run
from emc.workflow.lifting.lifters import lifter_of
from emc.workflow.lifting.refine import refine_arrays, trusted_observations
from emc.workflow.lifting.side_by_side import write_videos

__all__ = [
    "export_motion",
    "holds_motion",
    "lift_project",
    "lift_run",
    "lifter_of",
    "refine_arrays",
    "trusted_observations",
    "write_videos",
]
