"""Calibration by `torchrun` in two processes, and the forecast measured on parts of the corrections."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.integration.conftest import Cli

from emc.workflow.samples.rendered import ClipRequest, render_file

FEW = ["--set", "calibrate.steps=4", "--set", "calibrate.batch=5", "--set", "calibrate.ladder=2",
       "--set", "calibrate.precision=float32", "--set", "calibrate.ensemble_rotations=1",
       "--set", "evaluate.bootstrap=20"]  # fmt: skip


@pytest.fixture
def corrected(tmp_path: Path, cli: Cli) -> Path:
    """A project with two corrected kicks and two labelled walks."""
    folder = tmp_path / "p.emc"
    assert cli("new", tmp_path / "p").exit_code == 0
    for motion, seed, role in (("side_kick", 1, "target"), ("side_kick", 2, "target"), ("walk", 3, "common"),
                               ("walk", 4, "common")):  # fmt: skip
        order = ClipRequest(motion, seed, 20, seconds=1.2, size=(128, 128), folder=str(tmp_path / "clips"))
        files = render_file(order)
        added = cli("add", files.video, "--project", folder, "--role", role, "--group", f"{motion}{seed}")
        assert added.exit_code == 0, added.stderr
        words = ("import", "coco", files.labels, "--project", folder, "--clip", files.video.stem)
        assert cli(*words).exit_code == 0
    return folder


@pytest.mark.slow
def test_two_processes_calibrate_as_one_does(corrected: Path, tmp_path: Path, cli: Cli) -> None:
    told = {}
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    twice = tmp_path / "copy.emc"
    subprocess.run(["cp", "-r", str(corrected), str(twice)], check=True)
    ways = {
        corrected: [sys.executable, "-m", "emc"],
        twice: [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "emc"],
    }
    for project, start in ways.items():
        done = subprocess.run(
            [*start, "calibrate", "--project", str(project), *FEW, "--json"],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told[project] = json.loads(done.stdout)
    one, two = told[corrected], told[twice]
    assert two["id"] == one["id"]
    np.testing.assert_allclose([v for _, v in two["loss"]], [v for _, v in one["loss"]], rtol=1e-4)
    for row, same in zip(two["ladder"], one["ladder"], strict=True):
        total, expected = (r["validation"]["target"]["pckh"]["total"]["value"] for r in (row, same))
        assert total == pytest.approx(expected, abs=0.01)
    assert two["chosen"]["step"] == one["chosen"]["step"]
    assert {p.name for p in (twice / "models" / two["id"]).iterdir()} == {
        p.name for p in (corrected / "models" / one["id"]).iterdir()
    }
    history = json.loads(cli("forecast", "--project", twice, "--json").stdout)
    assert [point["joints"] for point in history["points"]] == [two["card"]["corrected"]["joints"]]
    assert history["words"].endswith("too little for a forecast")


@pytest.mark.slow
def test_a_forecast_is_measured_on_parts_of_the_corrections(corrected: Path, cli: Cli) -> None:
    words = ("forecast", "--project", corrected, "--measure", "--sizes", 3, *FEW, "--json")
    done = cli(*words)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert [point["persons"] for point in told["points"]] == [5, 10, 20]
    joints = [point["joints"] for point in told["points"]]
    assert joints == sorted(joints)
    assert told["curve"] is not None
    assert told["gain_points"]["value"] >= 0
    assert "points more per 100 corrected joints" in told["words"]
    again = cli(*words)
    assert json.loads(again.stdout)["points"] == told["points"]
