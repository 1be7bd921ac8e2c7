from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from tests.estimators.openpose.paf_fields import LIMBS, crowd, ideal_fields, ideal_maps

from emc.errors import ShapeMismatch
from emc.estimators.openpose.grouping import Grouping, find_peaks, group_persons, pair_scores

SIZE = (24, 32)
CHAIN = ((0, 1), (1, 2))


def bar(x: float, y: float, step: float = 5.0) -> np.ndarray:
    """Three joints in a row, from left to right."""
    return np.array([[x, y], [x + step, y], [x + 2 * step, y]])


def grouped(people: list[np.ndarray], limbs=CHAIN, how: Grouping | None = None):  # noqa: ANN001, ANN201
    joints = len(people[0])
    return group_persons(ideal_maps(people, joints, SIZE), ideal_fields(people, limbs, SIZE), limbs, how)


def test_peaks_are_found_below_the_size_of_a_cell() -> None:
    (peak,) = find_peaks(ideal_maps([np.array([[10.3, 7.8]])], 1, SIZE)[0], 0.1)
    assert peak[:2] == pytest.approx([10.3, 7.8], abs=1e-3)
    assert peak[2] == pytest.approx(np.exp(-(0.3**2 + 0.2**2) / 2), abs=1e-6)


def test_peaks_at_the_edge_and_on_a_plateau() -> None:
    flat = np.zeros(SIZE, np.float32)
    flat[0, 0] = 0.5
    flat[9:11, 4:6] = 0.7
    found = find_peaks(flat, 0.1)
    assert found[:, 2] == pytest.approx([0.7, 0.5])
    assert found[1, :2].tolist() == [0, 0]
    assert len(find_peaks(np.zeros(SIZE, np.float32), 0.1)) == 0


def test_the_field_along_a_pair_is_what_counts() -> None:
    field = np.zeros((2, *SIZE))
    field[0, 10] = 1.0
    left, right = np.array([[4.0, 10.0, 1.0]]), np.array([[12.0, 10.0, 1.0]])
    assert pair_scores(left, right, field, Grouping())[0, 0] == pytest.approx(1.0)
    # Against the field, across it, and at the same place there is no limb.
    assert pair_scores(right, left, field, Grouping())[0, 0] == -np.inf
    low = np.array([[4.0, 18.0, 1.0]])
    assert pair_scores(left, low, field, Grouping())[0, 0] == -np.inf
    assert pair_scores(left, left, field, Grouping())[0, 0] == -np.inf
    # A limb as long as the map loses 1 - 0.5: 31 of 32 cells, half of 32 allowed.
    far = np.array([[31.0, 10.0, 1.0]])
    near = np.array([[0.0, 10.0, 1.0]])
    assert pair_scores(near, far, field, Grouping())[0, 0] == pytest.approx(1.0 + 16 / 31 - 1)
    assert pair_scores(near[:0], far, field, Grouping()).shape == (0, 1)


def test_two_people_side_by_side() -> None:
    people = [bar(3, 5), bar(15, 16)]
    found = grouped(people)
    assert len(found) == 2
    first = min(found, key=lambda g: g.cells[0, 0])
    assert np.allclose(first.cells, people[0], atol=1e-2)
    assert np.all(first.score > 0.9)


def test_people_in_a_row_are_not_chained() -> None:
    # The second person begins right behind the first: the field between them is empty.
    found = grouped([bar(2, 10, 4), bar(16, 10, 4)])
    assert sorted(g.cells[:, 0].round(1).tolist() for g in found) == [[2, 6, 10], [16, 20, 24]]


def test_crossing_people_are_told_apart_by_direction() -> None:
    down = np.array([[10.0, 4.0], [10.0, 11.0], [10.0, 18.0]])
    across = np.array([[4.0, 13.0], [12.0, 13.0], [20.0, 13.0]])
    found = grouped([down, across])
    assert len(found) == 2
    for truth in (down, across):
        assert min(np.abs(g.cells - truth).max() for g in found) < 0.1


def test_a_missing_joint_stays_missing_and_a_lost_limb_parts_the_person() -> None:
    person = bar(4, 9)
    person[2] = np.nan
    assert grouped([person]) == []
    (found,) = grouped([person], how=Grouping(joints=2))
    assert np.isnan(found.cells[2]).all()
    assert found.score[2] == 0


def test_a_limb_that_closes_a_loop_cannot_glue_people_together() -> None:
    people = [bar(3, 5), bar(3, 12)]
    limbs = (*CHAIN, (0, 2))
    fields = ideal_fields(people, limbs, SIZE)
    # A false field leads from the upper person's first joint to the lower one's last.
    fields[2] = ideal_fields([np.array([people[0][0], people[0][1], people[1][2]])], limbs, SIZE)[2] * 0.9
    found = group_persons(ideal_maps(people, 3, SIZE), fields, limbs)
    assert sorted(float(g.cells[2, 1]) for g in found) == pytest.approx([5, 12], abs=0.01)
    assert all(np.ptp(g.cells[:, 1]) < 0.01 for g in found)


def test_shapes_must_fit() -> None:
    with pytest.raises(ShapeMismatch, match="2 limbs"):
        group_persons(np.zeros((3, 8, 8)), np.zeros((1, 2, 8, 8)), CHAIN)


def scored(seed: int, groups: int, noise: float) -> tuple[int, int, int, int, int]:
    """Return persons, persons found, joints, joints in the right person within a cell, joints in a wrong one."""
    size = (60, 80)
    people = [(xy + 0.5) / 8 - 0.5 for xy in crowd(seed, groups=groups)]
    people = [cells for cells in people if np.isfinite(cells).all(axis=1).sum() >= 3]
    rng = np.random.default_rng(seed)
    maps, fields = ideal_maps(people, 18, size), ideal_fields(people, LIMBS, size)
    maps, fields = (m + rng.normal(0, noise, m.shape) for m in (maps, fields))
    found = group_persons(maps, fields, LIMBS)
    near = np.array([[(np.linalg.norm(g.cells - t, axis=1) < 1).sum() for t in people] for g in found])
    right = int(near[linear_sum_assignment(-near)].sum())
    joints = sum(int(np.isfinite(t).all(axis=1).sum()) for t in people)
    return len(people), len(found), joints, right, sum(int((g.score > 0).sum()) for g in found) - right


def test_rendered_crowds() -> None:
    persons, found, joints, right, wrong = np.sum([scored(seed, 1, 0.0) for seed in range(5)], axis=0)
    assert found == persons
    assert right >= 0.99 * joints
    assert wrong <= 0.005 * joints


def test_rendered_crowds_before_each_other_with_noise() -> None:
    persons, found, joints, right, wrong = np.sum([scored(seed, 2, 0.05) for seed in range(5)], axis=0)
    assert abs(int(found) - int(persons)) <= 1
    assert right >= 0.94 * joints
    assert wrong <= 0.03 * joints
