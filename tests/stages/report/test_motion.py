import base64
import json

import cv2
import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.skeletons.skeleton import H36M17
from emc.stages.report import sequence_medium, video_preview

AT = {name: i for i, name in enumerate(H36M17.joints)}


def standing() -> np.ndarray:
    """Two frames of a person who stands upright, camera axes (y down), the right shank folded back by a right angle."""
    points = np.zeros((2, 17, 3))
    heights = {"hip": 0.0, "knee": 0.4, "ankle": 0.8, "shoulder": -0.5, "elbow": -0.2, "wrist": 0.0}
    for side, x in (("left", -0.1), ("right", 0.1)):
        for name, y in heights.items():
            points[:, AT[f"{side}_{name}"]] = (x, y, 0.0)
    points[:, AT["thorax"]] = (0.0, -0.5, 0.0)
    points[1, AT["right_ankle"]] = (0.1, 0.4, 0.4)
    return points


def test_angles_of_each_track_are_whole_degrees() -> None:
    lost = standing()
    lost[0, AT["right_ankle"]] = np.nan
    document = json.loads(sequence_medium({"truth": standing(), "before": lost}, "a", 30.0))
    assert document["angles"]["right_knee"] == {"truth": [0, 90], "before": [None, 90]}
    assert document["angles"]["left_knee"]["truth"] == [0, 0]
    assert document["joints"][AT["right_ankle"]] == "right_ankle"
    assert document["video"] is None


def test_pictures_of_the_video_are_made_small_and_come_as_jpeg() -> None:
    red = np.zeros((720, 1280, 3), np.uint8)
    red[..., 0] = 200
    film = video_preview([red, red[:, :, ::-1]], 4, "a")
    assert film is not None
    assert (film.every, film.width, film.height, len(film.jpeg)) == (4, 360, 202, 2)
    video = json.loads(sequence_medium({"truth": standing()}, "a", 30.0, film=film))["video"]
    assert (video["every"], video["width"], video["height"]) == (4, 360, 202)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(video["jpeg"][0]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (202, 360, 3)
    np.testing.assert_allclose(picture[100, 180], (0, 0, 200), atol=4)  # OpenCV's own order: blue first
    assert video_preview([], 1, "a") is None


def test_tracks_must_be_equally_long() -> None:
    with pytest.raises(ShapeMismatch, match="clip a must all be"):
        sequence_medium({"before": standing(), "truth": standing()[:1]}, "a", 30.0)
