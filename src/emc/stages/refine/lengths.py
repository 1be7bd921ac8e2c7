"""One person's bone lengths, solved for together with the poses of all frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from emc.pose.skeletons import BONE_GROUPS, STANDARD_LENGTHS, STANDARD_STATURE, bone_lengths
from emc.stages.refine.evidence import Evidence
from emc.stages.refine.normal import NormalEquations, pack
from emc.stages.refine.root import solve_root
from emc.stages.refine.terms import BONE, State, add_bone_curvature, add_middle, add_prior, add_rays, bone_jacobian

# Halved, common motion errs 52.6 mm instead of 50.7; doubled, 50.3
# (`python benchmarks/lifting/refine_constants.py --clips 4`).
PROPORTION = 0.06
"""Share by which one person's bone differs from the standard proportion."""
STATURE = 0.06
"""Share by which the person's size differs from the lifter's, where the height is not given."""
MEASURED = 0.003
"""The same where it is given."""
FRAMES, STRETCH = 600, 40
# Nearly at rest: uncommon motion errs 98.9 mm after one step, 97.1 after six and 97.0 after twelve, common motion 47.1,
# 50.7 and 51.0.
STEPS = 6


def solve_lengths(parts: Sequence[Evidence], height: float | None = None) -> np.ndarray:
    """Return (17,) metres, the bone lengths that all frames of one person agree with best; entry 0 is 0.

    The poses of up to `FRAMES` frames, in stretches evenly taken, and the ten lengths of `BONE_GROUPS` are unknowns of
    one least-squares problem: each pose pulls to what the lifter says (weakly along the line of sight, where it errs
    most) and to its rays, each bone to its length, each length to the standard proportions. A bone that lies across
    the line of sight so says much about its length, and one that points at the camera little; an average would weigh
    them alike.
    Solved by Gauss-Newton; the poses are eliminated frame by frame (Schur complement).

    height : the person's stature in metres, None where it is not known.
    """
    frames = _spread_frames(parts)
    root = solve_root(frames)
    vector = pack(root, np.nan_to_num(frames.xyz))
    expected = STANDARD_LENGTHS * ((height or STANDARD_STATURE) / STANDARD_STATURE)
    lengths = _grouped(expected if height else _scaled_to(frames.xyz))
    target = _grouped(expected)
    information = _length_information(target, MEASURED if height else STATURE)
    for _ in range(STEPS):
        vector, lengths = _step(frames, root, vector, lengths, target, information)
    return _spread_groups(lengths)


def _step(
    frames: Evidence,
    root: np.ndarray,
    vector: np.ndarray,
    lengths: np.ndarray,
    target: np.ndarray,
    information: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    state = State.of(vector)
    equations = NormalEquations(len(frames))
    add_prior(equations, state, frames, root)
    add_rays(equations, state, frames)
    add_middle(equations, state)
    coupling = np.zeros((len(frames), vector.shape[1], len(BONE_GROUPS)))
    normal, right = information.copy(), information @ (target - lengths)
    for group, bones in enumerate(BONE_GROUPS):
        for bone in bones:
            jacobian, where, length = bone_jacobian(state, bone)
            weight = np.full((len(length), 1), BONE[bone] ** -2.0)
            off = (length - lengths[group])[:, None]
            equations.add_within(where, jacobian, off, weight)
            add_bone_curvature(equations, state, bone, float(lengths[group]))
            coupling[:, where, group] -= jacobian[:, 0] * weight
            normal[group, group] += float(weight.sum())
            right[group] += float((weight * off).sum())
    stacked = np.concatenate([equations.right[..., None], coupling], axis=2)
    solved = cast("np.ndarray", np.linalg.solve(equations.same, stacked))
    normal -= np.einsum("tsg,tsh->gh", coupling, solved[..., 1:])
    right -= np.einsum("tsg,ts->g", coupling, solved[..., 0])
    change = cast("np.ndarray", np.linalg.solve(normal, right))
    return vector + solved[..., 0] - solved[..., 1:] @ change, np.maximum(lengths + change, 0.02)


def _spread_frames(parts: Sequence[Evidence]) -> Evidence:
    """Return up to `FRAMES` frames of all parts, evenly taken, as if they followed each other."""
    xyz = np.concatenate([part.xyz for part in parts])
    chosen = _chosen(len(xyz))
    rays = np.concatenate([part.rays for part in parts])[chosen]
    confidence = np.concatenate([part.confidence for part in parts])[chosen]
    return Evidence(xyz[chosen], rays, confidence, parts[0].focal, parts[0].fps)


def _chosen(frames: int) -> np.ndarray:
    """Return all of few frames, else stretches of `STRETCH` spread evenly: jitter is told from frames in a row."""
    if frames <= FRAMES:
        return np.arange(frames)
    starts = np.linspace(0, frames - STRETCH, FRAMES // STRETCH).astype(np.int64)
    return (starts[:, None] + np.arange(STRETCH)).reshape(-1)


def _scaled_to(xyz: np.ndarray) -> np.ndarray:
    """Return the standard lengths at the size of (T, 17, 3)."""
    middle = np.nanmedian(bone_lengths(xyz), axis=0)
    return STANDARD_LENGTHS * float(np.nansum(middle)) / float(STANDARD_LENGTHS.sum())


def _grouped(lengths: np.ndarray) -> np.ndarray:
    return np.array([np.mean([lengths[bone] for bone in bones]) for bones in BONE_GROUPS])


def _spread_groups(lengths: np.ndarray) -> np.ndarray:
    out = np.zeros(17)
    for group, bones in enumerate(BONE_GROUPS):
        out[list(bones)] = lengths[group]
    return out


def _length_information(target: np.ndarray, size: float) -> np.ndarray:
    """Return the (G, G) inverse covariance of lengths: each differs on its own, and all by one factor."""
    count = np.array([len(bones) for bones in BONE_GROUPS], dtype=np.float64)
    own = np.diag((PROPORTION * target) ** 2)
    # The factor is that of the sum of bones, so what each does on its own must not move the sum.
    total = count @ target
    keep = np.eye(len(target)) - np.outer(target, count) / total
    return np.linalg.inv(keep @ own @ keep.T + np.outer(target, target) * size**2)
