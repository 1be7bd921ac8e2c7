from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.embedded_models import EMBEDDED

from emc.config import Settings, read_settings
from emc.errors import UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.pose.records import Ignored
from emc.workflow.calibration.checkpoint_scoring import (
    CheckpointScorer,
    choice_of,
    describe_row,
    ladder_entry,
    out_of_patience,
)
from emc.workflow.samples.rendered import ClipRequest, sparse_samples
from emc.workflow.scoring import score_samples


@pytest.fixture(scope="module")
def judge() -> CheckpointScorer:
    settings = read_settings(None, EMBEDDED, calibrate={"budget": 0.5, "certainty": 0.6}, evaluate={"bootstrap": 50})
    target, common = (sparse_samples(ClipRequest(motion, seed, 6)) for motion, seed in (("side_kick", 1), ("walk", 2)))
    return CheckpointScorer.of_base(NanoEstimator(), target, common, settings)


def test_the_base_compared_with_itself_has_changed_nothing(judge: CheckpointScorer) -> None:
    base = {name: value.clone() for name, value in judge.estimator.module.state_dict().items()}
    row = judge.row(7, {0.5: base, 1.0: base})
    assert (row["step"], row["share"], row["kept"]) == (7, 1.0, 1.0)
    assert row["change"]["common_total_change"]["value"] == 0.0
    assert [told["share"] for told in row["shares"]] == [1.0]
    assert row["validation"] == judge.base_row()["validation"]
    assert choice_of([judge.base_row(), row], judge.settings).step == 0  # nothing is better
    assert "within the margin with a probability of 100%" in describe_row(row)


def test_ruined_weights_are_refused_and_the_share_nearest_to_the_base_is_shown(judge: CheckpointScorer) -> None:
    base = {name: value.clone() for name, value in judge.estimator.module.state_dict().items()}
    ruined = {name: torch.zeros_like(value) if "head" in name else value for name, value in base.items()}
    worse = {name: base[name].lerp(ruined[name], 0.9) if "head" in name else value for name, value in base.items()}
    row = judge.row(3, {0.9: worse, 1.0: ruined})
    assert row["share"] == 0.9
    assert row["kept"] < 0.6
    choice = choice_of([judge.base_row(), row], judge.settings)
    assert (choice.step, choice.trusted) == (0, False)
    assert "probability of at least 60%" in choice.rule


def test_the_boundary_is_found_by_bisection(judge: CheckpointScorer) -> None:
    base = {name: value.clone() for name, value in judge.estimator.module.state_dict().items()}
    ruined = {name: torch.zeros_like(value) if "head" in name else value for name, value in base.items()}
    shares = (0.01, 0.02, 0.03, 0.04, 0.05, 0.9, 1.0)
    row = judge.row(3, {share: base if share < 0.045 else ruined for share in shares})
    assert [told["share"] for told in row["shares"]] == [0.04, 0.05, 0.9]  # the middle, its upper half, its lower half
    assert [told["kept"] >= 0.6 for told in row["shares"]] == [True, False, False]
    assert row["share"] == 0.04


def test_without_common_data_the_target_alone_decides(judge: CheckpointScorer) -> None:
    alone = CheckpointScorer.of_base(judge.estimator, judge.target, [], judge.settings)
    row = alone.row(1, {1.0: {k: v.clone() for k, v in judge.estimator.module.state_dict().items()}})
    assert "kept" not in row
    assert ladder_entry(row).kept is None


def guarded(judge: CheckpointScorer, guard: str) -> CheckpointScorer:
    options = judge.settings.calibrate.model_copy(update={"guard": guard})
    return replace(judge, settings=judge.settings.model_copy(update={"calibrate": options}))


def test_the_budget_may_guard_ap_as_well(judge: CheckpointScorer) -> None:
    base = {name: value.clone() for name, value in judge.estimator.module.state_dict().items()}
    ruined = {name: torch.zeros_like(value) if "head" in name else value for name, value in base.items()}
    both = guarded(judge, "both")
    row = both.row(3, {1.0: ruined})
    assert row["kept"] == min(row["kept_by"].values())
    assert set(row["kept_by"]) == {"pckh", "ap"}
    assert choice_of([both.base_row(), row], both.settings).rule.endswith("the fall of PCKh and that of OKS-AP, each")
    alone = guarded(judge, "ap").row(3, {1.0: base})
    assert alone["kept_by"] == {"ap": 1.0}
    assert "kept_by" not in judge.row(3, {1.0: base})


def test_ap_cannot_be_guarded_where_nobody_has_one(judge: CheckpointScorer) -> None:
    # A skeleton's own joints have no OKS sigmas: here the persons are of no known size.
    unknown = [replace(sample, area=float("nan")) for sample in judge.common]
    with pytest.raises(UsageError, match=r"calibrate\.guard = 'ap' needs AP"):
        CheckpointScorer.of_base(judge.estimator, judge.target, unknown, guarded(judge, "ap").settings)


def test_crowds_are_ignored_as_elsewhere(judge: CheckpointScorer) -> None:
    everywhere = [Ignored(s.clip, s.frame, (0.0, 0.0, 10_000.0, 10_000.0), crowd=True) for s in judge.common]
    scorer = CheckpointScorer.of_base(judge.estimator, judge.target, judge.common, judge.settings, everywhere)
    alone = score_samples(judge.estimator, judge.common, judge.settings.evaluate, everywhere)
    assert alone is not None and scorer.base.common is not None and judge.base.common is not None
    assert scorer.base.common.document == alone.document
    assert scorer.base.common.document["ap"]["value"] > judge.base.common.document["ap"]["value"], (
        "a miss falls to the crowd"
    )
    row = scorer.row(1, {1.0: {k: v.clone() for k, v in judge.estimator.module.state_dict().items()}})
    assert row["validation"] == scorer.base_row()["validation"]


def rows_of(*legs: float) -> list[dict[str, Any]]:
    """A ladder with the base first; every checkpoint keeps the common score."""
    figure = {"value": 0.7, "ci95": [0.6, 0.8], "n": 100}
    return [
        {
            "step": step,
            "kept": 1.0,
            "validation": {
                "target": {"pckh": {"leg": figure | {"value": leg}, "total": figure}},
                "common": {"pckh": {"total": figure}},
            },
        }
        for step, leg in enumerate(legs)
    ]


def patient(checkpoints: int) -> Settings:
    return read_settings(None, EMBEDDED, calibrate={"patience": checkpoints})


def test_patience_ends_when_the_last_checkpoints_brought_nothing() -> None:
    assert not out_of_patience(rows_of(0.5, 0.6, 0.7, 0.65), patient(2))
    assert out_of_patience(rows_of(0.5, 0.6, 0.7, 0.65, 0.7), patient(2))
    assert not out_of_patience(rows_of(0.5, 0.6, 0.7, 0.65, 0.71), patient(2))
    # Not even better than the base: that counts as nothing too.
    assert out_of_patience(rows_of(0.5, 0.4, 0.45), patient(2))


def test_without_patience_nothing_ends() -> None:
    assert not out_of_patience(rows_of(0.5, 0.4, 0.4, 0.4, 0.4), patient(0))
    assert not out_of_patience(rows_of(0.5), patient(1))
