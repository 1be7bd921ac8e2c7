from __future__ import annotations

import pytest
import torch

from emc.config import read_settings
from emc.estimators.nano import NanoEstimator
from emc.workflow.judging import Judge, choice_of, describe_row, entry_of
from emc.workflow.rendered import ClipOrder, sparse_samples


@pytest.fixture(scope="module")
def judge() -> Judge:
    settings = read_settings(None, {}, calibrate={"budget": 0.5, "certainty": 0.6}, evaluate={"bootstrap": 50})
    target, common = (sparse_samples(ClipOrder(motion, seed, 6)) for motion, seed in (("side_kick", 1), ("walk", 2)))
    return Judge.of_base(NanoEstimator(), target, common, settings)


def test_the_base_compared_with_itself_has_changed_nothing(judge: Judge) -> None:
    base = {name: value.clone() for name, value in judge.estimator.module.state_dict().items()}
    row = judge.row(7, {0.5: base, 1.0: base})
    assert (row["step"], row["share"], row["kept"]) == (7, 1.0, 1.0)
    assert row["change"]["common_total_change"]["value"] == 0.0
    assert [told["share"] for told in row["shares"]] == [1.0]
    assert row["validation"] == judge.base_row()["validation"]
    assert choice_of([judge.base_row(), row], judge.settings).step == 0  # nothing is better
    assert "kept with a chance of 100%" in describe_row(row)


def test_ruined_weights_are_refused_and_the_share_nearest_to_the_base_is_shown(judge: Judge) -> None:
    base = {name: value.clone() for name, value in judge.estimator.module.state_dict().items()}
    ruined = {name: torch.zeros_like(value) if "head" in name else value for name, value in base.items()}
    worse = {name: base[name].lerp(ruined[name], 0.9) if "head" in name else value for name, value in base.items()}
    row = judge.row(3, {0.9: worse, 1.0: ruined})
    assert row["share"] == 0.9
    assert row["kept"] < 0.6
    choice = choice_of([judge.base_row(), row], judge.settings)
    assert (choice.step, choice.trusted) == (0, False)
    assert "chance of at least 60%" in choice.rule


def test_the_boundary_is_found_by_bisection(judge: Judge) -> None:
    base = {name: value.clone() for name, value in judge.estimator.module.state_dict().items()}
    ruined = {name: torch.zeros_like(value) if "head" in name else value for name, value in base.items()}
    shares = (0.01, 0.02, 0.03, 0.04, 0.05, 0.9, 1.0)
    row = judge.row(3, {share: base if share < 0.045 else ruined for share in shares})
    assert [told["share"] for told in row["shares"]] == [0.04, 0.05, 0.9]  # the middle, its upper half, its lower half
    assert [told["kept"] >= 0.6 for told in row["shares"]] == [True, False, False]
    assert row["share"] == 0.04


def test_without_common_data_the_target_alone_decides(judge: Judge) -> None:
    alone = Judge.of_base(judge.estimator, judge.target, [], judge.settings)
    row = alone.row(1, {1.0: {k: v.clone() for k, v in judge.estimator.module.state_dict().items()}})
    assert "kept" not in row
    assert entry_of(row).kept is None
