"""Groups stay balanced, and everybody does both methods on both clips."""

from __future__ import annotations

from collections import Counter

import pytest

from emc.study.plan.crossover import Cell, Method, next_cell, steps_of


@pytest.mark.parametrize("seed", range(5))
def test_assignment_is_balanced_at_every_moment(seed: int):
    taken: list[Cell] = []
    for _ in range(12):
        taken.append(next_cell(taken, seed))
        groups = Counter(cell.sequence for cell in taken)
        assert abs(groups["AB"] - groups["BA"]) <= 1
    assert Counter(taken) == {Cell(s, c): 3 for s in ("AB", "BA") for c in ("12", "21")}


def test_who_withdraws_is_replaced_in_the_same_cell():
    three = [Cell("AB", "12"), Cell("BA", "21"), Cell("BA", "12")]
    assert next_cell(three, 0) == Cell("AB", "21")


def test_first_group_is_drawn_and_the_draw_depends_on_the_seed_alone():
    first = {next_cell([], seed) for seed in range(40)}
    assert first == {Cell(s, c) for s in ("AB", "BA") for c in ("12", "21")}
    assert next_cell([], 3) == next_cell([], 3)


def test_steps_of_group_ba_with_clips_changed():
    steps = steps_of(Cell("BA", "21"))
    assert [step.kind for step in steps] == [
        "consent", "training", "trial", "tlx", "training", "trial", "tlx", "comment", "done",
    ]  # fmt: skip
    trials = [(step.period, step.method, step.clip) for step in steps if step.kind == "trial"]
    assert trials == [(1, Method.EDITOR, 1), (2, Method.CLASSIC, 0)]
    assert [step.clip for step in steps if step.kind == "training"] == [-1, -1]
