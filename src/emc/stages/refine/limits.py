"""What no knee or elbow does, as a term of the refinement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emc.pose.skeletons import HINGES, Hinge, pelvis_axes, swing_forward
from emc.stages.refine.normal import STATE, NormalEquations, columns
from emc.stages.refine.terms import State, distance_jacobian

LIMIT = 0.02
"""Metres by which a limit may be passed."""


def add_limits(equations: NormalEquations, state: State, lengths: np.ndarray, before: State | None = None) -> None:
    """Push back knees and elbows that bend beyond their range, and knees that bend forwards.

    The range is a least distance of the ends (law of cosines). A shank may point forwards, seen from a thigh that the
    pelvis swings without turning, by no more than the extension beyond straight; any turn of the thigh up to 90 degrees
    either way keeps within that, which is more than hips turn.

    before : the state of the step before. A limit that was passed there still counts, for a joint that was just pushed
    back within it would otherwise spring to and fro.
    """
    earlier = [None] * 2 * len(HINGES) if before is None else [beyond for beyond, _, _ in _limits(before, lengths)]
    for (beyond, where, jacobian), last in zip(_limits(state, lengths), earlier, strict=False):
        active = beyond > 0 if last is None else (beyond > 0) | (last > 0)
        equations.add_within(where, jacobian, beyond[:, None], active[:, None] / LIMIT**2)


def _limits(state: State, lengths: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each limit's (T,) metres beyond it (negative: within), the numbers it depends on, and its derivative."""
    axes = pelvis_axes(state.xyz)
    for hinge in HINGES:
        yield _folded(state, lengths, hinge)
        if hinge.forward:
            yield _overstretched(state, lengths, hinge, axes)


def _folded(state: State, lengths: np.ndarray, hinge: Hinge) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    upper, lower = lengths[hinge.joint], lengths[hinge.lower]
    inner = np.radians(180 - hinge.flexion)
    least = np.sqrt(upper**2 + lower**2 - 2 * upper * lower * np.cos(inner))
    jacobian, where, distance = distance_jacobian(state, hinge.upper, hinge.lower)
    return least - distance, where, -jacobian


def _overstretched(
    state: State, lengths: np.ndarray, hinge: Hinge, axes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    forward = swing_forward(axes, state.xyz[:, hinge.joint] - state.xyz[:, hinge.upper])
    reach = ((state.xyz[:, hinge.lower] - state.xyz[:, hinge.joint]) * forward).sum(axis=1)
    where = np.concatenate([np.arange(STATE)[columns(hinge.lower)], np.arange(STATE)[columns(hinge.joint)]])
    jacobian = np.concatenate([forward, -forward], axis=1)[:, None]
    return reach - lengths[hinge.lower] * np.sin(np.radians(hinge.extension)), where, jacobian
