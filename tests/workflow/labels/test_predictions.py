from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emc.config import Settings
from emc.errors import InputError, UsageError
from emc.formats.poses.openpose import OpenPoseFormat
from emc.interfaces import Store
from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.pose.skeletons.skeleton import BODY25, COCO17
from emc.stages.overlay.drawing import write_video
from emc.workflow.labels.predictions import export_predictions, import_predictions
from emc.workflow.people import delete_person
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project

FRAMES = 6


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "kick.mp4"
    write_video(path, (np.full((120, 200, 3), 10 * i, np.uint8) for i in range(FRAMES)), fps=10)
    return path


def values(x: float) -> list[float]:
    return [v for joint in range(25) for v in ((0, 0, 0) if joint == 24 else (x + joint, 20 + 3 * joint, 0.9))]


@pytest.fixture
def openpose(tmp_path: Path) -> Path:
    """Two people; the second comes first in every second file, as OpenPose's order means nothing."""
    folder = tmp_path / "json"
    folder.mkdir()
    for frame in range(FRAMES):
        people = [{"pose_keypoints_2d": values(x + frame)} for x in (20, 120)]
        document = {"people": people[::-1] if frame % 2 else people}
        (folder / f"kick_{frame:012d}_keypoints.json").write_text(json.dumps(document))
    return folder


def project(tmp_path: Path, video: Path, skeleton: str = "") -> Store:
    store = new_project(tmp_path / f"p{skeleton}", skeleton)
    add_clips(store, [video])
    return store


def test_a_folder_becomes_a_run_with_alerts(tmp_path: Path, video: Path, openpose: Path) -> None:
    with project(tmp_path, video) as store:
        told = import_predictions(store, openpose, None, "openpose", Settings())
        run = store.runs("kick")[0]
        found = list(store.predictions(run.id))
        alerts = store.alerts(run.id)
        again = import_predictions(store, openpose, None, "openpose", Settings())
    assert (told["skeleton"], told["frames"], told["persons"], told["said"]) == ("body25", FRAMES, 2, "")
    assert run.complete
    assert run.model.startswith("openpose-")
    # Everybody keeps their number, whatever place they have in the file.
    for person in {p.person for p in found}:
        nose = [float(p.xy[0, 0]) for p in found if p.person == person]
        assert np.allclose(np.diff(nose), 1)
    heels = [a for a in alerts if a.joint == 24]
    assert [(a.first, a.last, str(a.reason)) for a in heels] == [(0, FRAMES - 1, "lost")] * 2
    assert len(alerts) == told["alerts"] == 2
    assert again["run"] == told["run"]


def test_whoever_was_deleted_stays_out_when_another_file_numbers_people_otherwise(
    tmp_path: Path, video: Path, openpose: Path
) -> None:
    with project(tmp_path, video) as store:
        import_predictions(store, openpose, None, "openpose", Settings())
        left = min(store.poses("kick"), key=lambda pose: pose.xy[0, 0])
        delete_person(store, store.clip("kick"), left.person, Settings().alerts)
        other = tmp_path / "other"
        other.mkdir()
        for file in openpose.iterdir():
            people = json.loads(file.read_text())["people"]
            rows = sorted(people, key=lambda one: one["pose_keypoints_2d"][0], reverse=not left.person)
            (other / file.name).write_text(json.dumps({"people": rows}))
        told = import_predictions(store, other, None, "openpose", Settings())
        assert told["run"] == store.runs("kick")[-1].id
        assert {pose.person for pose in store.poses("kick")} == {1 - left.person}
        assert min(pose.xy[0, 0] for pose in store.poses("kick")) > 100
        assert {alert.person for alert in store.alerts(told["run"])} == {1 - left.person}


def test_a_project_with_a_skeleton_gets_its_joints(tmp_path: Path, video: Path, openpose: Path) -> None:
    with project(tmp_path, video, "coco17") as store:
        told = import_predictions(store, openpose, "kick", "openpose", Settings())
        (first, *_) = store.predictions(told["run"])
    assert told["skeleton"] == "coco17"
    assert told["said"] == "body25 to coco17: 17 of 17 joints are the same"
    assert first.xy.shape == (17, 2)
    knee = BODY25.index("left_knee")
    assert first.xy[COCO17.index("left_knee")].tolist() == [20 + knee, 20 + 3 * knee]


def test_corrected_poses_go_out_and_come_back(tmp_path: Path, video: Path, openpose: Path) -> None:
    with project(tmp_path, video) as store:
        import_predictions(store, openpose, None, "openpose", Settings())
        change = JointChange(2, 0, 24, 50.0, 60.0, Visibility.VISIBLE, Provenance.HUMAN)
        store.append_edit(Edit("kick", "drag", (change,)))
        told = export_predictions(store, tmp_path / "out", [], "openpose")
        assert told["persons"] == 2 * FRAMES
        back = OpenPoseFormat().read(tmp_path / "out")
        before = {(p.frame, p.person): p for p in store.predictions(store.runs("kick")[0].id)}
    assert len(back) == 2 * FRAMES
    for one, _ in back:
        old = before[one.frame, one.person]
        assert np.allclose(one.xy[:24], old.xy[:24], atol=1e-4)
    (edited,) = [p for p, _ in back if (p.frame, p.person) == (2, 0)]
    assert edited.xy[24].tolist() == [50, 60]
    assert edited.score[24] == 1
    assert edited.score[0] == pytest.approx(0.9)


def test_coco_poses_go_out_as_body_25(tmp_path: Path, video: Path, openpose: Path) -> None:
    with project(tmp_path, video, "coco17") as store:
        import_predictions(store, openpose, None, "openpose", Settings())
        told = export_predictions(store, tmp_path / "out", ["kick"], "openpose")
    assert "neck = mean of left_shoulder and right_shoulder" in told["said"]
    assert "absent: left_big_toe" in told["said"]
    (first, _), *_ = OpenPoseFormat().read(tmp_path / "out")
    shoulders = [BODY25.index("left_shoulder"), BODY25.index("right_shoulder")]
    assert np.allclose(first.xy[BODY25.index("neck")], first.xy[shoulders].mean(axis=0), atol=1e-4)
    assert np.isnan(first.xy[BODY25.index("left_heel")]).all()


def test_files_of_another_clip_change_nothing(tmp_path: Path, video: Path, openpose: Path) -> None:
    (openpose / "kick_000000000000_keypoints.json").rename(openpose / "kick_000000000009_keypoints.json")
    with project(tmp_path, video) as store:
        with pytest.raises(InputError, match="has frame 9, clip kick has frames 0 to 5"):
            import_predictions(store, openpose, None, "openpose", Settings())
        assert store.runs("kick") == []
        with pytest.raises(UsageError, match="unknown clip|no clip|kick"):
            import_predictions(store, openpose, "gone", "openpose", Settings())
