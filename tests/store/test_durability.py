"""An acknowledged write survives ``kill -9`` at any instant."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from emc.store.sql import SqlStore

KILLS = 20

# The launcher imports once and forks a writer for each line that it reads; the writer is what gets killed.
LAUNCHER = """
import os, pathlib, sys
import numpy as np
from emc.pose.records import Edit, JointChange, Prediction, Provenance, Visibility
from emc.store.sql import SqlStore

def edit(store):
    number = 0
    while True:
        number += 1
        changes = tuple(
            JointChange(frame, 0, 0, float(number), 1.0, Visibility.VISIBLE, Provenance.HUMAN)
            for frame in range(number % 40)
        )
        undoes = stored.id if number % 5 == 0 else 0
        stored = store.append_edit(Edit("kick", "drag", changes, undoes=undoes))
        print(stored.id, len(changes), flush=True)

def predict(store):
    run = store.start_run("kick", "nano", "coco17", {}).id
    ones = np.ones((17, 2), np.float32)
    while True:
        first = store.resume_frame(run)
        batch = [Prediction(first + i, 0, ones * i, ones[:, 0], ones[:, 0], ones.ravel()[:4]) for i in range(32)]
        store.write_predictions(run, batch, upto=first + 32)
        print(first + 32, flush=True)

for line in sys.stdin:
    writer = os.fork()
    if not writer:
        print("writer", os.getpid(), flush=True)
        {"edit": edit, "predict": predict}[sys.argv[1]](SqlStore.open(pathlib.Path(sys.argv[2])))
    print("\\nended", os.WTERMSIG(os.waitpid(writer, 0)[1]), flush=True)
"""


@pytest.fixture
def launch(project: Path) -> Iterator[Callable[[str], Popen[str]]]:
    launched: list[Popen[str]] = []

    def start(what: str) -> Popen[str]:
        command = [sys.executable, "-c", LAUNCHER, what, str(project)]
        launched.append(Popen(command, stdin=PIPE, stdout=PIPE, text=True, bufsize=1))
        return launched[-1]

    yield start
    for process in launched:
        process.communicate(timeout=30)


def kill_a_writer(launcher: Popen[str], seconds: float) -> list[list[int]]:
    """Let a writer acknowledge something and go on for `seconds`; kill it; return the numbers of each whole line."""
    assert launcher.stdin is not None and launcher.stdout is not None
    launcher.stdin.write("go\n")
    word, writer = launcher.stdout.readline().split()
    assert word == "writer"
    lines = [launcher.stdout.readline()]
    time.sleep(seconds)
    os.kill(int(writer), signal.SIGKILL)
    while not lines[-1].startswith("ended"):
        lines.append(launcher.stdout.readline())
    assert lines.pop() == f"ended {int(signal.SIGKILL)}\n"
    # The launcher's line break ends a line that the kill cut; without a cut it makes an empty one.
    cut = lines.pop()
    assert cut == "\n" or cut[0].isdigit()
    return [[int(number) for number in line.split()] for line in lines]


def test_acknowledged_edits_survive(project: Path, launch) -> None:
    rng, launcher = random.Random(4), launch("edit")
    acknowledged: dict[int, int] = {}
    for round_ in range(KILLS):
        printed = kill_a_writer(launcher, rng.uniform(0, 0.1))
        assert printed, "the process acknowledged nothing"
        acknowledged.update((identity, changes) for identity, changes in printed)
        with SqlStore.open(project) as store:
            stored = {edit.id: len(edit.changes) for edit in store.edits()}
            poses = store.poses("kick")
        assert {identity: stored.get(identity) for identity in acknowledged} == acknowledged
        # At most the one edit per kill whose answer was not read yet; whole, if it is there.
        assert len(stored) - len(acknowledged) <= 2 * (round_ + 1)
        assert poses
    with SqlStore.open(project) as store:
        assert store.check() == []


def test_acknowledged_predictions_survive_and_go_on_where_they_stopped(project: Path, launch) -> None:
    rng, launcher = random.Random(5), launch("predict")
    for _ in range(6):
        printed = kill_a_writer(launcher, rng.uniform(0, 0.1))
        with SqlStore.open(project) as store:
            (run,) = store.runs()
            done = store.resume_frame(run.id)
            assert done >= printed[-1][0]
            frames = [prediction.frame for prediction in store.predictions(run.id)]
        assert frames == list(range(done)), "whole batches, none missing"


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.45])
def test_a_project_whose_making_is_killed_is_not_there_or_whole(tmp_path: Path, seconds: float) -> None:
    code = "import sys, pathlib; from emc.store import SqlStore; SqlStore.create(pathlib.Path(sys.argv[1])); print(1)"
    folder = tmp_path / "new.emc"
    process = Popen([sys.executable, "-c", code, str(folder)], stdout=PIPE)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    if folder.exists():
        SqlStore.open(folder).close()
    else:
        SqlStore.create(folder).close()
    with SqlStore.open(folder) as store:
        assert json.dumps([store.clips(), store.check()]) == "[[], []]"
