from __future__ import annotations

import json

import numpy as np
import pytest

from emc.errors import InputError
from emc.formats.poses.coco_results import CocoResultsFormat, result_frame
from emc.pose.label_frames import FrameRule
from emc.pose.skeletons.skeleton import build_skeleton

TWO = build_skeleton("two", ("a", "b"), ())
ROWS = [
    {"image_id": 3, "category_id": 1, "keypoints": [1, 2, 0.5, 0, 0, 0], "score": 0.75, "bbox": [0, 0, 9, 9]},
    {"image_id": 3, "category_id": 1, "keypoints": [5, 6, 1.25, 7.5, 8, 1], "score": 2, "bbox": [5, 6, 2.5, 2]},
    {"image_id": 1, "category_id": 1, "keypoints": [5, 6, 1, 7, 8, 1], "score": 0.5, "bbox": [5, 6, 2, 2]},
]


def test_results_are_read_as_predictions_and_written_back(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(ROWS))
    found = CocoResultsFormat(TWO).read(path)
    assert [(p.frame, p.person, score) for p, score in found] == [(3, 0, 0.75), (3, 1, 2), (1, 0, 0.5)]
    first = found[0][0]
    assert first.xy[0].tolist() == [1, 2]
    assert np.isnan(first.xy[1]).all()
    assert first.confidence.tolist() == [0.5, 0]
    assert found[1][0].confidence.tolist() == [1, 1]
    assert found[1][0].score.tolist() == [1.25, 1]
    CocoResultsFormat(TWO).write(tmp_path / "out.json", found)
    assert json.loads((tmp_path / "out.json").read_text()) == [{**row, "frame": row["image_id"]} for row in ROWS]


def test_an_image_id_is_a_frame_only_where_the_user_says_so():
    assert result_frame("r", {"image_id": 3, "frame": 7}) == 7
    assert result_frame("r", {"image_id": 3}, FrameRule("id")) == 3
    with pytest.raises(InputError, match="r has no field 'frame', and image_id is a key of its labels file"):
        result_frame("r", {"image_id": 3})
    with pytest.raises(InputError, match="r has frame -2"):
        result_frame("r", {"image_id": 3, "frame": -2})


def test_box_is_made_from_the_joints_where_there_is_none(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('[{"image_id": 0, "keypoints": [1, 2, 1, 4, 8, 1], "score": 1}]')
    assert CocoResultsFormat(TWO).read(path)[0][0].box.tolist() == [1, 2, 3, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "is not a list of COCO results"),
        ("[4]", "result 0 is 4, no object"),
        ('[{"image_id": -1}]', "result 0 has image_id -1"),
        ('[{"image_id": 1, "keypoints": [1, 2, 1]}]', "result 0 has 3 values in 'keypoints': write 6"),
        ('[{"image_id": 1, "keypoints": [1, 2, 1, 1, 1, 1]}]', "result 0 has None in 'score'"),
        ('[{"image_id": 1, "keypoints": [0, 0, 0, 0, 0, 0], "score": 1}]', "result 0 has neither a joint"),
    ],
)
def test_wrong_results(text, message, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        CocoResultsFormat(TWO).read(path)
