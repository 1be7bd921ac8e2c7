from __future__ import annotations

import resource
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.errors import EmcError, StorageError, UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.pose.records import Sample
from emc.pose.skeletons.skeleton import COCO17
from emc.workflow.calibration.data import Populations
from emc.workflow.calibration.ladder import candidates, run_ladder, untrained
from emc.workflow.files import read_json
from emc.workflow.progress import Silent
from emc.workflow.samples.rendered import ClipRequest, sparse_samples

FEW = {"steps": 4, "batch": 4, "ladder": 2, "save_every": 1}


@pytest.fixture(scope="module")
def data() -> Populations:
    def people(motion: str, seed: int) -> list[Sample]:
        return sparse_samples(ClipRequest(motion, seed, 3))

    return Populations(people("side_kick", 1), people("walk", 2), people("side_kick", 3), people("walk", 4))


def test_candidates_lie_between_base_and_tuned() -> None:
    base = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor(3)}
    tuned = {"w": torch.tensor([1.0, 4.0]), "n": torch.tensor(5)}
    found = candidates(base, tuned, read_settings(None, EMBEDDED, calibrate={"shares": (0.5, 0.25)}))
    assert list(found) == [0.25, 0.5]
    assert found[0.5]["w"].tolist() == [0.5, 3.0]
    assert found[0.25]["n"].item() == 5
    scratch = candidates(base, tuned, read_settings(None, EMBEDDED, calibrate={"strategy": "initial"}))
    assert list(scratch) == [1.0]
    assert scratch[1.0]["w"].tolist() == [1.0, 4.0]


def test_a_stopped_ladder_goes_on_to_the_same_numbers(data: Populations, tmp_path: Path) -> None:
    settings = read_settings(None, EMBEDDED, calibrate=FEW, evaluate={"bootstrap": 10})
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
    settings = read_settings(None, EMBEDDED, calibrate=FEW, evaluate={"bootstrap": 10})
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
    settings = read_settings(
        None, EMBEDDED, calibrate=FEW | {"budget": 100.0, "shares": (0.5,)}, evaluate={"bootstrap": 0}
    )
    ladder = run_ladder(NanoEstimator(), data, settings, tmp_path, Silent())
    assert [row["step"] for row in ladder["ladder"]] == [0, 2, 4]
    chosen = NanoEstimator(tmp_path / "chosen").module.state_dict()
    step = ladder["chosen"]["step"]
    expected = NanoEstimator(tmp_path / f"step_{step}" if step else None).module.state_dict()
    for name, value in chosen.items():
        np.testing.assert_array_equal(value.numpy(), expected[name].numpy())


def test_from_scratch_means_the_same_architecture(tmp_path: Path) -> None:
    from emc.estimators.vitpose.variants import configuration

    config = configuration(hidden=48, layers=2, heads=3, simple_head=True, size=(64, 48))
    VitPoseEstimator.untrained(1, config).save(tmp_path)
    saved = VitPoseEstimator(tmp_path)
    settings = read_settings(None, EMBEDDED, calibrate={"strategy": "initial", "seed": 5})
    anew, same = untrained(saved, settings), untrained(saved, settings)
    shapes = {name: value.shape for name, value in anew.module.state_dict().items()}
    assert shapes == {name: value.shape for name, value in saved.module.state_dict().items()}
    name = next(name for name in shapes if "attention" in name and name.endswith("weight"))
    weights = anew.module.state_dict()[name]
    assert not torch.equal(weights, saved.module.state_dict()[name])
    assert torch.equal(weights, same.module.state_dict()[name])
    assert isinstance(untrained(NanoEstimator(), settings), NanoEstimator)


def test_patience_stops_the_ladder_and_a_second_call_knows(data: Populations, tmp_path: Path) -> None:
    # A learning rate too small to change a score: no checkpoint is better than the base.
    still = FEW | {"lr": 1e-12, "ladder": 4, "patience": 2, "shares": (1.0,), "ensemble_rotations": 1}
    settings = read_settings(None, EMBEDDED, calibrate=still, evaluate={"bootstrap": 10})
    stopped = run_ladder(NanoEstimator(), data, settings, tmp_path, Silent())
    assert stopped["stopped"] == {"step": 2, "of": 4, "patience": 2}
    assert [row["step"] for row in stopped["ladder"]] == [0, 1, 2]
    assert stopped["chosen"]["step"] == 0
    assert stopped["served"] == {"target": 6, "common": 2}
    assert run_ladder(NanoEstimator(), data, settings, tmp_path, Silent()) == stopped


@pytest.mark.parametrize(("save_every", "named"), [(1, r"state\.pt"), (50, "step_2")])
def test_a_full_disk_is_told_and_the_calibration_goes_on_afterwards(
    data: Populations, tmp_path: Path, save_every: int, named: str
) -> None:
    few = FEW | {"ensemble_rotations": 1, "shares": (0.5,), "save_every": save_every}
    settings = read_settings(None, EMBEDDED, calibrate=few, evaluate={"bootstrap": 0})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # Files above this size cannot be written: the resume point is one, the ladder's document is not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        with pytest.raises(StorageError, match=f"cannot write .*{named}"):
            run_ladder(NanoEstimator(), data, settings, tmp_path, Silent())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert run_ladder(NanoEstimator(), data, settings, tmp_path, Silent())["finished"]


def test_an_empty_split_is_told(data: Populations, tmp_path: Path) -> None:
    settings = read_settings(None, EMBEDDED, calibrate=FEW)
    with pytest.raises(UsageError, match="no target person is held out to choose a checkpoint by: correct frames"):
        run_ladder(NanoEstimator(), replace(data, validation_target=()), settings, tmp_path, Silent())
    with pytest.raises(UsageError, match="asks for target samples and there are none"):
        run_ladder(NanoEstimator(), replace(data, train_target=()), settings, tmp_path, Silent())
    with pytest.raises(UsageError, match="asks for common samples and there are none"):
        run_ladder(NanoEstimator(), replace(data, train_common=()), settings, tmp_path, Silent())
    assert not (tmp_path / "state.pt").exists()


@pytest.mark.parametrize(
    ("unlabelled", "told"), [("leg", r'such as calibrate\.parts = \["'), ("total", "correct some of")]
)
def test_parts_that_nobody_labelled_cannot_choose(
    data: Populations, tmp_path: Path, unlabelled: str, told: str
) -> None:
    held = [replace(sample, visibility=sample.visibility.copy()) for sample in data.validation_target]
    for sample in held:
        sample.visibility[list(COCO17.part(unlabelled))] = 0
    settings = read_settings(None, EMBEDDED, calibrate=FEW | {"ensemble_rotations": 1}, evaluate={"bootstrap": 0})
    with pytest.raises(UsageError, match=f"no joint of leg is labelled on the held-out target persons.*{told}"):
        run_ladder(NanoEstimator(), replace(data, validation_target=held), settings, tmp_path, Silent())
    assert not (tmp_path / "state.pt").exists()


def test_one_unlabelled_part_of_several_does_not_silence_the_others(data: Populations, tmp_path: Path) -> None:
    held = [replace(sample, visibility=sample.visibility.copy()) for sample in data.validation_target]
    for sample in held:
        sample.visibility[list(COCO17.part("leg"))] = 0
    few = FEW | {"ensemble_rotations": 1, "shares": (0.5,), "parts": ("leg", "shoulder")}
    settings = read_settings(None, EMBEDDED, calibrate=few, evaluate={"bootstrap": 0})
    ladder = run_ladder(NanoEstimator(), replace(data, validation_target=held), settings, tmp_path, Silent())
    assert "nan" not in ladder["chosen"]["why"]
    unknown = read_settings(None, EMBEDDED, calibrate=few | {"parts": ("legs",)}, evaluate={"bootstrap": 0})
    with pytest.raises(UsageError, match="no target score of legs: use hip, knee"):
        run_ladder(NanoEstimator(), data, unknown, tmp_path / "other", Silent())


def test_one_person_in_each_split_is_enough(data: Populations, tmp_path: Path) -> None:
    parts = (data.train_target, data.train_common, data.validation_target, data.validation_common)
    alone = Populations(*(samples[:1] for samples in parts))
    settings = read_settings(
        None, {}, calibrate=FEW | {"ensemble_rotations": 1, "shares": (0.5,)}, evaluate={"bootstrap": 10}
    )
    ladder = run_ladder(NanoEstimator(), alone, settings, tmp_path, Silent())
    assert ladder["finished"]
    assert ladder["ladder"][0]["target"]["persons"] == 1


def test_a_loss_that_is_not_finite_leaves_what_was_done(data: Populations, tmp_path: Path) -> None:
    class Overflows(NanoEstimator):
        steps = 0

        def loss(self, batch):  # type: ignore[no-untyped-def]
            self.steps += 1
            return super().loss(batch) * (float("inf") if self.steps == 3 else 1.0)

    settings = read_settings(
        None, {}, calibrate=FEW | {"ensemble_rotations": 1, "shares": (0.5,)}, evaluate={"bootstrap": 0}
    )
    with pytest.raises(EmcError, match="the loss is inf at step 3"):
        run_ladder(Overflows(), data, settings, tmp_path, Silent())
    document = read_json(tmp_path / "ladder.json") or {}
    assert [row["step"] for row in document["ladder"]] == [0, 2]
    assert run_ladder(NanoEstimator(), data, settings, tmp_path, Silent())["finished"]


def test_the_resume_point_of_another_model_is_refused(data: Populations, tmp_path: Path) -> None:
    from emc.estimators.vitpose.variants import configuration

    settings = read_settings(
        None, {}, calibrate=FEW | {"ensemble_rotations": 1, "shares": (0.5,)}, evaluate={"bootstrap": 0}
    )

    class Stop(Silent):
        def advance(self, steps: int = 1, note: str = "") -> None:
            if (tmp_path / "state.pt").is_file():
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_ladder(NanoEstimator(), data, settings, tmp_path, Stop())
    (tmp_path / "ladder.json").unlink()
    config = configuration(hidden=48, layers=2, heads=3, simple_head=True, size=(64, 48))
    with pytest.raises(UsageError, match=r"resume point is another network's .* or start again in another folder"):
        run_ladder(VitPoseEstimator.untrained(1, config), data, settings, tmp_path, Silent())
