"""Shots of a film: where the whole picture changes at once, nothing is carried on from the frame before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from emc.lazy import LazyLibrary

if TYPE_CHECKING:
    import cv2
else:
    cv2 = LazyLibrary("cv2")

THUMB = (32, 18)
"""Columns and rows of the small picture by which frames are compared."""
CUT_DIFFERENCE = 0.12
CUT_ALIKE = 0.7
"""Nearly all of 400 following photos of a folder differ by more and are less alike; frames of clips are 0.93 alike."""
_BLACK = 16


def thumb_of(image: np.ndarray) -> np.ndarray:
    """Return an (H, W, 3) uint8 picture as a small grey one, (18, 32) uint8."""
    height, width = image.shape[:2]
    step = max(1, min(width // 64, height // 36))
    small = image[step // 2 :: step, step // 2 :: step, 1]
    return cv2.resize(np.ascontiguousarray(small), THUMB, interpolation=cv2.INTER_AREA)


def is_cut(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two following frames, as `thumb_of` gives them, are of different shots.

    Rows and columns that are black in both, as beside an upright film or a small photo, are not looked at.
    """
    rows, columns = (~(_black(one, axis) & _black(other, axis)) for axis in (1, 0))
    a, b = (thumb[rows][:, columns].astype(np.float32) for thumb in (one, other))
    if a.size == 0 or float(np.abs(a - b).mean()) / 255 < CUT_DIFFERENCE:
        return False
    a, b = a - a.mean(), b - b.mean()
    alike = float((a * b).sum()) / float(np.sqrt((a * a).sum() * (b * b).sum()) + 1e-6)
    return alike < CUT_ALIKE


def cuts_between(thumbs: Sequence[np.ndarray | None]) -> np.ndarray:
    """Return (T,) bool: whether the picture changed since the frame before; unknown (None) counts as not."""
    cut = np.zeros(len(thumbs), dtype=bool)
    known = [thumb for thumb in thumbs if thumb is not None]
    if len(known) < 2:
        return cut
    small = np.array(known, dtype=np.int16)
    dark = [_black(small, axis) for axis in (1, 0)]
    lit = np.prod([(~(rows[1:] & rows[:-1])).sum(axis=1) for rows in dark], axis=0)
    # No less than `is_cut` finds: what is black in both adds to the sum, and not to the area.
    apart = np.abs(np.diff(small, axis=0)).sum(axis=(1, 2)) / 255 / np.maximum(lit, 1)
    places = [place for place, thumb in enumerate(thumbs) if thumb is not None]
    for i in np.flatnonzero(apart >= CUT_DIFFERENCE).tolist():
        if places[i + 1] == places[i] + 1:
            cut[places[i + 1]] = is_cut(known[i], known[i + 1])
    return cut


def first_frames(frames: Iterable[tuple[int, np.ndarray]]) -> Iterator[int]:
    """Yield the number of each frame that begins another shot than the one before it.

    frames : (number, (H, W, 3) uint8 picture), rising; the first begins no other shot.
    """
    before: np.ndarray | None = None
    for number, image in frames:
        now = thumb_of(image)
        if before is not None and is_cut(before, now):
            yield number
        before = now


def _black(thumbs: np.ndarray, axis: int) -> np.ndarray:
    """Return which rows (`axis` 1, of the last two 1) or columns (0) of thumbs (..., h, w) are black."""
    return thumbs.max(axis=axis - 2) < _BLACK
