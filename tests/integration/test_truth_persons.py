"""People on the frames: nobody twice, nobody lost, and whoever does not belong there can be taken out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.conftest import Cli
from tests.people_clips import PeopleClip, couple, crossing, ghosts, plant_boxes, squatter

from emc.workflow.project.folder import open_project


@pytest.fixture(scope="module")
def squat(tmp_path_factory: pytest.TempPathFactory) -> PeopleClip:
    return squatter(tmp_path_factory.mktemp("clips"))


def found_people(cli: Cli, folder: Path, clip: PeopleClip, people: list[np.ndarray], *words: str) -> dict[str, Any]:
    """Predict a clip in which the detector finds `people`; returns the run's row."""
    assert cli("new", folder).exit_code == 0
    # Every joint that is not quite sure is told of: alerts of everybody.
    (folder.with_suffix(".emc") / "emc.toml").write_text("[alerts]\nlow = 0.99\n")
    assert cli("add", clip.video, "--project", f"{folder}.emc").exit_code == 0
    with open_project(folder.with_suffix(".emc")) as store:
        plant_boxes(store, clip.video.stem, people, [0.9] * len(people))
    done = cli("predict", "--project", f"{folder}.emc", "--estimator", "nano", "--json", *words)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)["runs"][0]


@pytest.mark.parametrize("kind", ["jitter", "upper", "lower", "large"])
def test_one_woman_who_squats_is_one_person_though_found_twice_on_all_frames(
    cli: Cli, tmp_path: Path, squat: PeopleClip, kind: str
) -> None:
    own = squat.boxes[:, 0]
    row = found_people(cli, tmp_path / "p", squat, [own, ghosts(own, kind)])
    assert (row["persons"], row["doubles"], row["frames"]) == (1, 1, 24)


def test_two_who_dance_as_a_couple_and_two_who_cross_stay_two(cli: Cli, tmp_path: Path) -> None:
    for make in (couple, crossing):
        clip = make(tmp_path)
        row = found_people(cli, tmp_path / make.__name__, clip, [clip.boxes[:, 0], clip.boxes[:, 1]])
        assert (row["persons"], row["doubles"]) == (2, 0)


def test_nobody_on_24_frames_looked_at_is_said_so(cli: Cli, tmp_path: Path, squat: PeopleClip) -> None:
    row = found_people(cli, tmp_path / "p", squat, [np.full((24, 4), np.nan)])
    assert (row["persons"], row["looked"]) == (0, 24)
    said = cli("predict", "--project", tmp_path / "p.emc", "--estimator", "nano")
    assert "squat: nobody found on 24 frames looked at: try another detector" in " ".join(said.stdout.split())


@pytest.fixture
def twice(cli: Cli, tmp_path: Path, squat: PeopleClip) -> Path:
    """A project whose clip has one woman as two people on all frames, both kept."""
    own = squat.boxes[:, 0]
    row = found_people(
        cli,
        tmp_path / "p",
        squat,
        [own, ghosts(own, "upper")],
        "--set",
        "predict.doubles=keep",
        "--set",
        "alerts.low=1",
    )
    assert row["persons"] == 2
    assert "emc persons merge squat" in row["hints"][0]
    return tmp_path / "p.emc"


def people(cli: Cli, folder: Path, *words: object) -> dict[str, Any]:
    done = cli("persons", *words, "--project", folder, "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    return document["clips"][0] if "clips" in document else document


def exported(cli: Cli, folder: Path, tmp_path: Path, *words: str) -> set[int]:
    done = cli("export", "coco", tmp_path / "out.json", "--project", folder, *words)
    assert done.exit_code == 0, done.output
    return {row["person"] for row in json.loads((tmp_path / "out.json").read_text())["annotations"]}


def alerted(cli: Cli, folder: Path) -> set[int]:
    document = json.loads(cli("alerts", "--project", folder, "--limit", 1000, "--json").stdout)
    return {row["person"] for row in document["clips"][0]["joints"]}


def test_people_are_listed_with_pictures_length_and_confidence(cli: Cli, tmp_path: Path, twice: Path) -> None:
    listed = people(cli, twice, "--pictures", tmp_path / "pictures")
    assert "overlap on 24 of 24 frames: where both are one, `emc persons merge squat 1 0`" in listed["hints"][0]
    rows = listed["people"]
    assert [(row["person"], row["frames"], row["first"], row["last"]) for row in rows] == [
        (0, 24, 0, 23),
        (1, 24, 0, 23),
    ]
    assert all(0 < row["confidence"] <= 1 and Path(row["picture"]).is_file() for row in rows)


def test_a_deleted_person_is_gone_everywhere_and_comes_back(cli: Cli, tmp_path: Path, twice: Path) -> None:
    assert alerted(cli, twice) == exported(cli, twice, tmp_path) == {0, 1}
    before = cli("alerts", "--project", twice, "--by", "joints", "--json").stdout
    assert cli("lift", "--project", twice).exit_code == 0
    assert people(cli, twice, "delete", "squat", 1)["kind"] == "delete person"
    assert alerted(cli, twice) == exported(cli, twice, tmp_path) == {0}
    done = cli("export", "npz3d", tmp_path / "motion.npz", "--project", twice, "--json")
    assert json.loads(done.stdout)["persons"] == ["p0"]
    rows = people(cli, twice)["people"]
    assert [(row["person"], row["deleted"]) for row in rows] == [(0, False), (1, True)]
    people(cli, twice, "--clip", "squat", "--undo")
    assert exported(cli, twice, tmp_path) == {0, 1}
    now = json.loads(cli("alerts", "--project", twice, "--by", "joints", "--json").stdout)["clips"][0]["joints"]
    assert [row for row in now if row["reason"] != "lift_residual"] == json.loads(before)["clips"][0]["joints"]


def test_overlay_labels_and_3d_are_of_the_persons_asked_for(cli: Cli, tmp_path: Path, twice: Path) -> None:
    def run(*words: object) -> tuple[bytes, set[int]]:
        with open_project(twice) as store:
            video = Path(store.clip("squat").path)
        keep = ("--set", "predict.doubles=keep", "--set", "alerts.low=1")
        done = cli("run", video, "--out", tmp_path, "--name", "p", "--no-edit", "--estimator", "nano", *keep, *words)
        assert done.exit_code == 0, done.output
        rows = json.loads((tmp_path / "coco_squat.json").read_text())["annotations"]
        return (tmp_path / "overlay_squat.mp4").read_bytes(), {row["person"] for row in rows}

    both, own = run(), run("--person", 0)
    assert (both[1], own[1]) == ({0, 1}, {0})
    assert own[0] != both[0]
    assert json.loads(cli("lift", "--project", twice, "--person", 1, "--json").stdout)["lifted"][0]["persons"] == 1
    done = cli("export", "npz3d", tmp_path / "motion.npz", "--project", twice, "--json")
    assert json.loads(done.stdout)["persons"] == ["p1"]
    people(cli, twice, "delete", "squat", 1)
    assert run() == own


def test_labels_that_come_in_are_never_of_somebody_who_is_deleted(cli: Cli, tmp_path: Path, twice: Path) -> None:
    people(cli, twice, "delete", "squat", 1)
    away = np.stack([np.linspace(5, 25, 17), np.linspace(5, 60, 17), np.full(17, 2)], axis=1)
    rows = [{"id": 1, "image_id": 3, "category_id": 1, "keypoints": away.ravel().tolist(), "num_keypoints": 17}]
    exported(cli, twice, tmp_path)
    document = json.loads((tmp_path / "out.json").read_text())
    (tmp_path / "in.json").write_text(json.dumps(document | {"annotations": [rows[0] | {"person": 1}]}))
    done = cli("import", "coco", tmp_path / "in.json", "--project", twice)
    assert done.exit_code == 0, done.output
    assert exported(cli, twice, tmp_path, "--only", "human") == {2}


def test_a_deleted_person_stays_deleted_when_the_clip_is_predicted_again_in_another_order(
    cli: Cli, tmp_path: Path
) -> None:
    clip = crossing(tmp_path)
    row = found_people(cli, tmp_path / "p", clip, [clip.boxes[:, 0], clip.boxes[:, 1]])
    assert row["persons"] == 2
    folder = tmp_path / "p.emc"
    with open_project(folder) as store:
        before = {(one.frame, one.person): one.box.tolist() for one in store.raw_predictions(row["run"])}
        # Person 0 is found from the fourth frame on only: the tracker numbers them second.
        first = int(np.abs(clip.boxes[0] - before[0, 0]).sum(axis=1).argmin())
        late = [clip.boxes[:, 0].copy(), clip.boxes[:, 1].copy()]
        late[first][:4] = np.nan
        plant_boxes(store, "crossing", late, [0.9, 0.9])
    people(cli, folder, "delete", "crossing", 0)
    done = cli("predict", "--project", folder, "--estimator", "nano", "--again", "--json")
    assert json.loads(done.stdout)["runs"][0]["persons"] == 1
    with open_project(folder) as store:
        for pose in store.poses("crossing"):
            assert pose.person == 1
            assert pose.box is not None and np.allclose(pose.box, before[pose.frame, 1], atol=1e-2)


def test_merged_people_are_one_and_joints_by_hand_win(cli: Cli, tmp_path: Path, twice: Path) -> None:
    from emc.pose.records import Edit, JointChange, Provenance, Visibility

    with open_project(twice) as store:
        change = JointChange(5, 1, 9, 11.0, 12.0, Visibility.VISIBLE, Provenance.HUMAN)
        store.append_edit(Edit("squat", "drag", (change,), "ana"))
        own = {pose.frame: pose.xy.copy() for pose in store.poses("squat") if pose.person == 0}
    assert people(cli, twice, "merge", "squat", 1, 0)["hints"] == []
    assert exported(cli, twice, tmp_path) == alerted(cli, twice) == {0}
    with open_project(twice) as store:
        poses = {pose.frame: pose for pose in store.poses("squat")}
    assert poses[5].xy[9].tolist() == [11, 12]
    own[5][9] = (11, 12)
    assert all(np.array_equal(poses[frame].xy, own[frame], equal_nan=True) for frame in own)
    people(cli, twice, "merge", "squat", 1, 0, "--undo")
    assert exported(cli, twice, tmp_path) == {0, 1}


def test_the_athlete_alone_is_alerted_of_and_lifted_and_a_person_can_be_asked_for(
    cli: Cli, tmp_path: Path, twice: Path
) -> None:
    people(cli, twice, "athlete", "squat", 0)
    assert alerted(cli, twice) == {0}
    assert exported(cli, twice, tmp_path) == {0, 1}
    assert json.loads(cli("lift", "--project", twice, "--json").stdout)["lifted"][0]["persons"] == 1
    assert exported(cli, twice, tmp_path, "--person", "1") == {1}
    wrong = cli("export", "coco", tmp_path / "out.json", "--project", twice, "--person", 7)
    assert wrong.exit_code == 2
    assert "there is no person 7 in squat: there is 0, 1" in " ".join(wrong.stderr.split())
    people(cli, twice, "athlete", "squat", "--undo")
    assert alerted(cli, twice) == {0, 1}
