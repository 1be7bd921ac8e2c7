"""A fix carried to its neighbours: predictions, flow and images for `stages.propagate`."""

from emc.workflow.editing.propagation.propagate import (
    PROPAGATING_KINDS,
    REACH,
    Observation,
    PropagatedSpan,
    Propagator,
    joint_run,
    observations,
)

__all__ = ["PROPAGATING_KINDS", "Propagator", "REACH", "Observation", "PropagatedSpan", "joint_run", "observations"]
