"""Numbers stay those of the run before; boxes are made by hand."""

from __future__ import annotations

import numpy as np

from emc.pose.records import Prediction
from emc.stages.persons import kept_numbers


def run(**people: tuple[int, int, float]) -> list[Prediction]:
    """Return predictions by frame: p<number>=(first frame, last frame, x) stands 10 x 20 pixels at x."""
    none = np.zeros(1, np.float32)
    rows = [
        Prediction(frame, int(name[1:]), np.zeros((1, 2), np.float32), none, none, np.array([x, 0, 10, 20.0]))
        for name, (first, last, x) in people.items()
        for frame in range(first, last + 1)
    ]
    return sorted(rows, key=lambda one: (one.frame, one.person))


def test_people_found_in_another_order_keep_their_numbers() -> None:
    before = run(p0=(0, 9, 0.0), p1=(0, 9, 50.0))
    assert kept_numbers(before, run(p0=(0, 9, 51.0), p1=(0, 9, 1.0))) == {0: 1, 1: 0}
    assert kept_numbers(before, run(p0=(0, 9, 1.0), p1=(0, 9, 51.0))) == {}


def test_somebody_new_never_gets_the_number_of_somebody_of_before_or_of_an_edit() -> None:
    before = run(p0=(0, 9, 0.0), p2=(0, 9, 50.0))
    now = run(p0=(0, 9, 100.0), p1=(0, 9, 0.0), p3=(0, 9, 150.0))
    assert kept_numbers(before, now, taken=[3, 7]) == {1: 0, 0: 8, 3: 9}


def test_who_meets_for_a_moment_is_not_one_person() -> None:
    assert kept_numbers(run(p0=(0, 9, 0.0)), run(p4=(8, 30, 0.0))) == {}
    assert kept_numbers(run(p0=(0, 9, 0.0)), run(p4=(5, 30, 0.0))) == {4: 0}
    assert kept_numbers([], run(p0=(0, 3, 0.0))) == {}
