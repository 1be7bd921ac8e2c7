"""`emc export onnx`: a saved model becomes a file with its card, and what is wrong is told before any work."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED
from typer.testing import CliRunner

from emc.cli.main import app
from emc.errors import NotTrainable
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.onnx.estimator import OnnxEstimator
from emc.pose.records import Box
from emc.pose.skeletons.file import skeleton_from_toml
from emc.workflow.calibration.base import trainable_estimator
from emc.workflow.models.export import export_model


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def test_a_saved_model_becomes_a_file_that_predicts_and_cannot_be_trained(tmp_path: Path) -> None:
    from emc.config import read_settings

    saved = tmp_path / "saved"
    estimator = NanoEstimator.untrained(3)
    estimator.mirror = False
    estimator.save(saved)
    out = tmp_path / "deep" / "kicks.onnx"
    done = CliRunner().invoke(
        app, ["export", "onnx", "--model", str(saved), "--out", str(out), "--finer", "1", "--json"]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["input_size"] == [128, 128]
    assert document["bytes"] == out.stat().st_size
    assert document["pose_model"] == "Body"
    mode = ast.literal_eval(document["mode"])  # as Pose2Sim and Sports2D read it
    assert (mode["pose_class"], mode["pose_model"], mode["pose_input_size"]) == ("RTMPose", out.as_posix(), [128, 128])
    assert (mode["det_class"], mode["det_input_size"]) == ("YOLOX", [640, 640])
    assert mode["det_model"].endswith(".onnx")
    assert OnnxEstimator(out).card.about.source == str(saved)
    settings = read_settings(None, EMBEDDED, predict={"estimator": str(out)})
    with pytest.raises(NotTrainable, match=r"kicks\.onnx' can only predict"):
        trainable_estimator(settings)


def test_a_skeleton_of_ones_own_goes_with_the_file(tmp_path: Path) -> None:
    kicker = skeleton_from_toml('name = "kicker"\njoints = ["left_ankle", "right_ankle", "left_toe", "right_toe"]')
    grown = NanoEstimator.untrained(3).with_skeleton(kicker)
    grown.save(tmp_path / "saved")
    export_model(str(tmp_path / "saved"), tmp_path / "out" / "kicks.onnx", finer=1)
    read = OnnxEstimator(tmp_path / "out" / "kicks.onnx")
    assert read.skeleton == kicker
    assert read.card.skeleton == "kicks.skeleton.toml"
    image = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    assert read.predict([image], [[Box(0, (5, 5, 70, 80))]])[0].xy.shape == (4, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("out.onnx",), "export onnx needs --model"),
        (("--model", "nano"), "no file to write"),
        (("a.onnx", "--out", "b.onnx", "--model", "nano"), "two files to write"),
        (("a.tflite", "--model", "nano"), "a.tflite does not end in .onnx"),
        (("a.onnx", "--model", "nano", "--as", "tflite"), "--as tflite is unknown"),
        (("a.onnx", "--model", "resnet"), "unknown estimator 'resnet'"),
    ],
)
def test_wrong_requests_are_told(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = run("export", "onnx", *words)
    assert code == 2
    assert said in " ".join(output.split())
    assert list(tmp_path.iterdir()) == []


def test_an_onnx_file_is_not_exported_again(tmp_path: Path) -> None:
    from emc.errors import UsageError

    with pytest.raises(UsageError, match="OnnxEstimator cannot be exported"):
        export_model("onnx", tmp_path / "m.onnx")
