"""The motion that agrees best with all terms that are switched on."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from emc.pose.skeletons import bone_lengths
from emc.stages.refine.evidence import Evidence
from emc.stages.refine.limits import add_limits
from emc.stages.refine.normal import NormalEquations, pack
from emc.stages.refine.terms import (
    State,
    add_bones,
    add_contacts,
    add_prior,
    add_rays,
    add_smoothness,
)

# The first step has nearly all of kicks; uncommon motion is at 102.5 mm after one, 97.9 after three, 97.1 after six and
# after twelve (`python benchmarks/lifting/refine_constants.py --clips 4`).
STEPS = 6
ENOUGH = 5e-4
"""Metres: the largest change of a joint at which a solution counts as found."""


def solve_motion(
    evidence: Evidence,
    root: np.ndarray,
    terms: Collection[str],
    lengths: np.ndarray,
    contact: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, 3) root and (T, 17, 3) joints around it, metres, after Gauss-Newton steps over all frames together.

    root : (T, 3) where the person stands at first. terms : of ``bones``, ``limits``, ``fit``, ``contacts``, ``smooth``;
    the pull to the lifter's pose is always there. lengths : (17,) metres. contact : (T, 2) in [0, 1].
    start : (T, 17, 3) where the joints are at first, None: where the lifter has them.
    """
    vector = pack(root, np.nan_to_num(evidence.xyz if start is None else start))
    before: State | None = None
    for _ in range(STEPS):
        state = State.of(vector)
        equations = _equations(evidence, state, root, terms, lengths, contact)
        if "limits" in terms:
            add_limits(equations, state, lengths, before)
        change = equations.solve()
        vector, before = vector + change, state
        if float(np.abs(change[:, 3:]).max(initial=0.0)) < ENOUGH:
            break
    state = State.of(vector)
    return state.root, state.xyz


def _equations(
    evidence: Evidence,
    state: State,
    root: np.ndarray,
    terms: Collection[str],
    lengths: np.ndarray,
    contact: np.ndarray | None,
) -> NormalEquations:
    equations = NormalEquations(len(evidence))
    add_prior(equations, state, evidence, root)
    if "fit" in terms:
        add_rays(equations, state, evidence)
    if "bones" in terms:
        add_bones(equations, state, lengths)
    if "contacts" in terms and contact is not None:
        add_contacts(equations, state, contact, evidence.fps)
    if "smooth" in terms:
        add_smoothness(equations, state, evidence.fps)
    return equations


def median_lengths(xyz: np.ndarray) -> np.ndarray:
    """Return (17,) metres, the median length of each bone of (T, 17, 3)."""
    return np.nan_to_num(np.nanmedian(bone_lengths(xyz), axis=0))
