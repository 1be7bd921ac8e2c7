"""How good person numbers are: IDF1 (Ristani et al., ECCVW 2016), CLEAR counts (Bernardin, Stiefelhagen, 2008)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

from emc.pose.geometry import box_overlap
from emc.pose.records import Box


@dataclass(frozen=True, slots=True)
class TrackScores:
    """Counts over a clip, or over several, added up.

    persons : true boxes that count. found : of them matched. false : tracked boxes that match nobody. doubles : of
    `false` those that overlap somebody by 0.1 or more. switches : how often a true person's number changes between two
    matched frames. numbers : tracked persons. identity : boxes right under the best one-to-one naming of whole tracks.
    """

    persons: int
    found: int
    false: int
    doubles: int
    switches: int
    numbers: int
    identity: int

    def __add__(self, other: TrackScores) -> TrackScores:
        return TrackScores(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def tracked(self) -> int:
        """Tracked boxes that count."""
        return self.found + self.false

    @property
    def recall(self) -> float:
        """Share of the true boxes that are found."""
        return self.found / max(self.persons, 1)

    @property
    def precision(self) -> float:
        """Share of the tracked boxes that are somebody."""
        return self.found / max(self.tracked, 1)

    @property
    def idf1(self) -> float:
        """2 x identity / (true + tracked boxes)."""
        return 2 * self.identity / max(self.persons + self.tracked, 1)

    @property
    def mota(self) -> float:
        """1 - (missed + false + switches) / true boxes; may be negative."""
        return 1 - (self.persons - self.found + self.false + self.switches) / max(self.persons, 1)


def track_scores(
    truth: Iterable[tuple[int, Sequence[Box]]],
    tracked: Iterable[tuple[int, Sequence[Box]]],
    overlap: float = 0.5,
) -> TrackScores:
    """Compare tracked boxes with true ones.

    truth : (frame, boxes) with `track` the true person; a box of score 0 counts neither way (somebody who is hardly to
    be seen), nor does a tracked box that matches nobody else. overlap : least IoU of a match; per frame as many
    matches as can be, and of them the largest sum of IoU.
    """
    found = {frame: list(boxes) for frame, boxes in tracked}
    last: dict[int, int] = {}
    together: dict[tuple[int, int], int] = {}
    counts = {"persons": 0, "found": 0, "false": 0, "doubles": 0, "switches": 0}
    for frame, boxes in truth:
        mine = found.pop(frame, [])
        counts["persons"] += sum(box.score > 0 for box in boxes)
        shared = _overlaps(mine, boxes)
        matched = _matches(shared, overlap, np.array([box.score > 0 for box in boxes], dtype=bool))
        for number, box in enumerate(mine):
            person = boxes[matched[number]] if number in matched else None
            if person is None:
                counts["false"] += 1
                counts["doubles"] += int(shared[number].max(initial=0.0) >= 0.1)
            elif person.score > 0:
                counts["found"] += 1
                counts["switches"] += int(last.get(person.track, box.track) != box.track)
                last[person.track] = box.track
                pair = (person.track, box.track)
                together[pair] = together.get(pair, 0) + 1
    counts["false"] += sum(len(boxes) for boxes in found.values())
    return TrackScores(**counts, numbers=_numbers(tracked, found), identity=_identity(together))


def _numbers(tracked: Iterable[tuple[int, Sequence[Box]]], left: dict[int, list[Box]]) -> int:
    return len({box.track for _, boxes in tracked for box in boxes} | {b.track for row in left.values() for b in row})


def _overlaps(mine: Sequence[Box], true: Sequence[Box]) -> np.ndarray:
    first = np.array([box.xywh for box in mine], dtype=np.float64).reshape(-1, 4)
    return box_overlap(first, np.array([box.xywh for box in true], dtype=np.float64).reshape(-1, 4))


def _matches(shared: np.ndarray, least: float, counts: np.ndarray) -> dict[int, int]:
    """Return tracked box -> true box; those that count come before those that do not."""
    # A match is worth more than any sum of overlaps, one that counts more than one that does not.
    worth = np.where(shared >= least, shared + 10.0 + 100.0 * counts[None], 0.0)
    return {row: column for row, column in _assigned(worth) if worth[row, column] > 0}


def _identity(together: dict[tuple[int, int], int]) -> int:
    people, numbers = (sorted({pair[side] for pair in together}) for side in (0, 1))
    table = np.zeros((len(people), len(numbers)))
    for (person, number), count in together.items():
        table[people.index(person), numbers.index(number)] = count
    return int(sum(table[row, column] for row, column in _assigned(table)))


def _assigned(worth: np.ndarray) -> list[tuple[int, int]]:
    found = optimize.linear_sum_assignment(-worth)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    rows, columns = cast("tuple[np.ndarray, np.ndarray]", found)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]
