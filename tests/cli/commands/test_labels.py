"""`emc import openpose` and `emc export openpose` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from emc.cli.main import app
from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.stages.overlay.drawing import write_video
from emc.workflow.project.folder import open_project


def emc(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "json"
    made.mkdir()
    joints = [v for joint in range(18) for v in (30.5 + joint, 20.5 + joint, 0.75)]
    for frame in range(3):
        document = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": joints}]}
        (made / f"clip_{frame:012d}_keypoints.json").write_text(json.dumps(document))
    return made


def project(tmp_path: Path, *options: object) -> Path:
    write_video(tmp_path / "clip.mp4", (np.full((80, 120, 3), 20 * i, np.uint8) for i in range(3)), fps=10)
    assert emc("new", tmp_path / "p", *options).exit_code == 0
    assert emc("add", tmp_path / "clip.mp4", "--project", tmp_path / "p.emc").exit_code == 0
    return tmp_path / "p.emc"


def test_a_folder_goes_in_and_out(tmp_path: Path, folder: Path) -> None:
    made = project(tmp_path)
    done = emc("import", "openpose", folder, "--project", made)
    assert done.exit_code == 0, done.output
    assert "3 frames, 1 persons" in done.output
    assert "coco18" in done.output
    status = json.loads(emc("status", "--project", made, "--json").stdout)
    assert status["clips"][0]["runs"][0]["complete"]
    assert emc("export", "openpose", tmp_path / "out", "--project", made).exit_code == 0
    (first, *_) = sorted((tmp_path / "out").iterdir())
    values = json.loads(first.read_text())["people"][0]["pose_keypoints_2d"]
    assert values == [v for joint in range(18) for v in (30.5 + joint, 20.5 + joint, 0.75)]


def test_a_declared_skeleton_says_what_is_absent(tmp_path: Path, folder: Path) -> None:
    made = project(tmp_path, "--skeleton", "halpe26")
    done = emc("import", "openpose", folder, "--project", made, "--json")
    document = json.loads(done.stdout)
    assert document["skeleton"] == "halpe26"
    assert "mid_hip = mean of right_hip and left_hip" in document["said"]
    assert "absent: head_top" in document["said"]


def test_a_wrong_skeleton_or_folder_is_told_in_one_line(tmp_path: Path) -> None:
    done = emc("new", tmp_path / "p", "--skeleton", "cat")
    assert done.exit_code == 1
    assert "cat does not exist: give one of coco17" in " ".join(done.output.split())
    assert not (tmp_path / "p.emc").exists()
    made = project(tmp_path)
    done = emc("import", "openpose", tmp_path / "clip.mp4", "--project", made)
    assert done.exit_code == 1
    assert "clip.mp4 is no folder" in " ".join(done.output.split())


def test_an_export_says_what_nobody_confirmed_and_can_leave_it_out(tmp_path: Path, folder: Path) -> None:
    made = project(tmp_path)
    assert emc("import", "openpose", folder, "--project", made).exit_code == 0
    with open_project(made) as store:
        (clip,) = store.clips()
        confirmed = JointChange(1, 0, 4, 34.5, 24.5, Visibility.VISIBLE, Provenance.CONFIRMED)
        placed = JointChange(1, 0, 7, 50.0, 60.0, Visibility.OCCLUDED, Provenance.HUMAN)
        carried = JointChange(2, 0, 7, 51.0, 61.0, Visibility.VISIBLE, Provenance.PROPAGATED)
        store.append_edit(Edit(clip.id, "place", (confirmed, placed, carried)))
    done = emc("export", "coco", tmp_path / "all.json", "--project", made)
    assert "52 of 54 joints are a machine's word alone: --only human leaves them out" in done.stdout
    done = emc("export", "coco", tmp_path / "sure.json", "--only", "human", "--project", made)
    assert "machine" not in done.stdout
    (row,) = json.loads((tmp_path / "sure.json").read_text())["annotations"]
    points = np.array(row["keypoints"]).reshape(18, 3)
    assert np.flatnonzero(points[:, 2]).tolist() == [4, 7]
    assert points[[4, 7]].tolist() == [[34.5, 24.5, 2], [50.0, 60.0, 1]]
