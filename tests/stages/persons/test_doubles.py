"""Doubles by boxes and poses over time; every path is made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emc.pose.records import Prediction
from emc.pose.skeletons import COCO17
from emc.stages.persons import PersonPairs

FRAMES = 20
STANDING = np.array(
    [[50, 10], [53, 7], [47, 7], [57, 9], [43, 9], [65, 35], [35, 35], [70, 65], [30, 65], [72, 95], [28, 95]]
    + [[60, 100], [40, 100], [61, 150], [39, 150], [62, 195], [38, 195]],
    dtype=np.float32,
)


def person(number: int, frame: int, x: float = 0.0, sure: float = 0.8, box=(20.0, 0.0, 60.0, 200.0), xy=STANDING):
    """Return a standing person moved by `x` pixels, box and all."""
    confidence = np.full(17, sure, dtype=np.float32)
    placed = (xy + np.array([x, 0])).astype(np.float32)
    return Prediction(frame, number, placed, confidence, confidence, np.array(box) + (x, 0, 0, 0))


def pairs_of(*people: list[Prediction]) -> PersonPairs:
    pairs = PersonPairs(COCO17)
    pairs.add_all(sorted((one for of_person in people for one in of_person), key=lambda one: (one.frame, one.person)))
    return pairs


def test_a_box_around_the_upper_body_that_follows_its_person_is_a_double() -> None:
    # The estimator makes up legs within the upper body's box: 100 pixels off, and not counted.
    made_up = STANDING.copy()
    made_up[11:, 1] -= 60
    whole = [person(0, f) for f in range(FRAMES)]
    half = [person(1, f, sure=0.6, box=(20.0, 0.0, 60.0, 98.0), xy=made_up) for f in range(FRAMES)]
    pairs = pairs_of(whole, half)
    assert pairs.doubles() == {1: 0}
    (overlap,) = pairs.overlaps()
    assert (overlap.frames, overlap.shared, overlap.inside, overlap.alike) == (FRAMES, FRAMES, FRAMES, FRAMES)


def test_of_two_doubles_the_surer_one_on_more_frames_stays() -> None:
    short = [person(0, f) for f in range(10)]
    long = [person(4, f, x=3) for f in range(FRAMES)]
    weak = [person(7, f, sure=0.2) for f in range(FRAMES)]
    assert pairs_of(short, long, weak).doubles() == {0: 4, 7: 4}


def test_two_people_who_cross_stay_two() -> None:
    # 4 pixels a frame towards one another: on frames 8 to 12 they are within 16 pixels, under 0.3 of their width.
    left = [person(0, f, x=4.0 * f - 40) for f in range(FRAMES)]
    right = [person(1, f, x=40 - 4.0 * f) for f in range(FRAMES)]
    (overlap,) = pairs_of(left, right).overlaps()
    assert (overlap.inside, overlap.alike) == (5, 3)
    assert pairs_of(left, right).doubles() == {}
    assert pairs_of(left, right).doubtful() == []


def test_two_people_in_one_another_s_boxes_with_poses_of_their_own_stay_two_and_are_told_of() -> None:
    child = STANDING * 0.5 + np.array([25, 95])
    adult = [person(0, f) for f in range(FRAMES)]
    before = [person(1, f, box=(35.0, 95.0, 30.0, 100.0), xy=child) for f in range(FRAMES)]
    pairs = pairs_of(adult, before)
    assert pairs.doubles() == {}
    assert [(one.kept, one.other, one.inside) for one in pairs.doubtful()] == [(0, 1, FRAMES)]


def test_a_couple_who_come_apart_on_a_fifth_of_the_frames_stay_two() -> None:
    one = [person(0, f) for f in range(FRAMES)]
    other = [person(1, f, x=45.0 if f % 5 == 0 else 4.0) for f in range(FRAMES)]
    assert pairs_of(one, other).doubles() == {}
    assert len(pairs_of(one, other).doubtful()) == 1


def test_a_number_that_is_handed_on_is_left_to_the_user() -> None:
    first = [person(0, f) for f in range(12)]
    second = [person(1, f) for f in range(6, FRAMES)]
    pairs = pairs_of(first, second)
    assert pairs.doubles() == {}
    assert [(one.kept, one.other) for one in pairs.doubtful()] == [(1, 0)]


@pytest.mark.parametrize("frames", [1, 4])
def test_on_a_few_frames_nothing_is_said(frames: int) -> None:
    pairs = pairs_of([person(0, f) for f in range(frames)], [person(1, f) for f in range(frames)])
    assert pairs.doubles() == {}
    assert pairs.doubtful() == []


def test_similarity_is_coco_s_formula_on_the_joints_in_both_boxes() -> None:
    moved = STANDING.copy()
    moved[0] += (0, 26)
    first, second = person(0, 0), person(1, 0, xy=moved)
    sigma, area = 0.026, 60.0 * 200.0
    nose = np.exp(-(26**2) / (2 * area * (2 * sigma) ** 2))
    assert PersonPairs(COCO17).similarity(first, second) == pytest.approx((16 + nose) / 17, rel=1e-5)
    nowhere = person(1, 0, sure=0.0)
    assert PersonPairs(COCO17).similarity(first, nowhere) == 0.0
