"""`kill -9` at random moments: the project opens, what was acknowledged is there, the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.integration.conftest import Cli, contents

from emc.workflow.files import read_json
from emc.workflow.project.folder import open_project
from emc.workflow.samples.rendered import ClipFiles

FEW_STEPS = ["--set", "calibrate.steps=12", "--set", "calibrate.batch=4", "--set", "calibrate.save_every=2",
             "--set", "calibrate.ladder=2", "--set", "evaluate.bootstrap=20"]  # fmt: skip


def killed(words: list[str], seconds: float) -> bool:
    """Start `emc` and kill it after a while; True where it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emc", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def duration(words: list[str]) -> float:
    """Return how long a command runs when nobody kills it."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "emc", *words], capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def rounds(quick: int, full: int) -> list[object]:
    """A few moments always, many more in the slow run."""
    return [pytest.param(quick, id=f"{quick}"), pytest.param(full, id=f"{full}", marks=pytest.mark.slow)]


@pytest.mark.parametrize("moments", rounds(2, 10))
def test_predict(moments: int, project: Path, tmp_path: Path, rendered: list[ClipFiles], cli: Cli) -> None:
    whole = tmp_path / "whole.emc"
    assert cli("new", whole).exit_code == 0
    assert cli("add", rendered[0].video, "--project", whole).exit_code == 0
    longest = duration(["predict", "--project", str(whole)])
    rng = np.random.default_rng(moments)
    for seconds in rng.uniform(0.3, 1.0, moments) * longest:
        killed(["predict", "--project", str(project)], seconds)
        with open_project(project) as store:
            assert len(store.edits()) == 1
            for run in store.runs():
                done = store.resume_frame(run.id)
                assert len(list(store.predictions(run.id))) <= done + 1
    assert cli("predict", "--project", project).exit_code == 0
    assert predicted(project) == predicted(whole)


def predicted(folder: Path) -> list[tuple[int, list[float]]]:
    """Return frame and joints of the newest run."""
    with open_project(folder) as store:
        return [(p.frame, p.xy.round(3).ravel().tolist()) for p in store.predictions(store.runs()[-1].id)]


@pytest.mark.parametrize("moments", rounds(2, 10))
def test_import(moments: int, project: Path, rendered: list[ClipFiles]) -> None:
    words = ["import", "coco", str(rendered[0].labels), "--project", str(project)]
    longest = duration(words)
    acknowledged = 2
    rng = np.random.default_rng(moments)
    for seconds in rng.uniform(0.3, 1.1, moments) * longest:
        was_killed = killed(words, seconds)
        with open_project(project) as store:
            edits = store.edits()
        assert len(edits) >= acknowledged + (0 if was_killed else 1)
        assert all(len(edit.changes) == len(edits[0].changes) for edit in edits)
        acknowledged = len(edits)


@pytest.mark.parametrize("moments", rounds(2, 10))
def test_calibrate(moments: int, tmp_path: Path, rendered: list[ClipFiles], cli: Cli) -> None:
    ladders = []
    for name in ("whole", "killed"):
        folder = tmp_path / f"{name}.emc"
        assert cli("new", folder).exit_code == 0
        for files, role in zip(rendered, ("target", "target", "common"), strict=True):
            assert cli("add", files.video, "--role", role, "--project", folder).exit_code == 0
            assert cli("import", "coco", files.labels, "--clip", files.order.name, "--project", folder).exit_code == 0
        words = ["calibrate", "--project", str(folder), *FEW_STEPS]
        if name == "whole":
            longest = duration(words)
        else:
            before = contents(folder)["edits"]
            for seconds in np.random.default_rng(moments).uniform(0.3, 1.0, moments) * longest:
                killed(words, seconds)
                assert contents(folder)["edits"] == before
            assert duration(words) > 0
        (path,) = (folder / "models").glob("*/ladder.json")
        ladders.append(read_json(path))
    whole, resumed = (json.loads(json.dumps(ladder)) for ladder in ladders)
    assert resumed["loss"] == whole["loss"]
    assert resumed["ladder"] == whole["ladder"]
    assert resumed["chosen"] == whole["chosen"]
