from __future__ import annotations

import json
from pathlib import Path

import pytest

from emc.errors import InputError
from emc.formats import Format
from emc.formats.poses.boxes_csv import BoxesCsvFormat, read_boxes
from emc.pose.records import Box


def save(tmp_path: Path, text: str, name: str = "boxes.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_it_is_a_format():
    assert isinstance(BoxesCsvFormat(), Format)


@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_table(separator, tmp_path):
    lines = ["frame,x,y,w,h,person,score", "0,1,2,3,4,0,0.5", "2,1.5,2,3,4,1,1", "0,9,9,9,9,2,", ""]
    found = read_boxes(save(tmp_path, "\n".join(lines).replace(",", separator)))
    assert found == {
        0: [Box(0, (1, 2, 3, 4), 0.5, 0), Box(0, (9, 9, 9, 9), 1.0, 2)],
        2: [Box(2, (1.5, 2, 3, 4), 1.0, 1)],
    }


def test_columns_in_any_order_and_case_with_a_byte_order_mark(tmp_path):
    assert read_boxes(save(tmp_path, "\ufeffH,W,Y,X,Frame,colour\n4,3,2,1,7,red\n")) == {7: [Box(7, (1, 2, 3, 4))]}


def test_image_names_are_found_in_the_clip(tmp_path):
    path = save(tmp_path, "image,x,y,w,h\nshots/b.png,1,2,3,4\n")
    assert read_boxes(path, files=("a.png", "b.png")) == {1: [Box(1, (1, 2, 3, 4))]}
    with pytest.raises(InputError, match=r"line 2 names the image 'shots/b\.png', which the clip lacks"):
        read_boxes(path, files=("a.png",))
    with pytest.raises(InputError, match=r"line 2 names the image 'shots/b\.png', which ends in no frame number"):
        read_boxes(path)


def test_number_at_the_end_of_an_image_name_is_the_frame(tmp_path):
    assert read_boxes(save(tmp_path, "file_name,x,y,w,h\ntake2_0012.png,1,2,3,4\n")) == {12: [Box(12, (1, 2, 3, 4))]}


def test_round_trip(tmp_path):
    boxes = {0: [Box(0, (1.25, 2, 3, 4), 0.5, 3)], 4: [Box(4, (0, 0, 1 / 3, 1)), Box(4, (5, 5, 5, 5))]}
    BoxesCsvFormat().write(tmp_path / "out.csv", boxes)
    assert BoxesCsvFormat().read(tmp_path / "out.csv") == boxes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("frame,x,y\n1,2,3\n", "line 1 has the columns .* but no w, h: begin with a line frame,x,y,w,h"),
        ("1,2,3,4,5\n", "line 1 has the columns .* but no frame, x, y, w, h"),
        ("frame,x,y,w,h\n0,1,2,3,4\n0,1,two,3,4\n", "line 3 has 'two' as y: write a number"),
        ("frame,x,y,w,h\n0,1,nan,3,4\n", "line 2 has 'nan' as y: write a number"),
        ("frame,x,y,w,h\n-1,1,2,3,4\n", "line 2 has frame '-1': write a whole number of 0 or more"),
        ("frame,x,y,w,h\n1.5,1,2,3,4\n", "line 2 has frame '1.5'"),
        ("frame,x,y,w,h\n0,1,2,0,4\n", "line 2 has a box of 0 x 4 pixels"),
        ("frame,x,y,w,h\n0,1,2,3\n", "line 2 has not as many values"),
        ("frame,x,y,w,h\n0,1,2,3,4,5\n", "line 2 has not as many values"),
        ("frame,x,y,w,h,person\n0,1,2,3,4,0.5\n", "line 2 has person '0.5'"),
    ],
)
def test_wrong_tables(text, message, tmp_path):
    path = save(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_boxes(path)
    assert str(path) in str(caught.value)


LABELS = {
    "images": [{"id": 10, "file_name": "b.png"}, {"id": 11, "file_name": "a.png", "frame": 4}],
    "annotations": [
        {"image_id": 10, "category_id": 2, "bbox": [1, 2, 3, 4], "track_id": 6},
        {"image_id": 11, "category_id": 2, "bbox": [5, 6, 7, 8]},
        {"image_id": 11, "category_id": 1, "bbox": [5, 6, 7, 8]},
        {"image_id": 11, "category_id": 2, "bbox": [0, 0, 90, 90], "iscrowd": 1},
    ],
    "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "person"}],
}


def test_boxes_of_coco_labels(tmp_path):
    path = save(tmp_path, json.dumps(LABELS), "labels.json")
    assert read_boxes(path) == {10: [Box(10, (1, 2, 3, 4), 1.0, 6)], 4: [Box(4, (5, 6, 7, 8))]}
    named = read_boxes(path, files=("a.png", "b.png"))
    assert named == {1: [Box(1, (1, 2, 3, 4), 1.0, 6)], 0: [Box(0, (5, 6, 7, 8))]}


def test_boxes_of_coco_detections(tmp_path):
    rows = [
        {"image_id": 3, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.25},
        {"image_id": 3, "category_id": 18, "bbox": [1, 2, 3, 4], "score": 0.9},
    ]
    assert read_boxes(save(tmp_path, json.dumps(rows), "found.json")) == {3: [Box(3, (1, 2, 3, 4), 0.25)]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "is neither COCO labels nor a list of detections"),
        ([3], "entry 0 is 3, no object"),
        ([{"image_id": 0, "bbox": [1, 2, 3]}], "entry 0 has 3 values in 'bbox'"),
        ([{"image_id": 0, "bbox": [1, 2, 0, 4]}], "entry 0 has a box of 0 x 4"),
        ({"images": [], "annotations": [{"image_id": 5, "bbox": [1, 2, 3, 4]}]}, "entry 0 is on image 5, which"),
        ({"images": [{"id": "x"}], "annotations": []}, "image at place 0 has no whole number as 'id'"),
    ],
)
def test_wrong_json(document, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_boxes(save(tmp_path, json.dumps(document), "boxes.json"))


@pytest.mark.shared_data
def test_boxes_of_real_labels(shared_data):
    found = read_boxes(shared_data / "coco-mini" / "person_keypoints.json")
    assert sum(len(boxes) for boxes in found.values()) == 227
