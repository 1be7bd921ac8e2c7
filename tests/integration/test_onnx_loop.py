"""An ONNX file in the command line: predict, again without work, another card, and no calibration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tests.estimators.onnx.onnx_models import simcc_model
from tests.integration.conftest import Cli

from emc.workflow.project.folder import open_project


def test_a_file_predicts_by_its_path(project: Path, cli: Cli, tmp_path: Path) -> None:
    model = simcc_model(tmp_path / "rtmpose.onnx")
    asked = ("predict", "--set", f"predict.estimator={model}", "--project", project, "--json")
    done = cli(*asked)
    assert done.exit_code == 0, done.output
    first = json.loads(done.stdout)["runs"][0]
    assert first["model"].startswith("onnx-rtmpose-")
    assert first["frames"] == 8
    with open_project(project) as store:
        found = list(store.predictions(first["run"]))
    assert found
    assert all(np.isfinite(one.xy).all() and one.xy.shape == (17, 2) for one in found)
    assert json.loads(cli(*asked).stdout)["runs"][0]["run"] == first["run"]
    (tmp_path / "rtmpose.toml").write_text('family = "simcc"\n[input]\nsize = [192, 256]\nchannels = "bgr"\n')
    other = json.loads(cli(*asked).stdout)["runs"][0]
    assert other["run"] != first["run"]
    refused = cli("calibrate", "--set", f"predict.estimator={model}", "--project", project)
    assert refused.exit_code == 1
    assert "can only predict" in " ".join(refused.output.split())


def test_a_missing_file_is_told(project: Path, cli: Cli) -> None:
    done = cli("predict", "--estimator", "gone.onnx", "--project", project)
    assert done.exit_code == 1
    assert "gone.onnx is missing" in " ".join(done.output.split())
