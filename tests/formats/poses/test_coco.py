from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emc.errors import InputError, StorageError
from emc.formats import Format
from emc.formats.poses.coco import CocoFormat
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.skeletons.skeleton import COCO17, LSP14, build_skeleton

STICK = {
    "info": {"description": "two joints"},
    "licenses": [{"id": 3, "name": "CC BY"}],
    "somebody_elses_field": [1, {"deep": True}],
    "images": [
        {"id": 7, "file_name": "a.png", "width": 100, "height": 50, "license": 3, "frame": 12},
        {"id": 8, "file_name": "b.png", "width": 100, "height": 50},
    ],
    "annotations": [
        {
            "id": 1, "image_id": 7, "category_id": 4, "iscrowd": 0, "num_keypoints": 2, "bbox": [1, 2.5, 30, 40],
            "area": 812.25, "keypoints": [10, 20.125, 2, 30, 40, 1], "segmentation": [[1, 2, 3, 4, 5, 6]], "note": "x",
        },
        {
            "id": 2, "image_id": 8, "category_id": 4, "iscrowd": 1, "num_keypoints": 0, "bbox": [0, 0, 9, 9],
            "area": 81, "keypoints": [0, 0, 0, 5, 6, 0], "segmentation": {"counts": "abc", "size": [50, 100]},
        },
        {"id": 3, "image_id": 8, "category_id": 9, "bbox": [0, 0, 5, 5], "area": 25, "iscrowd": 0},
    ],
    "categories": [
        {"id": 4, "name": "Climber", "supercategory": "person", "keypoints": ["Left-Hand", "right hand"],
         "skeleton": [[1, 2]]},
        {"id": 9, "name": "rope"},
    ],
}  # fmt: skip


def save(tmp_path: Path, document: Any, name: str = "labels.json") -> Path:
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def changed(**changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(STICK)
    document["annotations"][0].update(changes)
    return document


def test_it_is_a_format():
    assert isinstance(CocoFormat(), Format)
    assert (CocoFormat().name, CocoFormat().holds) == ("coco", "labels")


def test_what_is_read(tmp_path):
    labels = CocoFormat().read(save(tmp_path, STICK))
    assert labels.skeleton == build_skeleton("climber2", ("left_hand", "right_hand"), (("left_hand", "right_hand"),))
    assert labels.skeleton.flip == (1, 0)
    assert labels.image(7) == LabelledImage(7, "a.png", 100, 50, {"license": 3, "frame": 12})
    first, second = labels.persons
    assert first.xy.tolist() == [[10, 20.125], [30, 40]]
    assert first.visibility.tolist() == [2, 1]
    assert (first.image, first.id, first.box, first.area, first.category) == (7, 1, (1, 2.5, 30, 40), 812.25, 4)
    assert first.extra == {"segmentation": [[1, 2, 3, 4, 5, 6]], "note": "x"}
    assert second.iscrowd
    assert np.isnan(second.xy[0]).all()
    assert second.xy[1].tolist() == [5, 6]
    assert [raw["id"] for raw in labels.others] == [3]


def test_round_trip_is_lossless(tmp_path):
    CocoFormat().write(tmp_path / "out.json", CocoFormat().read(save(tmp_path, STICK)))
    assert json.loads((tmp_path / "out.json").read_text()) == STICK


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["coco-mini/person_keypoints.json", "lspe/target_test.json"])
def test_round_trip_of_real_labels_is_lossless(name, shared_data, tmp_path):
    labels = CocoFormat().read(shared_data / name)
    assert labels.skeleton in (COCO17, LSP14)
    CocoFormat().write(tmp_path / "out.json", labels)
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads((shared_data / name).read_text())


@pytest.mark.shared_data
def test_pycocotools_reads_what_is_written(shared_data, tmp_path):
    from pycocotools.coco import COCO

    CocoFormat().write(tmp_path / "out.json", CocoFormat().read(shared_data / "coco-mini" / "person_keypoints.json"))
    coco = COCO(str(tmp_path / "out.json"))
    assert len(coco.getAnnIds(iscrowd=False)) + len(coco.getAnnIds(iscrowd=True)) == 233


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 99, allow_nan=False), st.floats(0, 49, allow_nan=False), st.sampled_from([0, 1, 2])),
        min_size=17,
        max_size=17,
    )
)
def test_any_labels_come_back_exactly(tmp_path_factory, joints):
    path = tmp_path_factory.mktemp("any") / "labels.json"
    seen = np.array([v for _, _, v in joints], dtype=np.int8)
    xy = np.array([[x, y] for x, y, _ in joints])
    xy[(seen == 0) & (xy == 0).all(axis=1)] = np.nan
    person = LabelledPerson(1, 5, xy, seen, box=(0.1, 0.2, 3, 4), score=0.25)
    CocoFormat().write(path, LabelSet(COCO17, (LabelledImage(1, "a", 100, 50),), (person,)))
    back = CocoFormat().read(path)
    assert back.skeleton == COCO17
    assert np.array_equal(back.persons[0].xy, xy, equal_nan=True)
    assert np.array_equal(back.persons[0].visibility, seen)
    assert (back.persons[0].box, back.persons[0].score) == ((0.1, 0.2, 3, 4), 0.25)
    assert np.isnan(back.persons[0].area)


def test_box_without_keypoints_is_a_person_without_joints(tmp_path):
    document = changed()
    del document["annotations"][0]["keypoints"]
    person = CocoFormat().read(save(tmp_path, document)).persons[0]
    assert person.visibility.tolist() == [0, 0]
    assert np.isnan(person.xy).all()


def test_a_skeleton_may_be_demanded(tmp_path):
    wanted = build_skeleton("hands", ("left_hand", "right_hand"), ())
    assert CocoFormat(skeleton=wanted).read(save(tmp_path, STICK)).skeleton is wanted
    with pytest.raises(InputError, match=r"other keypoints than skeleton coco17 \(unknown left_hand, right_hand\)"):
        CocoFormat(skeleton=COCO17).read(save(tmp_path, STICK))


def test_a_joint_may_lie_as_far_outside_as_the_editor_lets_it(tmp_path):
    # A quarter of the longer side of 100 x 50: 25 pixels beyond the last pixel, 99 and 49.
    beyond = save(tmp_path, changed(keypoints=[124, 74, 2, -25, -25, 1]))
    assert CocoFormat().read(beyond).persons[0].xy.tolist() == [[124, 74], [-25, -25]]
    with pytest.raises(InputError, match="far outside"):
        CocoFormat().read(save(tmp_path, changed(keypoints=[124.5, 74, 2, 30, 40, 1])))


def test_an_image_of_unknown_size_is_not_measured(tmp_path):
    document = changed(keypoints=[500, 400, 2, 30, 40, 2])
    document["images"][0] |= {"width": None, "height": 0}
    labels = CocoFormat().read(save(tmp_path, document))
    assert (labels.images[0].width, labels.images[0].height) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoints": [10, 20, 2]}, r"annotation 1 has 3 values in 'keypoints': write 6 numbers \(3 for each of 2"),
        ({"keypoints": "no"}, "annotation 1 has 'no' in 'keypoints': write 6 numbers"),
        ({"keypoints": [float("nan"), 2, 2, 3, 4, 2]}, "annotation 1 has nan in 'keypoints': write a finite number"),
        ({"keypoints": [10, 2, 2, 3, float("inf"), 2]}, "annotation 1 has inf in 'keypoints': write a finite"),
        ({"keypoints": [10, 2, 2, 3, None, 2]}, "annotation 1 has None in 'keypoints'"),
        ({"keypoints": [10, 2, 3, 3, 4, 2]}, "annotation 1 has visibility 3 at joint 0: use 0, 1 or 2"),
        (
            {"keypoints": [130, 20, 1, 30, 40, 2]},
            r"annotation 1 has left_hand at \(130, 20\), far outside of its image of 100 x 50 pixels: correct it, or",
        ),
        ({"keypoints": [10, 20, 2, 30, -40, 2]}, r"annotation 1 has right_hand at \(30, -40\), far outside"),
        ({"image_id": 99}, "annotation 1 is on image 99, which the file lacks"),
        ({"id": 2}, "has annotation 2 twice"),
        ({"id": "one"}, "annotation one has 'one' as 'id': write a whole number"),
        ({"bbox": [1, 2, 3]}, "annotation 1 has 3 values in 'bbox': write 4 numbers"),
        ({"bbox": [1, 2, float("nan"), 3]}, "annotation 1 has nan in 'bbox'"),
        ({"area": "large"}, "annotation 1 has 'large' in 'area'"),
    ],
)
def test_wrong_annotations(changes, message, tmp_path):
    path = save(tmp_path, changed(**changes))
    with pytest.raises(InputError, match=message) as caught:
        CocoFormat().read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def without(part: str) -> dict[str, Any]:
    return {key: value for key, value in STICK.items() if key != part}


def categories(*rows: dict[str, Any]) -> dict[str, Any]:
    return {**STICK, "categories": list(rows)}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "is empty"),
        ('{"images": [1,', r"is not valid JSON \(line 1, column 15"),
        ("{}", r"is JSON but not COCO \(no list images, annotations, categories\)"),
        ("3", "is JSON but not COCO"),
        ([], "is a list, not COCO labels"),
        (without("categories"), r"no list categories"),
        ({**STICK, "annotations": [5]}, r"annotations\[0\] = 5, no object"),
        ({**STICK, "images": [STICK["images"][0]] * 2}, "has image 7 twice"),
        ({**STICK, "images": [{"id": 7, "width": -3, "height": 5}]}, "image 7 has the size -3 x 5"),
        ({**STICK, "images": [{"id": 7, "width": "x"}]}, "image 7 has 'x' as 'width'"),
        (categories({"id": 4, "name": "x"}), "names no keypoints in its categories"),
        (categories({"id": 4, "keypoints": ["a", "a"]}), "names the keypoint 'a' twice"),
        (categories({"id": 4, "keypoints": ["a", 3]}), "has keypoint names"),
        (categories({"id": 4, "keypoints": ["a", "b"], "skeleton": [[0, 1]]}), r"limb \[0, 1\] .* from 1 to 2"),
        (categories({"keypoints": ["a", "b"]}), "category without a whole number as 'id'"),
        (
            categories({"id": 4, "keypoints": ["a", "b"]}, {"id": 5, "keypoints": ["b", "a"]}),
            "categories with different keypoints",
        ),
    ],
)
def test_wrong_files(document, message, tmp_path):
    path = save(tmp_path, document)
    with pytest.raises(InputError, match=message) as caught:
        CocoFormat().read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_folder_and_other_encoding(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        CocoFormat().read(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read"):
        CocoFormat().read(tmp_path)
    (tmp_path / "latin.json").write_bytes('{"info": "Zoë"}'.encode("latin-1"))
    with pytest.raises(InputError, match=r"is not UTF-8 text \(byte 12\)"):
        CocoFormat().read(tmp_path / "latin.json")


def test_a_visible_joint_without_a_place_is_not_written(tmp_path):
    person = LabelledPerson(1, 5, np.full((17, 2), np.nan), np.full(17, 2, dtype=np.int8))
    with pytest.raises(InputError, match="label 5 .* joint 0 visible or occluded but without a place"):
        CocoFormat().write(tmp_path / "out.json", LabelSet(COCO17, (LabelledImage(1, "a", 9, 9),), (person,)))
    assert list(tmp_path.iterdir()) == []


def test_failed_writing_leaves_the_old_file(tmp_path):
    labels = CocoFormat().read(save(tmp_path, STICK))
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(StorageError, match="taken cannot be written"):
        CocoFormat().write(target, labels)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["labels.json", "taken"]
