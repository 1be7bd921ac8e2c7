from __future__ import annotations

import json
from pathlib import Path

import pytest

from emc.errors import InputError
from emc.formats import Format
from emc.formats.poses.boxes_csv import BoxesCsvFormat, read_boxes
from emc.pose.label_frames import ClipFrames, FrameRule
from emc.pose.records import Box
from emc.stages.video import probe

# A clip of 100 frames of 200 x 100 pixels; its folder form has three images.
CLIP = ClipFrames("c", 100, 200, 100)


def folder(*names: str) -> ClipFrames:
    return ClipFrames("c", len(names), 200, 100, names)


def save(tmp_path: Path, text: str, name: str = "boxes.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_it_is_a_format():
    assert isinstance(BoxesCsvFormat(), Format)


@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_table(separator, tmp_path):
    lines = ["frame,x,y,w,h,person,score", "0,1,2,3,4,0,0.5", "2,1.5,2,3,4,1,1", "0,9,9,9,9,2,", ""]
    found = read_boxes(save(tmp_path, "\n".join(lines).replace(",", separator)), CLIP)
    assert found.said == ("frames by the column frame, from 0",)
    assert found.boxes == {
        0: [Box(0, (1, 2, 3, 4), 0.5, 0), Box(0, (9, 9, 9, 9), 1.0, 2)],
        2: [Box(2, (1.5, 2, 3, 4), 1.0, 1)],
    }


def test_columns_in_any_order_and_case_with_a_byte_order_mark(tmp_path):
    path = save(tmp_path, "\ufeffH,W,Y,X,Frame,colour\n4,3,2,1,7,red\n")
    assert read_boxes(path, CLIP).boxes == {7: [Box(7, (1, 2, 3, 4))]}


def test_image_names_are_found_in_the_clip(tmp_path):
    path = save(tmp_path, "image,x,y,w,h\nshots/b.png,1,2,3,4\n")
    assert read_boxes(path, folder("a.png", "b.png")).boxes == {1: [Box(1, (1, 2, 3, 4))]}
    with pytest.raises(InputError, match=r"line 2 names the image 'shots/b\.png', which the clip lacks"):
        read_boxes(path, folder("a.png"))
    with pytest.raises(InputError, match=r"line 2 names the image 'shots/b\.png', which ends in no frame number"):
        read_boxes(path, CLIP)


def test_number_at_the_end_of_an_image_name_is_the_frame(tmp_path):
    found = read_boxes(save(tmp_path, "file_name,x,y,w,h\ntake2_0012.png,1,2,3,4\n"), CLIP)
    assert found.boxes == {12: [Box(12, (1, 2, 3, 4))]}
    assert found.said == ("frames by the column file_name, from 0",)


def test_frames_that_count_from_one_are_shifted_and_told(tmp_path):
    rows = [f"{frame},1,2,3,4" for frame in range(1, 101)]
    path = save(tmp_path, "\n".join(["frame,x,y,w,h", *rows]))
    found = read_boxes(path, CLIP)
    assert sorted(found.boxes) == list(range(100))
    assert found.said == ("frames by the column frame, from 1, since they are 1 to 100 and the clip has 100 frames",)
    assert found.boxes[99] == [Box(99, (1, 2, 3, 4))]


def test_frames_that_may_count_from_one_are_refused_until_the_user_says(tmp_path):
    path = save(tmp_path, "frame,x,y,w,h\n1,1,2,3,4\n2,1,2,3,4\n3,1,2,3,4\n")
    with pytest.raises(InputError, match="the column frame goes from 1 to 3 without a gap, .* --first-frame 0 or"):
        read_boxes(path, CLIP)
    assert sorted(read_boxes(path, CLIP, FrameRule(first=1)).boxes) == [0, 1, 2]
    assert sorted(read_boxes(path, CLIP, FrameRule(first=0)).boxes) == [1, 2, 3]


def test_frame_and_image_that_differ_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"line 2 has frame 4 but image 'f_0005\.png', which is 5"):
        read_boxes(save(tmp_path, "frame,image,x,y,w,h\n4,f_0005.png,1,2,3,4\n"), CLIP)
    with pytest.raises(InputError, match=r"line 2 has frame 0 but image 'b\.png', which is 1"):
        read_boxes(save(tmp_path, "frame,image,x,y,w,h\n0,b.png,1,2,3,4\n"), folder("a.png", "b.png"))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("0.25,0.5,0.1,0.2", "frame 0 has the box 0.25, 0.5, 0.1, 0.2, which reads as shares of the frame"),
        ("300,10,20,40", "frame 0 has the box 300, 10, 20, 40, outside of its frame of 200 x 100"),
        ("10,-90,20,40", "outside of its frame of 200 x 100"),
        ("10,10,20,400", "far larger than its frame of 200 x 100"),
    ],
)
def test_boxes_that_cannot_lie_on_the_frame(box, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_boxes(save(tmp_path, f"frame,x,y,w,h\n0,{box}\n"), CLIP)


def test_a_box_partly_outside_is_taken(tmp_path):
    path = save(tmp_path, "frame,x,y,w,h\n0,-10,80,60,90\n")
    assert read_boxes(path, CLIP).boxes == {0: [Box(0, (-10, 80, 60, 90))]}


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
        ("frame,x,y,w,h\n100,1,2,3,4\n3,1,2,3,4\n", "goes up to 100, clip c has frames 0 to 99: .* --first-frame 1"),
        ("frame,x,y,w,h\n101,1,2,3,4\n", "names frame 101, clip c has frames 0 to 99"),
        ("frame,x,y,w,h\n0,1,2,3\n", "line 2 has not as many values"),
        ("frame,x,y,w,h\n0,1,2,3,4,5\n", "line 2 has not as many values"),
        ("frame,x,y,w,h,person\n0,1,2,3,4,0.5\n", "line 2 has person '0.5'"),
    ],
)
def test_wrong_tables(text, message, tmp_path):
    path = save(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_boxes(path, CLIP)
    assert str(path) in str(caught.value)


LABELS = {
    "images": [
        {"id": 10, "file_name": "b.png", "frame": 7, "width": 200, "height": 100},
        {"id": 11, "file_name": "a.png", "frame": 4, "width": 100, "height": 50},
    ],
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
    found = read_boxes(path, CLIP)
    # Image 11 was made at half the size: (5 + 0.5) * 2 - 0.5 = 10.5, (6 + 0.5) * 2 - 0.5 = 12.5.
    assert found.boxes == {7: [Box(7, (1, 2, 3, 4), 1.0, 6)], 4: [Box(4, (10.5, 12.5, 14, 16))]}
    assert found.said == ("frames by the field 'frame', from 0", "boxes made at another size, scaled by 2")
    named = read_boxes(path, folder("a.png", "b.png")).boxes
    assert named == {1: [Box(1, (1, 2, 3, 4), 1.0, 6)], 0: [Box(0, (10.5, 12.5, 14, 16))]}


def test_boxes_of_coco_labels_of_another_picture_are_refused(tmp_path):
    wrong = json.loads(json.dumps(LABELS))
    wrong["images"][1] |= {"width": 50, "height": 100}
    with pytest.raises(InputError, match=r"image 11 is 50 x 100, the clip's frame 200 x 100, which is no other size"):
        read_boxes(save(tmp_path, json.dumps(wrong), "labels.json"), CLIP)


def test_boxes_of_coco_detections_say_their_frame(tmp_path):
    rows = [
        {"image_id": 3, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.25},
        {"image_id": 3, "category_id": 18, "bbox": [1, 2, 3, 4], "score": 0.9},
    ]
    path = save(tmp_path, json.dumps(rows), "found.json")
    with pytest.raises(InputError, match="entry 0 has no field 'frame', and image_id is a key of its labels file"):
        read_boxes(path, CLIP)
    assert read_boxes(path, CLIP, FrameRule("id")).boxes == {3: [Box(3, (1, 2, 3, 4), 0.25)]}
    framed = save(tmp_path, json.dumps([{**row, "frame": 8} for row in rows]), "framed.json")
    assert read_boxes(framed, CLIP).boxes == {8: [Box(8, (1, 2, 3, 4), 0.25)]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "is neither COCO labels nor a list of detections"),
        ([3], "entry 0 is 3, no object"),
        ([{"frame": 0, "image_id": 0, "bbox": [1, 2, 3]}], "entry 0 has 3 values in 'bbox'"),
        ([{"frame": 0, "bbox": [1, 2, 0, 4]}], "entry 0 has a box of 0 x 4"),
        ({"images": [], "annotations": [{"image_id": 5, "bbox": [1, 2, 3, 4]}]}, "entry 0 is on image 5, which"),
        ({"images": [{"id": "x"}], "annotations": []}, "image at place 0 has no whole number as 'id'"),
    ],
)
def test_wrong_json(document, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_boxes(save(tmp_path, json.dumps(document), "boxes.json"), CLIP)


@pytest.mark.shared_data
def test_boxes_of_real_labels(shared_data):
    data = shared_data / "coco-mini"
    info = probe(data / "images")
    clip = ClipFrames("images", info.frames, info.width, info.height, info.files, info.sizes)
    found = read_boxes(data / "person_keypoints.json", clip)
    assert sum(len(boxes) for boxes in found.boxes.values()) == 227
    assert found.said == ("frames by file name",)
