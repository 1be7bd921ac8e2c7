"""Pieces of persons: what a detector cuts in two, and what it finds twice, is put together again.

A detector that is unsure reports the upper body, the legs and the whole of one person by turns or together. A box that
lies inside of another is no person of its own where it stays so: two persons who cross are apart before and after.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.pose.records import Box

Boxes = list[Box]
# Figures: IDF1 on the real clip of two people, 0.827 as it is and 0.403 without this module
# (`python benchmarks/people/tracking_constants.py`, also on crowds).

# A double shares at least this part of its frames with the other, and there lies inside of it for most of its area;
# where a number is handed on they share less. Two persons are both seen on more frames than this, doubles by turns.
# HANDED at 0.8: 0.613; it or MOSTLY at 0.4 takes two people of a crowd for one. AT_ONCE at 0.1: 0.650.
COMMON = 0.5
MOSTLY = 0.6
HANDED = 0.6
AT_ONCE = 0.3
# A line that is never elsewhere than in another and so much smaller is an arm or a leg. No figure depends on these.
ALWAYS = 0.85
SMALL = 0.4
LEAST_SHARED = 3
# A person lost and found again within this many frames, of a size not further off than this factor, is one person.
# LOST at 0 or LIKE at 1.3: 0.734; from 5 to 20 frames nothing changes.
LOST = 10
LIKE = 2.0
# A box this much lower than its person is on the frames around it is a piece; this many frames around are compared.
# CUT at 0.4: 0.615; at 0.8 as good here, with more doubles in crowds. AROUND at 5: 0.651, at 30: 0.852. FLUSH at 0.05:
# 0.706.
CUT = 0.65
AROUND = 15
FLUSH = 0.15


def merged_tracklets(lines: Sequence[Boxes]) -> list[Boxes]:
    """Return tracks with those of one person put together.

    lines : one person's boxes each, frames rising; where a line was not seen its place is interpolated. Two lines are
    one person where one lies inside the other for most of the time that they share and both are hardly ever seen at
    once (a double, or a number handed on), and where one begins soon after the other ended, near by and of like size,
    and no third line does (a number lost in a fast movement).
    """
    # Pieces of the whole person are seen as such only when they are mended.
    kept: list[Boxes] = []
    for line in sorted((completed_boxes(line) for line in lines), key=lambda boxes: (-_weight(boxes), boxes[0].frame)):
        place = next((number for number, other in enumerate(kept) if _same(other, line)), None)
        if place is None:
            kept.append(line)
        else:
            kept[place] = _together(kept[place], line)
    while (pair := _successors(kept)) is not None:
        first, second = pair
        kept[first] = kept[first] + kept[second]
        del kept[second]
    return [completed_boxes(line) for line in kept]


def _weight(boxes: Boxes) -> float:
    return sum(box.xywh[2] * box.xywh[3] for box in boxes)


def _same(large: Boxes, small: Boxes) -> bool:
    """Say whether two lines that share time are one person: a double, or a number handed on."""
    first, last = max(large[0].frame, small[0].frame), min(large[-1].frame, small[-1].frame)
    shared = last - first + 1
    if shared < LEAST_SHARED:
        return False
    frames = np.arange(first, last + 1)
    outer, inner = _places(large, frames), _places(small, frames)
    low = np.maximum(inner[:, :2], outer[:, :2])
    high = np.minimum(inner[:, :2] + inner[:, 2:], outer[:, :2] + outer[:, 2:])
    least = np.minimum(inner[:, 2:].prod(axis=1), outer[:, 2:].prod(axis=1))
    share = float((np.maximum(high - low, 0).prod(axis=1) / np.maximum(least, 1e-9)).mean())
    both = len({box.frame for box in large} & {box.frame for box in small})
    spans = [line[-1].frame - line[0].frame + 1 for line in (large, small)]
    double = shared >= COMMON * min(spans) and share >= MOSTLY
    handed = (large[0].frame < small[0].frame) == (large[-1].frame < small[-1].frame) and share >= HANDED
    size = float(np.median(inner[:, 2:].prod(axis=1) / np.maximum(outer[:, 2:].prod(axis=1), 1e-9)))
    piece = shared >= ALWAYS * spans[1] and share >= ALWAYS and size <= SMALL
    return piece or (both <= AT_ONCE * shared and (double or handed))


def _places(line: Boxes, frames: np.ndarray) -> np.ndarray:
    own = np.array([box.frame for box in line])
    xywh = np.array([box.xywh for box in line], dtype=np.float64)
    return np.stack([np.interp(frames, own, xywh[:, side]) for side in range(4)], axis=1)


def _together(large: Boxes, small: Boxes) -> Boxes:
    """Return the boxes of `large`, and those of `small` on frames where `large` was not seen."""
    own = {box.frame for box in large}
    return sorted([*large, *(box for box in small if box.frame not in own)], key=lambda box: box.frame)


def _successors(lines: Sequence[Boxes]) -> tuple[int, int] | None:
    """Return a line and the only one that can be its continuation, None where there is no such pair."""
    fits = np.array([[_follows(before, after) for after in lines] for before in lines]).reshape(len(lines), len(lines))
    for first, second in np.argwhere(fits):
        # Only an unambiguous pair: with two candidates a wrong merge costs more work (two persons under one number)
        # than a number too many.
        if fits[first].sum() == 1 and fits[:, second].sum() == 1:
            return int(first), int(second)
    return None


def _follows(before: Boxes, after: Boxes) -> bool:
    gap = after[0].frame - before[-1].frame
    if not 0 < gap <= LOST:
        return False
    end, start = (np.array(box.xywh) for box in (before[-1], after[0]))
    size = max(end[2:].max(), start[2:].max())
    distance = float(np.linalg.norm(end[:2] + end[2:] / 2 - start[:2] - start[2:] / 2))
    growth = abs(float(np.log(end[2:].max() / start[2:].max())))
    return distance <= (0.4 + 0.08 * gap) * size and growth <= np.log(LIKE)


def completed_boxes(boxes: Boxes) -> Boxes:
    """Return one person's boxes with pieces replaced by the whole that the frames around show.

    A piece is much lower than the person is around it and flush with the top of where the person must be (someone who
    crouches is not), or flush with the bottom and narrower too. Scores stay.
    """
    if len(boxes) < 3:
        return boxes
    frames = np.array([box.frame for box in boxes])
    xywh = np.array([box.xywh for box in boxes], dtype=np.float64)
    # The third quartile and not the median: where pieces are in the majority for some frames the median is a piece's
    # height.
    usual = np.array([np.quantile(xywh[np.abs(frames - frame) <= AROUND, 3], 0.75) for frame in frames])
    whole = xywh[:, 3] >= CUT * usual
    if whole.all() or not whole.any():
        return boxes
    wanted = np.stack([np.interp(frames, frames[whole], xywh[whole, side]) for side in range(4)], axis=1)
    nearest = np.abs(frames[:, None] - frames[whole][None]).min(axis=1)
    top = np.abs(xywh[:, 1] - wanted[:, 1])
    foot = np.abs(xywh[:, 1] + xywh[:, 3] - wanted[:, 1] - wanted[:, 3])
    flush = (top <= FLUSH * wanted[:, 3]) | ((foot <= FLUSH * wanted[:, 3]) & (xywh[:, 2] <= 0.8 * wanted[:, 2]))
    piece = ~whole & flush & (nearest <= AROUND)
    return [
        Box(box.frame, (float(x), float(y), float(w), float(h)), box.score, box.track) if cut else box
        for box, cut, (x, y, w, h) in zip(boxes, piece, wanted, strict=True)
    ]
