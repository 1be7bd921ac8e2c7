from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.errors import ConflictError
from emc.pose.records import Provenance, Role
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.edits import Label, edit_from_labels
from emc.workflow.calibration.jobs import CalibrationJobs, JobFiles, is_held, job_document
from emc.workflow.predict.runs import predict_clips
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project, open_project
from emc.workflow.samples.rendered import ClipRequest, render_file

SETTINGS = """
[predict]
threads = 1
[calibrate]
strategy = "finetune"
steps = 2
batch = 2
ladder = 1
shares = [0.5]
save_every = 1
[evaluate]
bootstrap = 20
"""


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    with new_project(tmp_path / "kick") as store:
        return store.folder


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of two clips whose predictions somebody confirmed."""
    folder = tmp_path_factory.mktemp("jobs")
    with new_project(folder / "kick") as store:
        for seed in (7, 8):
            files = render_file(ClipRequest("front_kick", seed, 4, folder=str(folder / "media")))
            added = add_clips(store, [files.video], role=Role.TARGET, group=files.group)
            predict_clips(store, added.clips, read_settings(None, EMBEDDED), boxes_file=files.labels)
            clip = added.clips[0]
            labels = [Label(p.frame, p.person, p.xy, p.visibility * 0 + 2) for p in store.poses(clip.id)]
            store.append_edit(edit_from_labels(labels, clip, COCO17, "confirm", Provenance.CONFIRMED))
        (store.folder / "emc.toml").write_text(SETTINGS, encoding="utf-8")
        return store.folder


def until(jobs: CalibrationJobs, *states: str) -> dict[str, Any]:
    for _ in range(2400):
        job = jobs.job()
        if job["state"] in states:
            return job
        time.sleep(0.1)
    raise AssertionError(f"still {jobs.job()}")


def test_a_project_without_a_job_says_none(tmp_path: Path) -> None:
    job = CalibrationJobs(tmp_path).job()
    assert (job["state"], job["ladder"], job["chosen"]) == ("none", [], None)


@pytest.mark.slow
def test_a_calibration_runs_in_a_process_of_its_own_and_predicts_again(corrected: Path) -> None:
    with open_project(corrected) as store:
        before = store.current_runs()
    jobs = CalibrationJobs(corrected)
    assert jobs.start()["state"] == "running"
    # Another server, started meanwhile, sees it, and cannot start a second one.
    another = CalibrationJobs(corrected)
    assert another.job()["state"] == "running"
    with pytest.raises(ConflictError, match="is running"):
        another.start()
    job = until(another, "done", "failed")
    assert job["state"] == "done", job
    assert [row["step"] for row in job["ladder"]] == [0, 2]
    assert all(0 <= row["target"] <= 1 for row in job["ladder"])
    assert job["chosen"]["step"] in (0, 2)
    assert [row["chosen"] for row in job["ladder"]].count(True) == 1
    with open_project(corrected) as store:
        after = store.current_runs()
        persons = {p.person for p in store.predictions(after["front_kick_00007"].id)}
    if job["chosen"]["step"]:
        assert all(after[clip].id != before[clip].id for clip in before)
    assert persons == {0}


def test_a_cancelled_calibration_can_be_started_again(empty: Path) -> None:
    jobs = CalibrationJobs(empty)
    jobs.start(steps=100_000)
    assert jobs.cancel()["state"] == "cancelled"
    assert not is_held(JobFiles(empty).lock)
    assert "start it again" in CalibrationJobs(empty).job()["message"]
    assert jobs.start()["state"] == "running"
    jobs.cancel()


def test_a_killed_calibration_is_said_to_have_failed(empty: Path) -> None:
    jobs = CalibrationJobs(empty)
    jobs.start(steps=100_000)
    os.kill(int(JobFiles(empty).lock.read_text("ascii")), signal.SIGKILL)
    job = until(jobs, "failed")
    assert "ended without a word" in job["message"]


@pytest.mark.slow
def test_a_calibration_that_cannot_be_says_why(tmp_path: Path) -> None:
    with new_project(tmp_path / "empty") as store:
        jobs = CalibrationJobs(store.folder)
    jobs.start()
    job = until(jobs, "failed", "done")
    assert job["state"] == "failed"
    assert "no corrected joints" in job["message"]


def test_a_ladder_is_shown_as_it_grows(tmp_path: Path) -> None:
    from emc.workflow.files import write_json

    scores = {"pckh": {"total": {"value": 0.5}, "leg": {"value": 0.25}}}
    rows = [{"step": 0, "validation": {"target": scores, "common": None}}]
    write_json(tmp_path / "models" / "abc" / "ladder.json", {"ladder": rows, "loss": [[1, 2.5]], "finished": False})
    running = {"state": "running", "started": "2020-01-01T00:00:00.000+00:00", "request": {"calibrate": True}}
    job = job_document(tmp_path, running)
    assert job["ladder"] == [{"step": 0, "share": None, "target": 0.5, "leg": 0.25, "common": None, "chosen": False}]
    assert job["loss"] == [[1, 2.5]]
    # One that was there before this job began is not its own.
    assert job_document(tmp_path, running | {"started": "2999-01-01T00:00:00.000+00:00"})["ladder"] == []


def test_a_ladder_says_which_persons_it_is_of_and_keeps_quiet_on_too_few(tmp_path: Path) -> None:
    from emc.workflow.files import write_json

    scores = {"pckh": {"total": {"value": 0.5, "n": 400}, "leg": {"value": 1.0, "n": 1}}}
    rows = [{"step": 0, "validation": {"target": scores, "common": None}}]
    file = tmp_path / "models" / "abc" / "ladder.json"
    running = {"state": "running", "started": "2020-01-01T00:00:00.000+00:00", "request": {"calibrate": True}}
    write_json(file, {"ladder": rows, "loss": [], "finished": False})
    job = job_document(tmp_path, running)
    assert (job["scored_on"], job["ladder"][0]["target"], job["ladder"][0]["leg"]) == ("validation", 0.5, None)
    write_json(file, {"ladder": rows, "loss": [], "finished": True, "scored_on": "test"})
    assert job_document(tmp_path, running)["scored_on"] == "test"
