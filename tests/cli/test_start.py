"""What a command loads before it answers, counted in modules: the seconds of a busy machine say nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emc.pose.records import (
    Alert,
    AlertReason,
    Clip,
    Edit,
    FrameAlerts,
    JointChange,
    Prediction,
    Provenance,
    Role,
    Visibility,
)
from emc.store import SqlStore

HEAVY = {
    "PIL", "av", "cv2", "jinja2", "matplotlib", "onnx", "onnxruntime", "openvino", "pandas", "pycocotools", "scipy",
    "statsmodels", "torch", "torchvision", "transformers",
}  # fmt: skip
"""Libraries that decode, compute and draw."""
SERVED = """
import sys
from pathlib import Path
from fastapi.testclient import TestClient
import emc.cli.commands.edit
from emc.server import create_app, serve
app = create_app(Path(sys.argv[1]), "a-token-for-tests-only")
with TestClient(app, base_url="http://127.0.0.1:8731") as client:
    client.cookies.set(app.state.access.cookie, "a-token-for-tests-only")
    for address in ("/", "/app.js", "/api/project", "/api/queue", "/api/clips/kick/alerts", "/api/clips/kick/frames"):
        assert client.get(address).status_code == 200, (address, client.get(address).text)
    print(*sys.modules)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has all that `emc status` tells of: a predicted clip, an alert, a correction, a calibration."""
    folder = tmp_path_factory.mktemp("start") / "kick.emc"
    with SqlStore.create(folder) as store:
        store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
        run = store.start_run("kick", "nano", "coco17", {}).id
        pose = np.full((17, 2), 50, np.float32), np.ones(17, np.float32), np.ones(17, np.float32)
        store.write_predictions(run, [Prediction(0, 0, *pose, np.array([0, 0, 90, 90], np.float32))], upto=100)
        store.write_alerts(run, [Alert("kick", 0, 3, 0, 0, AlertReason.LOW_CONFIDENCE, 0.9)], [FrameAlerts(0, 0, 1)])
        store.finish_run(run)
        change = JointChange(0, 0, 3, 7.0, 8.0, Visibility.VISIBLE, Provenance.HUMAN)
        store.append_edit(Edit("kick", "drag", (change,), "ana", 1.5))
        store.put_document("calibration", "c1", {"model": "nano"})
    return folder


def loaded_by(*command: str | Path) -> set[str]:
    """Return the packages that a Python program has imported by its end."""
    words = [sys.executable, "-X", "importtime", *(str(word) for word in command)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    names = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "emc" in names
    return {name.split(".")[0] for name in names}


def test_help_loads_neither_numbers_nor_a_database() -> None:
    assert loaded_by("-m", "emc", "--help") & {*HEAVY, "numpy", "sqlalchemy", "pydantic", "rich", "fastapi"} == set()


def test_a_new_project_needs_no_library_that_computes(tmp_path: Path) -> None:
    loaded = loaded_by("-m", "emc", "new", tmp_path / "kick")
    assert (tmp_path / "kick.emc" / "project.sqlite").exists()
    assert loaded & {*HEAVY, "fastapi"} == set()


def test_a_new_project_with_a_skeleton_needs_none_either(tmp_path: Path) -> None:
    assert loaded_by("-m", "emc", "new", tmp_path / "kick", "--skeleton", "halpe26") & {*HEAVY, "fastapi"} == set()


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_status_needs_no_library_that_computes(project: Path, words: tuple[str, ...]) -> None:
    loaded = loaded_by("-m", "emc", "status", "--project", project, *words)
    assert loaded & {*HEAVY, "fastapi"} == set()
    assert "sqlalchemy" in loaded


def test_the_editor_answers_before_it_loads_what_decodes_and_computes(project: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SERVED, str(project)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "fastapi" in loaded
    assert loaded & HEAVY == set()
