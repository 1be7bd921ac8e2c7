from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

import emc.plugins as plugins
from emc.config import read_settings
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.rotation.trainable import TrainableRotationEnsemble
from emc.pose.records import Sample
from emc.workflow.calibration.checkpoint_scoring import CheckpointScorer
from emc.workflow.calibration.data import Populations
from emc.workflow.calibration.ladder import run_ladder
from emc.workflow.calibration.rotation import try_rotations
from emc.workflow.progress import Silent
from emc.workflow.samples.rendered import ClipRequest, sparse_samples

FEW = {"steps": 2, "batch": 4, "ladder": 1, "ensemble_rotations": 4, "shares": (0.1, 1.0), "certainty": 0.5}


def on_the_head(sample: Sample) -> Sample:
    height, width = sample.image.shape[:2]
    x, y, w, h = sample.box
    return replace(
        sample,
        image=np.ascontiguousarray(sample.image[::-1, ::-1]),
        xy=(np.array([width - 1, height - 1]) - sample.xy).astype(np.float32),
        box=np.array([width - 1 - x - w, height - 1 - y - h, w, h], np.float32),
    )


def people(seed: int, clips: int) -> list[Sample]:
    """One person each of several clips, so that there are intervals."""
    return [sparse_samples(ClipRequest("walk", seed + i, 1))[0] for i in range(clips)]


@pytest.fixture(scope="module")
def walkers() -> list[Sample]:
    return people(100, 8)


def test_rotations_are_used_for_people_on_their_heads_and_not_for_people_who_stand(walkers: list[Sample]) -> None:
    settings = read_settings(None, EMBEDDED, calibrate=FEW, evaluate={"bootstrap": 100})
    base = NanoEstimator()
    heads = [on_the_head(sample) for sample in walkers]
    taken = try_rotations(base, CheckpointScorer.of_base(base, heads, walkers, settings))
    assert taken["taken"] == 4
    assert taken["removed"]["value"] > 0.5
    assert "nothing trained" in taken["why"]
    left = try_rotations(base, CheckpointScorer.of_base(base, walkers, walkers, settings))
    assert left["taken"] == 1
    assert left["tried"] == 4
    assert "of the errors" in left["why"]


@pytest.mark.parametrize("asked", [{"ensemble_rotations": 1}, {"strategy": "finetune"}, {"strategy": "initial"}])
def test_rotations_are_asked_for(walkers: list[Sample], asked: dict[str, object]) -> None:
    settings = read_settings(None, EMBEDDED, calibrate={**FEW, **asked}, evaluate={"bootstrap": 10})
    base = NanoEstimator()
    assert try_rotations(base, CheckpointScorer.of_base(base, walkers[:2], [], settings)) == {
        "taken": 1,
        "why": "not asked for",
    }


def test_a_ladder_with_rotations_keeps_the_base_with_them_as_a_candidate(walkers: list[Sample], tmp_path: Path) -> None:
    settings = read_settings(None, EMBEDDED, calibrate={**FEW, "lr": 0.05}, evaluate={"bootstrap": 50})
    heads = [on_the_head(sample) for sample in walkers]
    data = Populations(heads[:4], walkers[:4], heads, walkers)
    ladder = run_ladder(NanoEstimator(), data, settings, tmp_path, Silent())
    assert ladder["rotations"]["taken"] == 4
    row = ladder["ladder"][1]
    assert [row["share"] for row in row["shares"]][0] == 0.0  # such a rate ruins the rest
    assert row["share"] == 0.0
    assert ladder["chosen"]["step"] == 2
    assert "base weights; prediction uses a rotation ensemble of 4 rotations" in ladder["chosen"]["why"]
    chosen = plugins.estimator_for(str(tmp_path / "chosen"))
    assert isinstance(chosen, TrainableRotationEnsemble)
    own, base = chosen.module.state_dict(), NanoEstimator().module.state_dict()
    assert all(bool((own[name] == base[name]).all()) for name in base)
    # The base is measured without an ensemble.
    assert ladder["ladder"][0]["target"] == ladder["ladder"][0]["validation"]["target"]
