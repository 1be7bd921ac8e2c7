"""Follow a point from frame to frame by optical flow, and know when it is lost.

Pyramidal Lucas-Kanade (OpenCV) on small grey crops of the person, forward and back again: a point that does not come
back to where it started is not followed (Kalal, Mikolajczyk, Matas, ICPR 2010). Several guesses of the step are
tried, since a kicking foot moves further from frame to frame than the flow can search. A point whose neighbourhood
changes its look beyond recognition counts as occluded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import emc.pose.shots as shots
from emc.lazy import LazyLibrary

if TYPE_CHECKING:
    import cv2
else:
    cv2 = LazyLibrary("cv2")

# Figures: frames repaired by a fix and right frames made wrong by 330, 1.87 and 60 as it is
# (`python benchmarks/editor/propagate_constants.py`).

# At 112: 2.20 and 42. On larger persons that is more reach for more faults: 2.64 and 12 by 135 fixes instead of 2.42
# and 4 (`--size 640 --clips 6 --only SIDE`).
SIDE = 224
"""Pixels of the person's longer side in the crops: enough for a joint, and few enough for speed."""
# At 31: 1.76 and 33; at 11: 1.90 and 59.
_WINDOW = 21
# From none to three levels hardly anything changes (1.84 to 1.89, 55 to 64).
_LEVELS = 2
# Half the part that a step is sought in. At 24: 1.85 and 57; at 96 the same as here.
_HALF = 48
# At 7: 1.61 and 49; at 21: 2.22 and 78.
_TEMPLATE = 11
# Below this a point counts as occluded. Without the limit: 2.14 and 66; at 0.85: 1.65 and 47.
_ALIKE = 0.7
# How far a step may be off even where flow comes back to its point: more caution or more reach. Halved: 2.39 and 123;
# doubled: 1.23 and 8.
_STEP = 0.003
# At 4: 1.89 and 59.
_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class GreyCrop:
    """A person's surroundings on one frame, shrunk: image (h, w) uint8; crop pixel = scale x frame pixel - origin."""

    image: np.ndarray
    origin: tuple[int, int]
    scale: float
    thumb: np.ndarray

    def to_crop(self, xy: np.ndarray) -> np.ndarray:
        """Return places of the frame in pixels of the crop."""
        return (np.asarray(xy) + 0.5) * self.scale - 0.5 - np.asarray(self.origin)

    def to_frame(self, xy: np.ndarray) -> np.ndarray:
        """Return places of the crop in pixels of the frame."""
        return (np.asarray(xy) + np.asarray(self.origin) + 0.5) / self.scale - 0.5


@dataclass(frozen=True, slots=True)
class FollowedPoint:
    """A point followed over T frames: xy (T, 2) pixels, NaN where lost; error (T,) pixels of the step to each frame.

    before, after : why it was lost to each side: ``flow``, ``occlusion``, ``cut`` or ``end``.
    """

    xy: np.ndarray
    error: np.ndarray
    before: str
    after: str


def crop_scale(side: float) -> float:
    """Return the shrinking for a person of `side` pixels: a power of the square root of 2, never an enlargement."""
    wanted = SIDE / max(side, 1.0)
    return float(min(1.0, 2.0 ** (np.ceil(2 * np.log2(wanted)) / 2)))


def grey_crop(image: np.ndarray, box: np.ndarray, scale: float, margin: float = 0.35) -> GreyCrop:
    """Cut a person out of a frame.

    image : (H, W, 3) uint8 RGB. box : (4,) xywh pixels, of the person on this frame and its neighbours. scale : as
    `crop_scale` says. margin : share of the box's longer side to add all around.
    """
    height, width = image.shape[:2]
    grow = margin * float(max(box[2], box[3]))
    low = np.floor((np.asarray(box[:2]) - grow) * scale)
    high = np.ceil((np.asarray(box[:2]) + np.asarray(box[2:]) + grow) * scale)
    whole = np.array([int(width * scale), int(height * scale)])
    x0, y0 = np.clip(low, 0, whole - 2).astype(int)
    x1, y1 = np.clip(high, [x0 + 2, y0 + 2], whole).astype(int)
    rows = slice(int(y0 / scale), int(np.ceil(y1 / scale)))
    columns = slice(int(x0 / scale), int(np.ceil(x1 / scale)))
    grey = cv2.cvtColor(np.ascontiguousarray(image[rows, columns]), cv2.COLOR_RGB2GRAY)
    if scale < 1.0:
        # The shift keeps pixel centres where `to_crop` says they are.
        back = 1 / scale
        shift = [(x0 + 0.5) * back - 0.5 - columns.start, (y0 + 0.5) * back - 0.5 - rows.start]
        grey = cv2.GaussianBlur(grey, (0, 0), 0.4 * back)
        matrix = np.array([[back, 0, shift[0]], [0, back, shift[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        grey = cv2.warpAffine(grey, matrix, (int(x1 - x0), int(y1 - y0)), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return GreyCrop(grey, (int(x0), int(y0)), scale, shots.thumb_of(image))


def is_cut(one: GreyCrop, other: GreyCrop) -> bool:
    """Return whether two following frames are of different shots; see `emc.pose.shots`."""
    return shots.is_cut(one.thumb, other.thumb)


def scene_cuts(crops: Sequence[GreyCrop | None]) -> np.ndarray:
    """Return (T,) bool: whether the picture changed since the crop before; unknown counts as not."""
    return shots.cuts_between([None if crop is None else crop.thumb for crop in crops])


def follow_point(
    crops: Sequence[GreyCrop | None], start: int, xy: np.ndarray, guesses: np.ndarray, side: np.ndarray
) -> FollowedPoint:
    """Follow the point `xy` (pixels of the frame) from crop `start` to both sides.

    crops : T frames, None where there is no picture. guesses : (T, 2) pixels, where a joint may be on each frame
    (NaN: no idea), used only to guess its steps. side : (T,) pixels, the person's size.
    """
    count = len(crops)
    path = np.full((count, 2), np.nan)
    error = np.full(count, np.inf)
    path[start] = xy
    error[start] = 0.0
    ends: list[str] = []
    cut = scene_cuts(crops)
    for step in (-1, 1):
        ends.append(_follow_side(crops, start, step, guesses, side, cut, path, error))
    # Backwards, the step "to" a frame is the one that leaves it: keep the error of each step with its later frame.
    error[1 : start + 1] = error[:start].copy()
    error[0] = np.inf
    return FollowedPoint(path, error, ends[0], ends[1])


def _follow_side(
    crops: Sequence[GreyCrop | None],
    start: int,
    step: int,
    guesses: np.ndarray,
    side: np.ndarray,
    cut: np.ndarray,
    path: np.ndarray,
    error: np.ndarray,
) -> str:
    speed = np.zeros(2)
    i = start
    while 0 <= i + step < len(crops):
        here, there = crops[i], crops[i + step]
        if here is None or there is None:
            return "flow"
        if cut[max(i, i + step)]:
            return "cut"
        steps = np.array([(0.0, 0.0), speed, guesses[i + step] - guesses[i], guesses[i + step] - path[i]])
        found = _step(here, there, path[i], steps[np.isfinite(steps).all(axis=1)], float(side[i]))
        if found is None:
            return "flow"
        place, off, alike = found
        if alike < _ALIKE:
            return "occlusion"
        speed = place - path[i]
        path[i + step] = place
        # A chain that slides off its point goes on sliding: its error grows with its length, not with the root of it.
        error[i + step] = off * np.sqrt(1 + abs(i + step - start))
        i += step
    return "end"


def _step(
    here: GreyCrop, there: GreyCrop, xy: np.ndarray, steps: np.ndarray, side: float
) -> tuple[np.ndarray, float, float] | None:
    """Return the place on the next frame, the step's error in pixels of the frame, and how alike the two look."""
    at = here.to_crop(xy)
    targets = there.to_crop(xy + steps)
    a, base = _window(here.image, at, at[None])
    b, other = _window(there.image, targets.mean(axis=0), targets)
    if a is None or b is None:
        return None
    first = np.repeat((at - base)[None], len(steps), axis=0).astype(np.float32)
    guess = (targets - other).astype(np.float32)
    size = np.maximum(a.shape, b.shape)
    a, b = _padded(a, size), _padded(b, size)
    moved, good = _lucas_kanade(a, b, first, guess)
    back, good_back = _lucas_kanade(b, a, moved, first)
    off = np.sqrt(((back - first) ** 2).sum(axis=1)) / here.scale
    alike = _alike(a, first[0], b, moved)
    fine = good & good_back & (off < 0.02 * side)
    if not fine.any():
        return None
    best = int(np.argmax(np.where(fine, alike, -1.0)))
    place = there.to_frame(moved[best] + other)
    spread = 0.5 * float(off[best]) + _STEP * side * (1 + 3 * (1 - float(alike[best])))
    return place, spread, float(alike[best])


def _lucas_kanade(
    one: np.ndarray, other: np.ndarray, points: np.ndarray, guesses: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where (N, 2) points of `one` are in `other`, and whether each was found."""
    criteria: tuple[int, int, float] = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, 0.03)  # pyright: ignore[reportAssignmentType]
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        one,
        other,
        points,
        guesses.copy(),
        winSize=(_WINDOW, _WINDOW),
        maxLevel=_LEVELS,
        criteria=criteria,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(moved, dtype=np.float32), np.asarray(found).ravel() == 1


def _window(image: np.ndarray, centre: np.ndarray, points: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the part of an image around some points, and its corner; None where a point lies outside of the image."""
    height, width = image.shape
    if not ((points >= 0) & (points <= [width - 1, height - 1])).all(axis=1).any():
        return None, np.zeros(2)
    low = np.clip(np.floor(np.minimum(points.min(axis=0), centre) - _HALF), 0, None).astype(int)
    high = np.ceil(np.maximum(points.max(axis=0), centre) + _HALF).astype(int) + 1
    part = image[low[1] : high[1], low[0] : high[0]]
    return (part, low.astype(np.float64)) if min(part.shape) > _WINDOW else (None, np.zeros(2))


def _padded(part: np.ndarray, size: np.ndarray) -> np.ndarray:
    rows, columns = size - part.shape
    return cv2.copyMakeBorder(part, 0, int(rows), 0, int(columns), cv2.BORDER_REPLICATE)


def _alike(a: np.ndarray, at: np.ndarray, b: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return (N,) normalised correlations of the neighbourhood of `at` with those of places, -1 for one outside."""
    size = (_TEMPLATE, _TEMPLATE)
    height, width = b.shape
    # A NaN place is not inside either.
    inside = [0 <= x < width and 0 <= y < height for x, y in places.tolist()]
    alike = np.full(len(places), -1.0)
    if not any(inside):
        return alike
    found = [cv2.getRectSubPix(b, size, (x, y)) for (x, y), fits in zip(places.tolist(), inside, strict=True) if fits]
    one = cv2.getRectSubPix(a, size, (float(at[0]), float(at[1]))).astype(np.float32).ravel()
    two = np.array(found, dtype=np.float32).reshape(len(found), -1)
    one, two = one - one.mean(), two - two.mean(axis=1, keepdims=True)
    energy = np.sqrt((one * one).sum() * (two * two).sum(axis=1))
    # A plain surface looks the same everywhere: it neither confirms nor refutes.
    plain = energy <= 60.0 * _TEMPLATE
    alike[inside] = np.where(plain, 0.7, (two * one).sum(axis=1) / np.where(plain, 1.0, energy))
    return alike
