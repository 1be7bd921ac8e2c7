"""Numbers that stay: who of a new run is whom in the one before, so that what was said of a number holds for them."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from typing import cast

import numpy as np
from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

from emc.pose.geometry import box_overlap
from emc.pose.records import Prediction

SAME = 0.5
"""IoU of two boxes from which they show one person on a frame."""
MOSTLY = 0.5
"""Share of the frames of the one who is there for fewer on which both must be one."""


def kept_numbers(before: Iterable[Prediction], now: Iterable[Prediction], taken: Iterable[int] = ()) -> dict[int, int]:
    """Return number in the new run -> number to have, for those who must have another one.

    before, now : predictions by frame. Who has the boxes of somebody of the run before gets that number; who is new
    keeps their own unless somebody of the run before, or of `taken` (numbers that edits name), has it.
    """
    frames: dict[tuple[int, int], int] = defaultdict(int)
    together: dict[tuple[int, int], int] = defaultdict(int)
    both = heapq.merge(((0, one) for one in before), ((1, one) for one in now), key=lambda pair: pair[1].frame)
    for _, group in groupby(both, key=lambda pair: pair[1].frame):
        rows = list(group)
        old, new = ([one for run, one in rows if run == wanted] for wanted in (0, 1))
        for run, one in rows:
            frames[run, one.person] += 1
        for first, second in _same(old, new):
            together[first, second] += 1
    old_numbers, new_numbers = (sorted(person for run, person in frames if run == wanted) for wanted in (0, 1))
    numbers = _matched(old_numbers, new_numbers, frames, together)
    used = {*old_numbers, *taken}
    free = max([*used, *new_numbers, -1]) + 1
    for person in new_numbers:
        if person not in numbers and person in used:
            numbers[person] = free
            free += 1
    return {person: number for person, number in numbers.items() if person != number}


def _same(old: list[Prediction], new: list[Prediction]) -> list[tuple[int, int]]:
    """Return (old, new) numbers of those of one frame whose boxes are one."""
    if not old or not new:
        return []
    overlap = box_overlap(np.array([one.box for one in old]), np.array([one.box for one in new]))
    return [(old[row].person, new[column].person) for row, column in np.argwhere(overlap >= SAME).tolist()]


def _matched(
    old: list[int], new: list[int], frames: dict[tuple[int, int], int], together: dict[tuple[int, int], int]
) -> dict[int, int]:
    """Return new -> old number: the assignment with most frames in common."""
    table = np.array([[together.get((a, b), 0) for b in new] for a in old], dtype=np.float64).reshape(
        len(old), len(new)
    )
    found = optimize.linear_sum_assignment(-table)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    rows, columns = cast("tuple[np.ndarray, np.ndarray]", found)
    numbers: dict[int, int] = {}
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        fewer = min(frames[0, old[row]], frames[1, new[column]])
        if table[row, column] >= MOSTLY * fewer:
            numbers[new[column]] = old[row]
    return numbers
