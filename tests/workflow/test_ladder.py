from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emc.config import read_settings
from emc.errors import StorageError
from emc.estimators.nano import NanoEstimator
from emc.pose.records import Sample
from emc.workflow.files import read_json
from emc.workflow.ladder import Populations, candidates, run_ladder
from emc.workflow.progress import Silent
from emc.workflow.rendered import ClipOrder, sparse_samples

FEW = {"steps": 4, "batch": 4, "ladder": 2, "save_every": 1}


@pytest.fixture(scope="module")
def data() -> Populations:
    def people(motion: str, seed: int) -> list[Sample]:
        return sparse_samples(ClipOrder(motion, seed, 3))

    return Populations(people("side_kick", 1), people("walk", 2), people("side_kick", 3), people("walk", 4))


def test_candidates_lie_between_base_and_tuned() -> None:
    base = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor(3)}
    tuned = {"w": torch.tensor([1.0, 4.0]), "n": torch.tensor(5)}
    found = candidates(base, tuned, read_settings(None, {}, calibrate={"shares": (0.5, 0.25)}))
    assert list(found) == [0.25, 0.5]
    assert found[0.5]["w"].tolist() == [0.5, 3.0]
    assert found[0.25]["n"].item() == 5
    scratch = candidates(base, tuned, read_settings(None, {}, calibrate={"strategy": "initial"}))
    assert list(scratch) == [1.0]
    assert scratch[1.0]["w"].tolist() == [1.0, 4.0]


def test_a_stopped_ladder_goes_on_to_the_same_numbers(data: Populations, tmp_path: Path) -> None:
    settings = read_settings(None, {}, calibrate=FEW, evaluate={"bootstrap": 10})
    whole = run_ladder(NanoEstimator(), data, settings, tmp_path / "whole", Silent())

    class Stop(Silent):
        def advance(self, steps: int = 1, note: str = "") -> None:
            if note.startswith("loss"):
                self.left = getattr(self, "left", 3) - 1
                if self.left == 0:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_ladder(NanoEstimator(), data, settings, tmp_path / "stopped", Stop())
    assert (tmp_path / "stopped" / "state.pt").is_file()
    resumed = run_ladder(NanoEstimator(), data, settings, tmp_path / "stopped", Silent())
    assert resumed["ladder"] == whole["ladder"]
    assert [row[0] for row in whole["loss"]] == [1, 2, 3, 4]
    assert resumed["loss"] == whole["loss"]
    assert not (tmp_path / "stopped" / "state.pt").exists()
    assert run_ladder(NanoEstimator(), data, settings, tmp_path / "stopped", Silent()) == resumed


def test_a_stop_between_ladder_and_resume_point_loses_neither_losses_nor_checkpoints(
    data: Populations, tmp_path: Path
) -> None:
    settings = read_settings(None, {}, calibrate=FEW, evaluate={"bootstrap": 10})
    whole = run_ladder(NanoEstimator(), data, settings, tmp_path / "whole", Silent())
    stopped = tmp_path / "stopped"
    (stopped / "state.pt.part").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"state\.pt"):
        run_ladder(NanoEstimator(), data, settings, stopped, Silent())
    assert [row[0] for row in (read_json(stopped / "ladder.json") or {})["loss"]] == [1]
    (stopped / "state.pt.part").rmdir()

    class StopAtTheSecondResumePoint(Silent):
        def advance(self, steps: int = 1, note: str = "") -> None:
            if (stopped / "state.pt").is_file():
                (stopped / "state.pt.part").mkdir(exist_ok=True)

    with pytest.raises(StorageError, match=r"state\.pt"):
        run_ladder(NanoEstimator(), data, settings, stopped, StopAtTheSecondResumePoint())
    assert [row["step"] for row in (read_json(stopped / "ladder.json") or {})["ladder"]] == [0, 2]
    (stopped / "state.pt.part").rmdir()
    resumed = run_ladder(NanoEstimator(), data, settings, stopped, Silent())
    assert resumed["loss"] == whole["loss"]
    assert resumed["ladder"] == whole["ladder"]


def test_saved_models_are_those_that_were_scored(data: Populations, tmp_path: Path) -> None:
    settings = read_settings(None, {}, calibrate=FEW | {"budget": 100.0, "shares": (0.5,)}, evaluate={"bootstrap": 0})
    ladder = run_ladder(NanoEstimator(), data, settings, tmp_path, Silent())
    assert [row["step"] for row in ladder["ladder"]] == [0, 2, 4]
    chosen = NanoEstimator(tmp_path / "chosen").module.state_dict()
    step = ladder["chosen"]["step"]
    expected = NanoEstimator(tmp_path / f"step_{step}" if step else None).module.state_dict()
    for name, value in chosen.items():
        np.testing.assert_array_equal(value.numpy(), expected[name].numpy())
