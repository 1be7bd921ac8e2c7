"""What the way of a joint says of it: it jumps, changes places with its mirror joint, or keeps to its path."""

from __future__ import annotations

import numpy as np

from emc.pose.skeletons import Skeleton
from emc.stages.alerts.track import Track

_LONGEST_JUMP = 3  # a joint that stays away for more frames than this has moved, as far as its path can tell
_MUCH_SHORTER = 0.5  # a swap must make the way of both joints at most half as long
_LONGEST_SWAP = 15  # predicted frames; see `swap_evidence`
_LONGEST_DOUBT, _ON_PATH = 8, 0.02  # predicted frames, box sides; see `on_path`


def jump_evidence(track: Track, jump: float) -> np.ndarray:
    """Return (T, J) evidence in [0, 1] that a joint is away from its own path; 0 where it is not.

    A run of at most `_LONGEST_JUMP` frames is a jump where it is entered and left by a step beyond the limit, lies
    beyond the limit from the straight line between the frames around it, and those two agree within the limit. The
    innocent frames beside a jump are near their other neighbour, and a fast straight motion is near its line.
    """
    limit = jump * track.side
    evidence = np.zeros(track.confidence.shape)
    for length in range(1, min(_LONGEST_JUMP, len(track.frames) - 2) + 1):
        before, after = track.xy[: -length - 1], track.xy[length + 1 :]
        allowed = np.maximum(limit[: -length - 1], limit[length + 1 :])[:, None]
        inside = [track.xy[1 + k : len(track.xy) - length + k] for k in range(length)]
        enters = _distance(inside[0], before)
        leaves = _distance(inside[-1], after)
        away = [_distance(x, before + (after - before) * (k + 1) / (length + 1)) for k, x in enumerate(inside)]
        farthest = np.minimum.reduce([enters, leaves, *away])
        with np.errstate(invalid="ignore"):
            jumped = (farthest > allowed) & (_distance(before, after) <= allowed)
        found = np.where(jumped, farthest / (farthest + allowed), 0.0)
        for k in range(length):
            rows = evidence[1 + k : len(evidence) - length + k]
            np.maximum(rows, found, out=rows)
    return evidence


def swap_evidence(track: Track, jump: float, skeleton: Skeleton) -> np.ndarray:
    """Return (T, J) evidence in [0, 1] that a joint stands where its mirror joint belongs.

    Steps that become much shorter by exchanging left and right cut the track into stretches that are alternately
    right and swapped; which is which cannot be known from the path. Of the rarer kind those are flagged that begin and
    end within the track and have at most `_LONGEST_SWAP` predicted frames. On rendered clips 22 of 25 such were true,
    of longer ones and of those that reach the track's first or last frame 2 of 10 (docs/benchmarks.md): there the path
    tells that sides were exchanged at some frame, and no more.
    """
    evidence = np.zeros(track.confidence.shape)
    limit = jump * np.maximum(track.side[1:], track.side[:-1])
    for left, right in ((i, j) for i, j in enumerate(skeleton.flip) if i < j):
        a, b = track.xy[:, left], track.xy[:, right]
        kept = _distance(a[1:], a[:-1]) + _distance(b[1:], b[:-1])
        swapped = _distance(a[1:], b[:-1]) + _distance(b[1:], a[:-1])
        with np.errstate(invalid="ignore"):
            toggles = (kept - swapped > limit) & (swapped < _MUCH_SHORTER * kept)
        parity = np.concatenate([[0], np.cumsum(toggles) % 2])
        rarer = parity == (1 if 2 * parity.sum() <= len(parity) else 0)
        if not toggles.any():
            continue
        strength = float(np.mean(1.0 - swapped[toggles] / kept[toggles]))
        flagged = rarer & _in_short_visit(toggles)
        evidence[flagged, left] = evidence[flagged, right] = strength
    return evidence


def _in_short_visit(toggles: np.ndarray) -> np.ndarray:
    """Return (T,) bool: rows between two of the toggles (T - 1,) with at most `_LONGEST_SWAP` rows between them."""
    stretch = np.concatenate([[0], np.cumsum(toggles)])
    return (np.bincount(stretch)[stretch] <= _LONGEST_SWAP) & (stretch > 0) & (stretch < stretch[-1])


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)


def on_path(track: Track, doubted: np.ndarray) -> np.ndarray:
    """Return (T, J) bool: joints that are doubted for a moment, and lie where their path has them.

    doubted : (T, J) bool. A run of at most `_LONGEST_DOUBT` predicted frames is taken back where the joint is not
    doubted right before and right after, and lies within `_ON_PATH` x the longer side of the box of the straight way
    between these two places, in time, on each of its frames. A network of one picture doubts for reasons of that
    picture; that its place fits what came before and after is evidence that it did not use.
    """
    kept = np.zeros(doubted.shape, dtype=bool)
    for joint in range(doubted.shape[1]):
        edges = np.flatnonzero(np.diff(doubted[:, joint].astype(np.int8), prepend=0, append=0))
        for first, end in edges.reshape(-1, 2).tolist():
            inside = first > 0 and end < len(doubted) and end - first <= _LONGEST_DOUBT
            kept[first:end, joint] = inside and _off_way(track, joint, first, end) <= _ON_PATH
    return kept


def _off_way(track: Track, joint: int, first: int, end: int) -> float:
    """Return the largest distance of rows first..end-1 from the way between the rows around them, in box sides."""
    xy, time = track.xy[first - 1 : end + 1, joint], track.frames[first - 1 : end + 1]
    share = (time - time[0]) / (time[-1] - time[0])
    way = xy[0] + (xy[-1] - xy[0]) * share[:, None]
    off = float((_distance(xy, way)[1:-1] / track.side[first:end]).max())
    return off if np.isfinite(off) else np.inf
