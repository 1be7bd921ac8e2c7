"""Person boxes to person numbers: constant-velocity prediction, optimal assignment, gaps bridged, flickers dropped.

After SORT (Bewley et al., *Simple online and realtime tracking*, ICIP 2016) and, for weak boxes, ByteTrack (Zhang et
al., ECCV 2022); written for finite clips: a track is evaluated when it is over, so that its first frames are never
lost, and tracks of one person are merged when all are known (`tracklets`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import cast

import numpy as np
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

from emc.errors import InputError, UsageError
from emc.pose.geometry import box_overlap
from emc.pose.records import Box
from emc.stages.track.tracklets import merged_tracklets

Boxes = list[Box]
# Standard deviations in box sizes: of a measured side or centre, and of what moves unforeseen in one frame.
_MEASURED = 0.05
_WANDER = 0.02
_PUSH = np.array([0.03, 0.03, 0.015, 0.015])
# Share of the velocity left after one frame: people stop; a box that grows soon no longer does. On rendered crowds 0.8
# loses people (IDF1 0.61 instead of 0.64), and 1 is no worse (0.66): `python benchmarks/people/tracking_constants.py`.
_KEPT = np.array([0.95, 0.95, 0.7, 0.7])
_REFUSED = 1e3


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How boxes become tracks.

    start_score : a weaker box never starts a track, it may only carry on one that was seen on the frame before.
    sure_score : a track whose best box stays below it is dropped: a thing that looks a little like a person, always.
    max_gap : frames that a person may stay unseen (behind a tree, behind another) and keep their number.
    min_hits : a track that never has that many boxes within twice as many frames is dropped as a false positive
        (clips of fewer frames: as many as frames).
    min_overlap : least IoU with the place foreseen; where it is less, the centre must be near for the box's size.
    reunite : whether tracks may be pieces, doubles or continuations of one person, as a detector's are.
    """

    # With the embedded detector's scores, on rendered crowds: 0.5 here leaves 468 false boxes of 1,032, and recall
    # falls from 0.79 to 0.73; 0.6 for `sure_score` leaves 470, at a recall of 0.75.
    start_score: float = 0.35
    sure_score: float = 0.45
    # On the real clip of two people (IDF1 0.827): at 5 frames 8 numbers (0.412), at 90 nine switches (0.430).
    max_gap: int = 30
    # At 1 the two people of the real clip get 8 numbers instead of 3.
    min_hits: int = 4
    # At 0.3 the real clip has 5 switches instead of 1; at 0.05 none, and half as many doubles again (67 for 41).
    min_overlap: float = 0.15
    reunite: bool = True

    def __post_init__(self) -> None:
        if self.max_gap < 0 or self.min_hits < 1 or not 0 <= self.min_overlap <= 1:
            raise UsageError(
                f"tracking got max_gap {self.max_gap}, min_hits {self.min_hits}, min_overlap {self.min_overlap}: "
                "give at least 0, at least 1, and 0 to 1"
            )


def track(frames: Iterable[tuple[int, Boxes]], settings: TrackSettings | None = None) -> Iterator[tuple[int, Boxes]]:
    """Number the persons of one clip.

    frames : (frame index, its boxes), indices rising; frames without a person have an empty list. Numbers that boxes
    already carry are not looked at. All frames are read before the first is yielded.

    Yields every frame of the input once, its boxes in the order of their `track`: 0, 1, ... by first appearance, on
    the same frame the larger person first. On frames of the input where a tracked person was not found, the box is
    interpolated between the sightings before and after and has score 0.0; nothing is made up before the first or
    after the last sighting.

    Raises `InputError` where a frame index does not rise or a box is not finite and positive.
    """
    settings = settings or TrackSettings()
    indices, finished = _associate(frames, settings)
    least = min(settings.min_hits, len(indices))
    sure = [
        line.boxes
        for line in finished
        if _lasts(line.boxes, indices, least) and max(box.score for box in line.boxes) >= settings.sure_score
    ]
    persons = merged_tracklets(sure) if settings.reunite else sure
    yield from _numbered([_bridged(boxes, indices) for boxes in persons], indices)


def keep_largest(frames: Iterable[tuple[int, Boxes]], persons: int) -> Iterator[tuple[int, Boxes]]:
    """Keep the `persons` tracks with the largest sum of box areas over the clip (long and near counts), renumbered.

    frames : as `track` yields them. Yields the same frames; the numbers again rise by first appearance.
    Raises `UsageError` where `persons` is less than 1.
    """
    if persons < 1:
        raise UsageError(f"cannot keep {persons} persons: give at least 1, or leave the option out to keep all")
    rows = list(frames)
    tracks: dict[int, Boxes] = {}
    for _, boxes in rows:
        for box in boxes:
            tracks.setdefault(box.track, []).append(box)
    ranked = sorted(tracks.values(), key=lambda boxes: -sum(_area(box) for box in boxes))
    yield from _numbered(ranked[:persons], [index for index, _ in rows])


@dataclass(slots=True)
class _Line:
    """One person on the way: the boxes so far, and the state (centre x, y, width, height) x (value, velocity).

    `mean` : (4, 2), `spread` : (4, 2, 2) covariance per coordinate; pixels and pixels per frame.
    """

    boxes: Boxes
    mean: np.ndarray
    spread: np.ndarray
    missed: int = 0
    frame: int = field(default=0)

    @property
    def size(self) -> float:
        """Mean of the foreseen width and height, pixels."""
        return max(float(self.mean[2:, 0].mean()), 1.0)

    @property
    def xywh(self) -> np.ndarray:
        """The foreseen box, (4,)."""
        sides = np.maximum(self.mean[2:, 0], 1.0)
        return np.concatenate([self.mean[:2, 0] - sides / 2, sides])


def _associate(frames: Iterable[tuple[int, Boxes]], settings: TrackSettings) -> tuple[list[int], list[_Line]]:
    """Walk once through the clip; return its frame indices and every line, in order of first appearance."""
    indices: list[int] = []
    lines: list[_Line] = []
    alive: list[_Line] = []
    for index, boxes in frames:
        if indices and index <= indices[-1]:
            raise InputError(
                f"frame {index} comes after frame {indices[-1]}: give the frames of a clip in rising order"
            )
        _check(index, boxes)
        indices.append(index)
        # Before the assignment: a line past its gap could otherwise take the box of a newcomer, with the lost person's
        # number.
        alive = [line for line in alive if index - line.boxes[-1].frame <= settings.max_gap + 1]
        for line in alive:
            _foresee(line, index)
        strong = [replace(box, frame=index) for box in boxes if box.score >= settings.start_score]
        weak = [replace(box, frame=index) for box in boxes if box.score < settings.start_score]
        # Strong boxes first, over all lines: assigned together, a weak double of one person could take the line of
        # another who is seen well.
        fresh = _assign(alive, strong, settings)
        # Only lines that were seen on the frame before: after a gap the place foreseen is a guess, and a weak box near
        # a guess is no evidence of the person.
        _assign([line for line in alive if line.missed == 1], weak, settings)
        started = [_begin(box) for box in fresh]
        alive = alive + started
        lines.extend(started)
    return indices, lines


def _assign(lines: Sequence[_Line], boxes: Boxes, settings: TrackSettings) -> Boxes:
    """Give each line at most one box, at the least total cost; return the boxes that no line took."""
    if not lines or not boxes:
        return boxes
    cost = _costs(lines, boxes, settings)
    taken: set[int] = set()
    for row, column in _cheapest(cost):
        if cost[row, column] < _REFUSED:
            _correct(lines[row], boxes[column])
            taken.add(column)
    return [box for number, box in enumerate(boxes) if number not in taken]


def _cheapest(cost: np.ndarray) -> list[tuple[int, int]]:
    """Return the (row, column) pairs of the assignment of least total cost (Hungarian method)."""
    found = optimize.linear_sum_assignment(cost)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    rows, columns = cast("tuple[np.ndarray, np.ndarray]", found)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def _costs(lines: Sequence[_Line], boxes: Boxes, settings: TrackSettings) -> np.ndarray:
    """Return (lines, boxes) costs: lost overlap, distance in box sizes, and how long the person was unseen."""
    foreseen = np.stack([line.xywh for line in lines])
    found = np.array([box.xywh for box in boxes], dtype=np.float64)
    sizes = np.array([line.size for line in lines])[:, None]
    overlap = box_overlap(foreseen, found)
    middles = foreseen[:, None, :2] + foreseen[:, None, 2:] / 2 - (found[None, :, :2] + found[None, :, 2:] / 2)
    distance = np.linalg.norm(middles, axis=-1) / sizes
    # Of logarithms: half the size and twice the size are equally far.
    growth = np.abs(np.log(found[:, 2:].mean(axis=1)[None] / sizes))
    # Of two lines that fit alike the one that was seen last gets the box; capped, so that the longest gap costs 0.3,
    # less than a lost overlap.
    unseen = np.array([min(line.missed - 1, 15) for line in lines])[:, None]
    doubt = np.array([float(np.sqrt(line.spread[:2, 0, 0].max())) for line in lines])[:, None] / sizes
    # Three standard deviations of what is foreseen. At least 0.4 of a size, since fast limbs move a box's centre by
    # that much in one frame, and at most 1.5, else a long gap reaches everybody.
    reach = np.clip(3 * doubt, 0.4, 1.5)
    # A factor of 2.5 in size: people who crouch or spread their arms stay below, the other person in the background
    # does not.
    refused = ((overlap < settings.min_overlap) & (distance > reach)) | (growth > np.log(2.5))
    return np.where(refused, _REFUSED, 1 - overlap + 0.5 * distance + 0.3 * growth + 0.02 * unseen)


def _begin(box: Box) -> _Line:
    state = _state(box)
    size = float(state[2:].mean())
    mean = np.stack([state, np.zeros(4)], axis=1)
    spread = np.zeros((4, 2, 2))
    spread[:, 0, 0] = (_MEASURED * size) ** 2
    # Wide: nothing is known of a new line's velocity, and at a narrow start the second sighting of a runner would count
    # as noise.
    spread[:, 1, 1] = (0.15 * size) ** 2
    return _Line([box], mean, spread, frame=box.frame)


def _foresee(line: _Line, index: int) -> None:
    """Move the state to frame `index`; from here on it counts as unseen until a box corrects it."""
    size = line.size
    for _ in range(index - line.frame):
        step = np.zeros((4, 2, 2))
        step[:, 0, 0] = step[:, 0, 1] = 1.0
        step[:, 1, 1] = _KEPT
        # Frame by frame and not by a power of the step: what may be unforeseen adds up with every frame, also over gaps
        # of sampled frames.
        line.mean = np.einsum("kij,kj->ki", step, line.mean)
        line.spread = step @ line.spread @ step.transpose(0, 2, 1)
        line.spread[:, 0, 0] += (_WANDER * size) ** 2
        line.spread[:, 1, 1] += (_PUSH * size) ** 2
    line.frame = index
    line.missed += 1


def _correct(line: _Line, box: Box) -> None:
    """Kalman update of the four independent coordinates by a measured box."""
    noise = (_MEASURED * line.size) ** 2
    gain = line.spread[:, :, 0] / (line.spread[:, 0, 0] + noise)[:, None]
    surprise = _state(box) - line.mean[:, 0]
    line.mean = line.mean + gain * surprise[:, None]
    line.spread = line.spread - gain[:, :, None] * line.spread[:, None, 0, :]
    line.missed = 0
    line.boxes.append(box)


def _state(box: Box) -> np.ndarray:
    x, y, width, height = box.xywh
    return np.array([x + width / 2, y + height / 2, width, height], dtype=np.float64)


def _lasts(boxes: Boxes, indices: Sequence[int], least: int) -> bool:
    """Say whether `least` sightings ever lie within twice as many frames of the clip; flickers far apart do not."""
    places = np.searchsorted(indices, [box.frame for box in boxes])
    if len(places) < least:
        return False
    return bool((places[least - 1 :] - places[: len(places) - least + 1] < 2 * least).any())


def _bridged(boxes: Boxes, indices: Sequence[int]) -> Boxes:
    """Fill the clip's frames between sightings, linearly, with score 0.0."""
    filled = boxes[:1]
    for before, after in pairwise(boxes):
        start, end = np.array(before.xywh), np.array(after.xywh)
        for index in _between(indices, before.frame, after.frame):
            share = (index - before.frame) / (after.frame - before.frame)
            x, y, width, height = (start + share * (end - start)).tolist()
            filled.append(Box(index, (x, y, width, height), 0.0))
        filled.append(after)
    return filled


def _between(indices: Sequence[int], first: int, last: int) -> Sequence[int]:
    low, high = np.searchsorted(indices, [first, last])
    return indices[int(low) + 1 : int(high)]


def _numbered(tracks: Sequence[Boxes], indices: Sequence[int]) -> Iterator[tuple[int, Boxes]]:
    """Yield each frame with its boxes, the tracks numbered by first appearance, then by size."""
    # A fixed order of numbers: a run that is resumed or predicted again with the same boxes must give every person the
    # number that edits name.
    ordered = sorted(tracks, key=lambda boxes: (boxes[0].frame, -_area(boxes[0])))
    by_frame: dict[int, Boxes] = {index: [] for index in indices}
    for number, boxes in enumerate(ordered):
        for box in boxes:
            by_frame[box.frame].append(replace(box, track=number))
    yield from by_frame.items()


def _area(box: Box) -> float:
    return box.xywh[2] * box.xywh[3]


def _check(index: int, boxes: Boxes) -> None:
    for box in boxes:
        if not np.isfinite(box.xywh).all() or box.xywh[2] <= 0 or box.xywh[3] <= 0:
            raise InputError(
                f"frame {index} has a box {box.xywh}: width and height must be above 0 and all four numbers finite"
            )
