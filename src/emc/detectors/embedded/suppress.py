"""One box per person: pieces inside of whole persons and boxes around two persons are taken out.

Suppression by IoU alone keeps both an upper body and the person whom it belongs to, for they overlap by half at most.
"""

from __future__ import annotations

import numpy as np

# Share of a box's area that must lie in another one to be a piece of it, and how much lower than it a piece is.
INSIDE = 0.65
LOWER = 0.75
# The whole is believed where its score is at least this share of the piece's.
WEAKER = 0.8
# An upper body is about as wide as its person. A box this much narrower is more often somebody within a box that is too
# large or around several people: it stays unless the larger one scores so much better.
NARROWER = 0.6
BETTER = 1.3
# A box around two persons: they stand side by side, each at least this high in it, and score not much less.
TALL = 0.5
SIDE_BY_SIDE = 0.3
CLEARLY = 1.5


def whole_persons(xywh: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return which of (N, 4) boxes, bool, are one whole person each.

    A box that holds two boxes side by side is a group and goes, unless it scores much better than both. Of a box and
    a much narrower one inside of it, of at least half its height, the narrower stays, unless the larger scores much
    better; of a box and another lower one the whole stays, unless the piece scores much better; of two of like size
    inside of one another the better one stays. Two persons one in front of the other stay where neither lies in the
    other.
    """
    count = len(xywh)
    area = xywh[:, 2:].prod(axis=1)
    low = np.maximum(xywh[:, None, :2], xywh[None, :, :2])
    high = np.minimum((xywh[:, :2] + xywh[:, 2:])[:, None], (xywh[:, :2] + xywh[:, 2:])[None])
    shared = np.maximum(high - low, 0).prod(axis=-1) / np.maximum(area, 1e-9)[:, None]
    larger = (area[None] > area[:, None]) | ((area[None] == area[:, None]) & np.tri(count, k=-1, dtype=bool))
    inside = (shared >= INSIDE) & larger & ~np.eye(count, dtype=bool)
    alive = np.ones(count, dtype=bool)
    by_size = np.argsort(-area, kind="stable")
    for outer in by_size:
        pieces = np.flatnonzero(inside[:, outer] & alive)
        alive[outer] = not _is_group(xywh, scores, int(outer), pieces)
    for outer in by_size:
        for inner in np.flatnonzero(inside[:, outer]):
            if alive[outer] and alive[inner]:
                whole = scores[outer] >= _needed(xywh[outer], xywh[inner]) * scores[inner]
                alive[inner if whole else outer] = False
    return alive


def _needed(outer: np.ndarray, inner: np.ndarray) -> float:
    """Return how many times the score of the inner box the outer one must have to stay."""
    # Narrow and low as well is a foot or a head, not somebody.
    if inner[2] < NARROWER * outer[2] and inner[3] >= TALL * outer[3]:
        return BETTER
    return WEAKER if inner[3] < LOWER * outer[3] else 1.0


def _is_group(xywh: np.ndarray, scores: np.ndarray, outer: int, pieces: np.ndarray) -> bool:
    tall = [int(piece) for piece in pieces if xywh[piece, 3] >= TALL * xywh[outer, 3]]
    for place, first in enumerate(tall):
        for second in tall[place + 1 :]:
            left = max(xywh[first, 0], xywh[second, 0])
            right = min(xywh[first, 0] + xywh[first, 2], xywh[second, 0] + xywh[second, 2])
            apart = right - left < SIDE_BY_SIDE * min(xywh[first, 2], xywh[second, 2])
            if apart and scores[outer] < CLEARLY * min(scores[first], scores[second]):
                return True
    return False
