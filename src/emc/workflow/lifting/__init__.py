"""Lifting a project's clips to 3D: lifters, refinement, export, video side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.workflow.lifting.export import export_motion as export_motion
    from emc.workflow.lifting.export import holds_motion as holds_motion
    from emc.workflow.lifting.lift import lift_project as lift_project
    from emc.workflow.lifting.lift import lift_run as lift_run
    from emc.workflow.lifting.lifters import lifter_of as lifter_of
    from emc.workflow.lifting.refine import refine_arrays as refine_arrays
    from emc.workflow.lifting.refine import trusted_observations as trusted_observations
    from emc.workflow.lifting.side_by_side import write_videos as write_videos
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.workflow.lifting.export": ["export_motion", "holds_motion"],
            "emc.workflow.lifting.lift": ["lift_project", "lift_run"],
            "emc.workflow.lifting.lifters": ["lifter_of"],
            "emc.workflow.lifting.refine": ["refine_arrays", "trusted_observations"],
            "emc.workflow.lifting.side_by_side": ["write_videos"],
        },
    )
