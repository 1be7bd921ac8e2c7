"""Refinement: a lifted motion made to agree with its 2D joints, one skeleton, the floor and itself over time."""

from emc.stages.refine.contacts import find_contacts
from emc.stages.refine.evidence import Evidence, gather_evidence
from emc.stages.refine.lengths import solve_lengths
from emc.stages.refine.root import solve_root
from emc.stages.refine.sequence import REFINEMENTS, Camera2D, refine_sequence
from emc.stages.refine.solve import solve_motion

__all__ = [
    "REFINEMENTS", "Camera2D", "Evidence", "find_contacts", "gather_evidence", "refine_sequence", "solve_lengths",
    "solve_motion", "solve_root",
]  # fmt: skip
