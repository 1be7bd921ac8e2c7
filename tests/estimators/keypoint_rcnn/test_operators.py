from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from emc.estimators.keypoint_rcnn.operators import examine_operators

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is not None, reason="torchvision is installed")
def test_without_torchvision() -> None:
    assert examine_operators() == "own operators in plain PyTorch; torchvision is not installed, and not needed"


def test_a_torchvision_that_cannot_load_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = examine_operators()
    assert "does not load beside this PyTorch (RuntimeError: operator torchvision::nms does not exist)" in found
    assert "keypointrcnn does without it" in found


def test_one_that_loads_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "loads, and is not needed" in examine_operators()


@pytest.mark.slow
def test_equals_torchvision_s_own_model() -> None:
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed: see the first lines of benchmarks/prediction/keypointrcnn.py")
    done = subprocess.run(
        [sys.executable, "benchmarks/prediction/keypointrcnn.py", "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)["resnet50"]
    assert found["persons"] >= 12
    assert found["box_px"] < 0.01
    assert found["joint_px"] < 0.01
    assert found["same_peak"] > 0.99
    assert found["joint_score"] < 1e-3
