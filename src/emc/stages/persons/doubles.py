"""Doubles: two numbers of a run that follow one person, told by boxes and poses over all frames of both.

Suppression on single frames (`detectors/embedded/suppress.py`) and of tracks (`stages/track/pieces.py`) sees boxes
alone. A box around the upper body beside one around the whole, both found on every frame, passes either. The poses in
them lie on one another, which those of two people do for as long as one hides the other and no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

import numpy as np

from emc.pose.records import Prediction
from emc.pose.skeletons import Skeleton

INSIDE = 0.7
"""Share of the smaller box that lies in the larger one on a frame where two people overlap."""
ALWAYS = 0.9
"""Share of its frames on which a double overlaps with the other: people who dance as a couple come apart more often."""
ALIKE = 0.7
"""Similarity of two poses (as of OKS) from which they are one on a frame."""
MOSTLY = 0.6
"""Share of its frames on which a double overlaps and has the other's pose as well."""
OFTEN = 0.75
"""Share of its frames on which somebody overlaps with another for the user to be told."""
LEAST = 5
"""Frames that two people must share: on fewer nothing is said of them."""
SEEN = 4
"""Joints that must lie in both boxes for poses to be compared."""
MARGIN = 0.1
"""How far beyond a box, in its longer sides, its person's joints are looked for: boxes are cut close."""
_SIGMA = 0.08


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two people of a clip. `frames` : of the one who is there for fewer. `shared`, `inside`, `alike` : of them, where
    both are, where their boxes overlap, and where their poses are one as well.
    """

    kept: int
    other: int
    frames: int
    shared: int
    inside: int
    alike: int

    @property
    def is_double(self) -> bool:
        """Whether both are one person."""
        always = self.inside >= ALWAYS * self.frames
        return self.shared >= LEAST and always and self.alike >= MOSTLY * self.frames

    @property
    def is_doubtful(self) -> bool:
        """Whether both may be one person, doubles among them: they overlap nearly always, or a number was handed on.

        Where one begins on the other and outlives them, two people may have crossed as well: that is the user's to say.
        """
        handed = self.shared < self.frames and self.alike >= MOSTLY * self.shared
        often = self.inside >= OFTEN * self.frames
        return self.shared >= LEAST and (often or handed)


class PersonPairs:
    """Counts over a run, frame by frame; memory goes with the pairs of people, not with the frames.

    `frames` : on which somebody was.
    skeleton : of the predictions; joints without OKS sigmas count as a limb's.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        sigmas = np.array(skeleton.sigmas or [_SIGMA] * len(skeleton), dtype=np.float64)
        self._falloff = 2 * (2 * sigmas) ** 2
        self.frames = 0
        self._frames: dict[int, int] = {}
        self._sure: dict[int, float] = {}
        self._pairs: dict[tuple[int, int], np.ndarray] = {}

    @property
    def people(self) -> list[int]:
        """Numbers of all who were counted."""
        return sorted(self._frames)

    def add_all(self, predictions: Iterable[Prediction]) -> None:
        """Count predictions that come by frame."""
        for _, rows in groupby(predictions, key=lambda one: one.frame):
            self.add(list(rows))

    def add(self, people: Sequence[Prediction]) -> None:
        """Count the people of one frame."""
        self.frames += bool(people)
        for one in people:
            self._frames[one.person] = self._frames.get(one.person, 0) + 1
            self._sure[one.person] = self._sure.get(one.person, 0.0) + float(one.confidence.mean())
        for first, second in combinations(sorted(people, key=lambda one: one.person), 2):
            inside = _inside(first.box, second.box) >= INSIDE
            alike = inside and self.similarity(first, second) >= ALIKE
            counts = self._pairs.setdefault((first.person, second.person), np.zeros(3, dtype=np.int64))
            counts += (1, inside, alike)

    def similarity(self, first: Prediction, second: Prediction) -> float:
        """Return how much two poses are one, 0 to 1.

        Object keypoint similarity (COCO) of one to the other, on the area of the larger box; a joint counts as much as
        the less sure of both poses says. Only joints that the pose of the larger box has in the smaller one count:
        what a box around half a person leaves out, an estimator makes up. 0 where fewer than `SEEN` joints are there.
        """
        large, small = sorted((first, second), key=lambda one: float(one.box[2] * one.box[3]), reverse=True)
        weight = np.minimum(first.confidence, second.confidence).astype(np.float64)
        away = ((first.xy - second.xy).astype(np.float64) ** 2).sum(axis=1)
        weight = np.where(np.isfinite(away) & _within(large.xy, small.box), weight, 0.0)
        if (weight > 0).sum() < SEEN:
            return 0.0
        area = max(float(large.box[2] * large.box[3]), 1.0)
        near = np.exp(-np.nan_to_num(away) / (self._falloff * area))
        return float((weight * near).sum() / weight.sum())

    def overlaps(self) -> list[Overlap]:
        """Return the pairs of people who share a frame; `kept` is the one of more frames, and more sure ones."""
        found: list[Overlap] = []
        for (first, second), counts in sorted(self._pairs.items()):
            kept, other = (first, second) if self._rank(first) >= self._rank(second) else (second, first)
            shared, inside, alike = (int(count) for count in counts)
            frames = min(self._frames[first], self._frames[second])
            found.append(Overlap(kept, other, frames, shared, inside, alike))
        return found

    def doubles(self) -> dict[int, int]:
        """Return double -> the person whom it follows; nobody is both."""
        same: dict[int, int] = {}
        pairs = sorted((one for one in self.overlaps() if one.is_double), key=lambda one: self._rank(one.kept))
        for pair in reversed(pairs):
            if pair.other not in same:
                same[pair.other] = same.get(pair.kept, pair.kept)
        return same

    def doubtful(self) -> list[Overlap]:
        """Return those who may be one person, doubles among them: for the user to look at."""
        return [one for one in self.overlaps() if one.is_doubtful]

    def _rank(self, person: int) -> tuple[float, int]:
        return self._sure[person], -person


def _inside(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of the smaller of two xywh boxes that lies in the other."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[:2] + first[2:], second[:2] + second[2:])
    least = min(float(first[2] * first[3]), float(second[2] * second[3]))
    return float(np.prod(np.maximum(high - low, 0))) / max(least, 1e-9)


def _within(xy: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return which of (J, 2) joints lie in an xywh box or close beside it."""
    margin = MARGIN * max(float(box[2]), float(box[3]))
    low, high = box[:2] - margin, box[:2] + box[2:] + margin
    return np.all((xy >= low) & (xy <= high), axis=1)
