from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from emc.workflow.calibration.processes import asked_processes, joined_processes

SCRIPT = Path(__file__).with_name("train_together.py")
EVERYTHING = {
    "steps": 3, "batch": 7, "ladder": 1, "precision": "float32", "fill": 0.3, "distil": 0.2, "hard_joints": 4,
    "rotation": 90, "pull": 0.1,
}  # fmt: skip


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_ADDR", "RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert asked_processes().alone
    # A batch system's own variable is no torchrun.
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert asked_processes().alone
    with joined_processes() as processes:
        assert processes.alone


def test_what_torchrun_says_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MASTER_ADDR", "localhost"), ("RANK", "1"), ("WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    asked = asked_processes()
    assert (asked.rank, asked.size, asked.first) == (1, 2, False)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [EVERYTHING, {**EVERYTHING, "hard_joints": 0, "rotation": None}])
def test_two_processes_give_the_numbers_of_one(tmp_path: Path, settings: dict[str, object]) -> None:
    """Losses within 1e-5; of the weights all but one in a thousand within 1e-5, and 1e-6 in the mean.

    Not each weight: Adam divides by the gradient's size, so that where a gradient is nearly 0 its rounding moves the
    weight by as much as the learning rate, on one processor and not on another. Other samples, or a wrong mean over
    the processes, would move all of them.
    """
    told = {}
    for size in (1, 2):
        start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)] if size > 1 else []
        done = subprocess.run(
            [sys.executable, *start, str(SCRIPT), str(tmp_path / f"{size}.pt"), json.dumps(settings)],
            capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told[size] = torch.load(tmp_path / f"{size}.pt")
    assert (told[1]["size"], told[2]["size"]) == (1, 2)
    assert told[2]["losses"] == pytest.approx(told[1]["losses"], rel=1e-5)
    one, two = told[1]["weights"], told[2]["weights"]
    apart = torch.cat([(two[name] - value).abs().flatten() for name, value in one.items()])
    assert (apart > 1e-5).float().mean() < 1e-3
    assert apart.mean() < 1e-6
