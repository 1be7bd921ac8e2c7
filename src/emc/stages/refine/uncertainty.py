"""How uncertain each joint of a refined motion is, in metres."""

from __future__ import annotations

import numpy as np

from emc.stages.refine.evidence import Evidence
from emc.stages.refine.normal import NormalEquations, pack
from emc.stages.refine.terms import State, add_prior, add_rays

LIFTER_SHARE, MOVED_SHARE = 1.0, 1.5
"""Factors on the two variances below that fit measured errors (`python benchmarks/lifting/refine.py --parts sigma`)."""


def joint_sigma(evidence: Evidence, root: np.ndarray, xyz: np.ndarray, fitted: bool) -> np.ndarray:
    """Return (T, 17) metres: the root of the expected squared distance of each joint, around the pelvis.

    Two variances are added. The posterior of each frame on its own, under the pull to the lifter and (where `fitted`)
    to the rays: the (51, 51) inverse of its normal equations, the trace of the joint's block; what neighbouring frames
    agree on is not counted as knowledge, since the lifter errs alike on all of them. And the squared distance by which
    refinement moved the joint: where lifter, bones and rays disagree, one of them is wrong. The pelvis has 0.
    """
    equations = NormalEquations(len(evidence))
    state = State.of(pack(root, xyz))
    add_prior(equations, state, evidence, root)
    if fitted:
        add_rays(equations, state, evidence)
    variance = np.diagonal(np.linalg.inv(equations.same), axis1=1, axis2=2)[:, 3:].reshape(len(xyz), 16, 3).sum(axis=-1)
    moved = ((xyz - evidence.xyz)[:, 1:] ** 2).sum(axis=-1)
    sigma = np.zeros(xyz.shape[:2])
    sigma[:, 1:] = np.sqrt(np.maximum(LIFTER_SHARE * variance + MOVED_SHARE * moved, 0.0))
    return sigma
