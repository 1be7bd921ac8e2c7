"""Refine one person's lifted sequence: the pieces that are switched on, in their order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from emc.errors import UsageError
from emc.pose.motion import LiftedSequence
from emc.pose.skeletons import STANDARD_STATURE, stature_of
from emc.stages.refine.contacts import find_contacts
from emc.stages.refine.evidence import Evidence, gather_evidence
from emc.stages.refine.filters import butterworth, savitzky_golay
from emc.stages.refine.lengths import solve_lengths
from emc.stages.refine.root import place_root
from emc.stages.refine.solve import median_lengths, solve_motion
from emc.stages.refine.uncertainty import joint_sigma

REFINEMENTS: tuple[str, ...] = (
    "root", "bones", "limits", "fit", "smooth", "contacts", "savgol", "butterworth",
)  # fmt: skip
"""Names of the pieces, in the order in which they are told; any set of them works together."""

TERMS = frozenset({"bones", "limits", "fit", "smooth", "contacts"})
PART, OVERLAP = 600, 24
"""Frames that are solved together, and frames that neighbouring parts share and are blended over."""


@dataclass(frozen=True, slots=True)
class Camera2D:
    """What refinement is told of the recording.

    size : (width, height) pixels. fps : frames per second. focal : pixels, None: the longer side of the frame.
    height : metres, the person's stature, None: unknown (the lifter's metres are kept).
    """

    size: tuple[int, int]
    fps: float
    focal: float | None = None
    height: float | None = None


def refine_sequence(
    sequence: LiftedSequence, xy: np.ndarray, confidence: np.ndarray, camera: Camera2D, names: Collection[str]
) -> LiftedSequence:
    """Return a sequence after the refinements `names` (of `REFINEMENTS`), with what they found out.

    xy : (T, 17, 2) COCO-17 pixels on the sequence's frames, NaN = not seen. confidence : (T, 17).
    The result has `sigma` always; `root`, `contact` and `floor` where ``root`` or a piece that needs it (``fit``,
    ``contacts``) is on, else the `root` that the lifter gave, if any. Frames on which nothing was lifted (NaN) come
    back as they are.
    Raises `UsageError` for an unknown name, `ShapeMismatch` where shapes do not fit.
    """
    unknown = sorted(set(names) - set(REFINEMENTS))
    if unknown:
        raise UsageError(f"unknown refinement '{unknown[0]}': use some of {', '.join(REFINEMENTS)}")
    if len(sequence) == 0 or not np.isfinite(sequence.xyz).all():
        return sequence
    growth = (camera.height or STANDARD_STATURE) / STANDARD_STATURE
    grown = sequence.xyz.astype(np.float64) * growth
    whole = gather_evidence(grown, xy, confidence, camera.size, camera.fps, camera.focal)
    pieces = [whole.part(piece.start, piece.stop) for piece in sequence.pieces()]
    solved = bool(TERMS & set(names))
    lengths = solve_lengths(pieces, camera.height) if solved else median_lengths(whole.xyz)
    refined = [refine_piece(piece, names, lengths) for piece in pieces]
    return _joined(sequence, refined, names, growth)


@dataclass(frozen=True, slots=True)
class RefinedPiece:
    """Consecutive frames after refinement: see `LiftedSequence` for the fields."""

    xyz: np.ndarray
    root: np.ndarray
    sigma: np.ndarray
    contact: np.ndarray
    floor: np.ndarray


def refine_piece(evidence: Evidence, names: Collection[str], lengths: np.ndarray) -> RefinedPiece:
    """Refine consecutive frames, long ones in parts that overlap. lengths : (17,) metres of the person's bones."""
    starts = list(range(0, max(len(evidence) - OVERLAP, 1), PART - OVERLAP))
    spans = [(start, min(start + PART, len(evidence))) for start in starts]
    parts = [_refine_part(evidence.part(*span), names, lengths) for span in spans]
    joined = [_blended([p[field] for p in parts], spans) for field in range(4)]
    floor = np.mean([p[4] for p in parts], axis=0)
    floor[:3] /= np.linalg.norm(floor[:3])
    return RefinedPiece(joined[0], joined[1], joined[2], joined[3], floor)


def _refine_part(
    evidence: Evidence, names: Collection[str], lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    root, believed = place_root(evidence)
    evidence = evidence.only(believed)
    terms = TERMS & set(names)
    place, xyz = (root, evidence.xyz)
    if terms:
        place, xyz = solve_motion(evidence, root, terms - {"contacts"}, lengths)
    contact, floor = find_contacts(place, xyz, evidence.fps, stature_of(lengths))
    if "contacts" in terms:
        place, xyz = solve_motion(evidence, root, terms, lengths, contact, xyz)
        contact, floor = find_contacts(place, xyz, evidence.fps, stature_of(lengths))
    sigma = joint_sigma(evidence, place, xyz, "fit" in terms)
    return _filtered(xyz, names, evidence.fps), _filtered(place, names, evidence.fps), sigma, contact, floor


def _filtered(values: np.ndarray, names: Collection[str], fps: float) -> np.ndarray:
    if "savgol" in names:
        values = savitzky_golay(values)
    return butterworth(values, fps) if "butterworth" in names else values


def _blended(parts: Sequence[np.ndarray], spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return overlapping parts as one array: linear from one to the next over the frames that they share."""
    whole = np.zeros((spans[-1][1], *parts[0].shape[1:]))
    weight = np.zeros(spans[-1][1])
    for number, (part, (first, last)) in enumerate(zip(parts, spans, strict=True)):
        share = np.ones(last - first)
        if number > 0:
            ramp = min(OVERLAP, last - first)
            share[:ramp] = np.minimum(share[:ramp], (np.arange(ramp) + 1) / (ramp + 1))
        if number < len(parts) - 1:
            ramp = last - spans[number + 1][0]
            share[-ramp:] = np.minimum(share[-ramp:], (np.arange(ramp)[::-1] + 1) / (ramp + 1))
        whole[first:last] += part * share.reshape(-1, *[1] * (part.ndim - 1))
        weight[first:last] += share
    return whole / weight.reshape(-1, *[1] * (whole.ndim - 1))


def _joined(
    sequence: LiftedSequence, refined: Sequence[RefinedPiece], names: Collection[str], growth: float
) -> LiftedSequence:
    placed = bool({"root", "fit", "contacts"} & set(names))
    given = None if sequence.root is None else sequence.root * np.float32(growth)
    longest = max(refined, key=lambda piece: len(piece.xyz))
    return LiftedSequence(
        sequence.person,
        sequence.frames,
        np.concatenate([piece.xyz for piece in refined]).astype(np.float32),
        sequence.confidence,
        np.concatenate([piece.root for piece in refined]).astype(np.float32) if placed else given,
        np.concatenate([piece.sigma for piece in refined]).astype(np.float32),
        np.concatenate([piece.contact for piece in refined]).astype(np.float32) if placed else None,
        longest.floor if placed else None,
        sequence.cuts,
    )
