from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emc.errors import InputError
from emc.formats.poses.openpose import OpenPoseFormat
from emc.pose.records import Prediction
from emc.pose.skeletons.skeleton import BODY25, COCO18


def person(joints: int = 25, at: float = 100.0, missing: tuple[int, ...] = (), **more: object) -> dict[str, object]:
    values: list[float] = []
    for joint in range(joints):
        values += [0, 0, 0] if joint in missing else [at + joint, at + 2 * joint, 0.5]
    return {"pose_keypoints_2d": values, "face_keypoints_2d": [], **more}


def write(folder: Path, frames: dict[str, list[dict[str, object]]]) -> Path:
    folder.mkdir()
    for name, people in frames.items():
        (folder / f"{name}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))
    return folder


def test_body_25_of_a_video(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "json",
        {
            "kick_000000000000": [person(missing=(4, 20)), person(at=300)],
            "kick_000000000001": [],
            "kick_000000000002": [person(at=310), person(missing=tuple(range(25)))],
        },
    )
    openpose = OpenPoseFormat()
    assert openpose.skeleton_of(folder) is BODY25
    found = openpose.read(folder)
    assert [(p.frame, p.person) for p, _ in found] == [(0, 0), (0, 1), (2, 0)]
    first, score = found[0]
    assert first.xy[3].tolist() == [103, 106]
    assert np.isnan(first.xy[[4, 20]]).all()
    assert (first.score[4], first.confidence[4], first.confidence[3]) == (0, 0, 0.5)
    assert score == 0.5
    # The joints span 24 x 48 pixels; the box is wider by a tenth of 48 on each side.
    assert first.box == pytest.approx([95.2, 95.2, 33.6, 57.6])
    assert not openpose.tracked(folder)


def test_coco_18_and_numbers_of_the_tracker(tmp_path: Path) -> None:
    people = [person(18, person_id=[7]), person(18, at=50, person_id=[2])]
    folder = write(tmp_path / "json", {"a_000000000005": people})
    openpose = OpenPoseFormat()
    assert openpose.skeleton_of(folder) is COCO18
    assert [(p.frame, p.person, p.xy.shape) for p, _ in openpose.read(folder)] == [(5, 7, (18, 2)), (5, 2, (18, 2))]
    assert openpose.tracked(folder)


def test_untracked_persons_carry_minus_one(tmp_path: Path) -> None:
    folder = write(tmp_path / "json", {"a_0": [person(person_id=[-1]), person(person_id=[-1])]})
    assert [p.person for p, _ in OpenPoseFormat().read(folder)] == [0, 1]
    assert not OpenPoseFormat().tracked(folder)


def test_old_files_name_the_joints_otherwise(tmp_path: Path) -> None:
    old = {"pose_keypoints": person()["pose_keypoints_2d"]}
    folder = write(tmp_path / "json", {"a_1": [old]})
    assert [p.frame for p, _ in OpenPoseFormat().read(folder)] == [1]


def test_folders_of_images_are_known_by_the_images_names(tmp_path: Path) -> None:
    folder = write(tmp_path / "json", {"img_9": [person()], "start": [person(at=9)]})
    found = OpenPoseFormat().read(folder, files=("start.png", "img_9.jpg"))
    assert [(p.frame, float(p.xy[0, 0])) for p, _ in found] == [(0, 9.0), (1, 100.0)]
    with pytest.raises(InputError, match=r"start_keypoints\.json belongs to no image"):
        OpenPoseFormat().read(folder, files=("img_9.jpg",))


def test_written_and_read_again(tmp_path: Path) -> None:
    xy = np.arange(50, dtype=np.float32).reshape(25, 2) + 0.25
    xy[3] = np.nan
    score = np.linspace(0.125, 1, 25, dtype=np.float32)
    score[3] = 0
    told = Prediction(2, 4, xy, score, score, np.zeros(4, np.float32))
    OpenPoseFormat().write(tmp_path / "out", [(told, 1.0)], frames=4)
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names[2] == "out_000000000002_keypoints.json"
    assert len(names) == 4
    ((back, _),) = OpenPoseFormat().read(tmp_path / "out")
    assert (back.frame, back.person) == (2, 4)
    assert np.allclose(back.xy, xy, equal_nan=True)
    assert np.allclose(back.score, score, atol=1e-6)
    with pytest.raises(InputError, match="3 joints.*body25"):
        few = Prediction(0, 0, xy[:3], score[:3], score[:3], np.zeros(4, np.float32))
        OpenPoseFormat().write(tmp_path / "out", [(few, 1.0)])


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ({}, r"has no \*_keypoints\.json"),
        ({"a_0": []}, "no person on any frame"),
        ({"a_0": [person(15)]}, "person 0 has 45 values.*BODY_25"),
        ({"a_0": [person()], "a_1": [person(18)]}, r"a_1_keypoints\.json: person 0 has 54 values"),
        ({"a_0": [{}]}, "person 0 has no list 'pose_keypoints_2d'"),
        ({"a_0": [person()], "b_0": [person()]}, r"a_0_keypoints\.json and b_0_keypoints\.json are both frame 0"),
        ({"first": [person()]}, "first_keypoints.json has no frame number"),
        ({"a_0": [person(person_id=[3]), person(person_id=[3])]}, "person_id 3.*twice"),
        ({"a_0": [{"pose_keypoints_2d": [0.5] * 75}]}, "not pixels.*keypoint_scale"),
        ({"a_0": [{"pose_keypoints_2d": ["x"] * 75}]}, "'x' in 'keypoints'"),
    ],
)
def test_faults_are_named(frames: dict[str, list[dict[str, object]]], words: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "json", frames)
    with pytest.raises(InputError, match=words):
        OpenPoseFormat().read(folder)


def test_damaged_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "json", {"a_0": [person()]})
    (folder / "a_1_keypoints.json").write_text('{"people": [{"pose')
    with pytest.raises(InputError, match=r"a_1_keypoints\.json is not valid JSON"):
        OpenPoseFormat().read(folder)
    (folder / "a_1_keypoints.json").write_text("[]")
    with pytest.raises(InputError, match=r"a_1_keypoints\.json has no list 'people'"):
        OpenPoseFormat().read(folder)
    with pytest.raises(InputError, match="is no folder"):
        OpenPoseFormat().read(folder / "a_0_keypoints.json")
