"""The mixed model finds what a simulation put in, and is the textbook's estimate where that is defined."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emc.study.analysis.mixed_model import fit_crossover
from emc.study.analysis.tables import TrialRow
from emc.study.plan.crossover import CLIP_ORDERS, SEQUENCES, Cell, next_cell


def trial(person: int, cell: Cell, period: int, seconds: float) -> TrialRow:
    method = SEQUENCES[cell.sequence][period - 1]
    clip = f"clip{CLIP_ORDERS[cell.clips][period - 1]}"
    return TrialRow(
        f"P{person:02d}", cell.sequence, period, str(method), clip, 90, seconds, 0, 0, 9, 0, 1.0, 1.0, 1.0, 50.0, True
    )


def simulated(
    people: int, ratio: float, seed: int, *, clip: float = 0.0, balanced_clips: bool = True
) -> list[TrialRow]:
    rng = np.random.default_rng(seed)
    cells: list[Cell] = []
    rows: list[TrialRow] = []
    for person in range(people):
        cells.append(next_cell(cells, seed) if balanced_clips else Cell(("AB", "BA")[person % 2], "12"))
        own = rng.normal(6.0, 0.5)
        for period in (1, 2):
            row = trial(person, cells[-1], period, 1.0)
            log = own + rng.normal(0, 0.3) + math.log(ratio) * (row.method == "classic") - 0.2 * (period == 2)
            rows.append(trial(person, cells[-1], period, math.exp(log + clip * (row.clip == "clip1"))))
    return rows


def test_a_simulated_threefold_difference_is_found_with_its_spreads():
    fit = fit_crossover(simulated(200, 3.0, 3, clip=0.3))
    assert fit is not None and fit.ratio.ci95 is not None and fit.clip is not None and fit.period is not None
    assert fit.ratio.value == pytest.approx(3.0, rel=0.08)
    assert fit.ratio.ci95[0] < 3.0 < fit.ratio.ci95[1]
    assert fit.ratio.p is not None and fit.ratio.p < 1e-6
    assert fit.period.value == pytest.approx(math.exp(-0.2), rel=0.08)
    assert fit.clip.value == pytest.approx(math.exp(0.3), rel=0.08)
    assert fit.within == pytest.approx(0.3, rel=0.12)
    assert fit.between == pytest.approx(0.5, rel=0.15)
    assert fit.degrees == 197


def test_no_difference_is_not_called_one():
    fit = fit_crossover(simulated(60, 1.0, 5))
    assert fit is not None and fit.ratio.ci95 is not None and fit.ratio.p is not None
    assert fit.ratio.ci95[0] < 1.0 < fit.ratio.ci95[1]
    assert fit.ratio.p > 0.05


def test_with_one_order_of_clips_it_is_half_the_sum_of_the_groups_mean_differences():
    # Log times by hand: AB 2.0 1.0 | 2.4 1.2 | 1.8 0.9; BA 1.1 2.3 | 0.8 2.1 | 1.0 1.9 (second minus first period).
    ab, ba = [(2.0, 1.0), (2.4, 1.2), (1.8, 0.9)], [(1.1, 2.3), (0.8, 2.1), (1.0, 1.9)]
    rows = [
        trial(person, Cell(group, "12"), period, math.exp(log))
        for person, (group, logs) in enumerate([*(("AB", x) for x in ab), *(("BA", x) for x in ba)])
        for period, log in enumerate(logs, start=1)
    ]
    fit = fit_crossover(rows)
    # Mean differences classic - editor: AB (1.0 + 1.2 + 0.9) / 3, BA (1.2 + 1.3 + 0.9) / 3; half their sum 1.08333.
    assert fit is not None and fit.clip is None and fit.ratio.ci95 is not None
    assert math.log(fit.ratio.value) == pytest.approx(1.083333, abs=1e-4)
    assert fit.degrees == 4
    # Pooled variance of the differences (0.046667 + 0.086667) / 4 = 0.033333; error sqrt(0.033333 x 2 / 3) / 2 =
    # 0.0745356; Student's t with 4 degrees of freedom 2.776445: half width 0.206944.
    assert math.log(fit.ratio.ci95[1]) - math.log(fit.ratio.value) == pytest.approx(0.206944, abs=2e-3)


def test_two_people_give_a_ratio_without_an_interval():
    fit = fit_crossover(simulated(2, 3.0, 1))
    assert fit is not None
    assert fit.ratio.ci95 is None and fit.ratio.p is None
    assert "2 people are too few" in fit.note


def test_one_method_alone_gives_nothing():
    assert fit_crossover([row for row in simulated(6, 3.0, 1) if row.method == "editor"]) is None
    assert fit_crossover([]) is None


def test_who_finished_one_method_alone_counts_too():
    rows = simulated(12, 3.0, 3)[:-1]
    fit = fit_crossover(rows)
    assert fit is not None and fit.ratio.ci95 is not None
    assert (fit.people, fit.trials) == (12, 23)
    assert fit.ratio.ci95[0] < 3.0 < fit.ratio.ci95[1]
