"""From heatmaps and part affinity fields to persons: peaks, line integrals, greedy matching, greedy merging.

After Cao et al., "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields" (CVPR 2017; TPAMI 2019). Every
joint has a map whose peaks are candidates, every limb a field of vectors that point along it. Two candidates belong
together as far as the field between them points from the one to the other (a line integral); each limb matches its
candidates greedily, best pair first, which the paper found as good as the optimum. Persons are then grown from the
matched limbs of the whole skeleton, again best first, and never get two candidates of one joint: so limbs that close a
loop (ear to shoulder) help where others are weak, and can not glue two persons together.

Places are (x, y) in cells of the maps, the middle of the top-left cell = (0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from emc.errors import ShapeMismatch

MOST_PEAKS = 200
"""Candidates of one joint that are looked at, the highest first: bounds the work on maps that are all noise."""
FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class Grouping:
    """How persons are put together.

    peak : least height of a candidate. smooth : spread in cells of a blur before peaks are looked for, 0 = none.
    points : places along a pair at which the field is read. along : least part of the field's vector in the pair's
    direction for a place to agree. share : least share of places that agree. reach : pairs longer than this share of
    the map's longer side count less. joints, score : what a person must have, joints and their mean height.
    """

    peak: float = 0.1
    smooth: float = 0.5
    points: int = 10
    along: float = 0.05
    share: float = 0.8
    reach: float = 0.5
    joints: int = 3
    score: float = 0.2


@dataclass(frozen=True, slots=True)
class Group:
    """One person: `cells` (K, 2), NaN where a joint was not found, `score` (K,) peak heights, 0 there."""

    cells: np.ndarray
    score: np.ndarray

    @property
    def mean_score(self) -> float:
        """Mean height of the joints that were found."""
        return float(self.score[self.score > 0].mean())


@dataclass(frozen=True, slots=True)
class Connection:
    """Two candidates that a limb matched: (joint, number) each, and how well the field agrees."""

    first: tuple[int, int]
    second: tuple[int, int]
    score: float


def group_persons(
    heatmaps: np.ndarray, fields: np.ndarray, limbs: Sequence[tuple[int, int]], how: Grouping | None = None
) -> list[Group]:
    """Return the persons that maps and fields tell of, the one with most joints first.

    heatmaps : (K, h, w), one per joint, without background. fields : (L, 2, h, w), x and y of one vector per cell and
    limb, pointing from the first to the second joint of `limbs` (L pairs of joint indices). Raises `ShapeMismatch`
    where their shapes do not fit.
    """
    how = how or Grouping()
    size = heatmaps.shape[1:]
    if heatmaps.ndim != 3 or fields.shape != (len(limbs), 2, *size):
        raise ShapeMismatch(
            f"maps {heatmaps.shape} and fields {fields.shape} do not fit {len(limbs)} limbs: give (K, h, w) and "
            f"({len(limbs)}, 2, h, w)"
        )
    peaks = [find_peaks(one, how.peak, how.smooth) for one in np.asarray(heatmaps, dtype=np.float32)]
    connections = [
        connection
        for (a, b), field in zip(limbs, fields, strict=True)
        for connection in _matched(a, b, pair_scores(peaks[a], peaks[b], field, how))
    ]
    groups = [_group(members, peaks) for members in _merged(connections)]
    kept = [g for g in groups if int((g.score > 0).sum()) >= how.joints and g.mean_score >= how.score]
    return sorted(kept, key=lambda g: (-int((g.score > 0).sum()), -g.mean_score))


def find_peaks(heatmap: np.ndarray, least: float, smooth: float = 0.0) -> np.ndarray:
    """Return (N, 3) float64: x, y in cells below the size of a cell, and height, of the tops of a (h, w) map.

    A top is as high as its eight neighbours or higher (of several equal ones the first), and above `least`, after a
    blur of `smooth` cells; its height is that before the blur. Highest first, at most `MOST_PEAKS`.
    """
    given = np.asarray(heatmap, dtype=np.float32)
    one = cv2.GaussianBlur(given, (0, 0), smooth) if smooth > 0 else given
    padded = np.pad(one, 1, constant_values=-np.inf)
    height, width = one.shape
    around = [
        padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx
    ]
    top = (one > least) & np.all([one > other for other in around[:4]], axis=0)
    top &= np.all([one >= other for other in around[4:]], axis=0)
    rows, columns = np.nonzero(top)
    order = np.argsort(-one[rows, columns], kind="stable")[:MOST_PEAKS]
    rows, columns = rows[order], columns[order]
    x = columns + _step(padded[rows + 1, columns], one[rows, columns], padded[rows + 1, columns + 2])
    y = rows + _step(padded[rows, columns + 1], one[rows, columns], padded[rows + 2, columns + 1])
    return np.column_stack([x, y, np.maximum(given[rows, columns], least)]).astype(np.float64)


def _step(before: np.ndarray, middle: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return where the Gaussian through three neighbouring cells has its top, from the middle one; 0 at an edge."""
    inside = np.isfinite(before) & np.isfinite(after)
    a, b, c = (np.log(np.maximum(np.where(inside, v, 1.0), FLOOR)) for v in (before, middle, after))
    bend = 2 * b - a - c
    return np.where(inside & (bend > 0), np.clip((c - a) / np.where(bend > 0, 2 * bend, 1.0), -0.5, 0.5), 0.0)


def pair_scores(first: np.ndarray, second: np.ndarray, field: np.ndarray, how: Grouping) -> np.ndarray:
    """Return (A, B): the mean of the field along each pair of candidates, minus infinity where they do not connect.

    first, second : (A, 3), (B, 3) of `find_peaks`. field : (2, h, w). A pair connects where enough places along it
    agree and the mean, less what it loses for being very long, is above 0. Two candidates at one place have no
    direction and never connect.
    """
    if not len(first) or not len(second):
        return np.full((len(first), len(second)), -np.inf)
    start, way = first[:, None, :2], second[None, :, :2] - first[:, None, :2]
    length = np.linalg.norm(way, axis=-1)
    steps = np.linspace(0.0, 1.0, how.points)
    places = start[:, :, None] + way[:, :, None] * steps[:, None]
    direction = way / np.maximum(length, 1e-9)[..., None]
    agreed = (_read(field, places) * direction[:, :, None]).sum(axis=-1)
    far = np.minimum(how.reach * max(field.shape[1:]) / np.maximum(length, 1e-9) - 1.0, 0.0)
    score = agreed.mean(axis=-1) + far
    connects = ((agreed > how.along).mean(axis=-1) >= how.share) & (score > 0) & (length > 1e-6)
    return np.where(connects, score, -np.inf)


def _read(field: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return (..., 2) vectors of a (2, h, w) field at (..., 2) places, between the cells in straight lines."""
    height, width = field.shape[1:]
    x, y = np.clip(places[..., 0], 0, width - 1), np.clip(places[..., 1], 0, height - 1)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    right, low = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = x - left, y - top
    above = field[:, top, left] * (1 - u) + field[:, top, right] * u
    below = field[:, low, left] * (1 - u) + field[:, low, right] * u
    return np.moveaxis(above * (1 - v) + below * v, 0, -1)


def _matched(a: int, b: int, scores: np.ndarray) -> list[Connection]:
    """Return the greedy matching of one limb: the best pair, then the best of what is left, and so on."""
    found: list[Connection] = []
    used_first, used_second = np.zeros(len(scores), dtype=bool), np.zeros(scores.shape[1], dtype=bool)
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        i, j = divmod(int(flat), scores.shape[1])
        if not np.isfinite(scores[i, j]):
            break
        if not used_first[i] and not used_second[j]:
            used_first[i] = used_second[j] = True
            found.append(Connection((a, i), (b, j), float(scores[i, j])))
    return found


def _merged(connections: Sequence[Connection]) -> list[dict[int, int]]:
    """Return persons (joint -> number of its candidate), grown from the best connection on.

    A connection that would give a person two candidates of one joint is left out.
    """
    owner: dict[tuple[int, int], int] = {}
    persons: dict[int, dict[int, int]] = {}
    for number, connection in enumerate(sorted(connections, key=lambda c: -c.score)):
        sides: list[int] = []
        for joint, candidate in (connection.first, connection.second):
            own = owner.get((joint, candidate))
            if own is None:
                own = 2 * number + len(sides)
                persons[own] = {joint: candidate}
                owner[joint, candidate] = own
            sides.append(own)
        keep, give = sides
        if keep == give or persons[keep].keys() & persons[give].keys():
            continue
        for joint, candidate in persons.pop(give).items():
            persons[keep][joint] = candidate
            owner[joint, candidate] = keep
    return [members for members in persons.values() if len(members) > 1]


def _group(members: dict[int, int], peaks: Sequence[np.ndarray]) -> Group:
    cells = np.full((len(peaks), 2), np.nan)
    score = np.zeros(len(peaks))
    for joint, candidate in members.items():
        cells[joint], score[joint] = peaks[joint][candidate, :2], peaks[joint][candidate, 2]
    return Group(cells, score)
