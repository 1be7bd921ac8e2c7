import json

import cv2
import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.report import drawing_of, example_of, pick_examples, sequence_medium

NAN = float("nan")


def test_pick_by_hand() -> None:
    # persons:   0: 3 -> 1   1: 0 -> 0   2: 1 -> 2   3: 4 -> 0   4: 2 -> 2
    before, after = np.ones((5, 6)), np.ones((5, 6))
    for person, (b, a) in enumerate([(3, 1), (0, 0), (1, 2), (4, 0), (2, 2)]):
        before[person, :b] = 0
        after[person, :a] = 0
    before[1, 3] = NAN  # not labelled: neither right nor wrong
    assert pick_examples(before, after, best=2, worst=2) == [(3, "best"), (0, "best"), (2, "worst"), (4, "worst")]
    assert pick_examples(before, after, best=9, worst=0) == [(3, "best"), (0, "best")]
    with pytest.raises(ShapeMismatch, match=r"\(5, 6\) and after \(4, 6\)"):
        pick_examples(before, after[:4])


def test_example_is_cut_around_the_person_and_coordinates_move_with_it() -> None:
    image = np.zeros((1000, 2000, 3), dtype=np.uint8)
    image[480:521, 980:1021] = (250, 30, 30)  # a red square, its centre at pixel (1000, 500)
    xy = np.full((17, 2), NAN)
    xy[0] = (1000, 500)
    visibility = np.zeros(17, dtype=int)
    visibility[0] = 2
    # Box 400 x 800: cut 600 x 1000 of the frame with margins of 200 (cut off at the frame's top and bottom).
    sample = Sample(image, xy, visibility, np.array([800, 100, 400, 800.0]), "a.mp4", "g", 12, 1)
    found = np.full((17, 2), NAN, dtype=np.float32)
    found[0], found[1] = (1000, 500), (900, 500)
    guess = Prediction(12, 1, found, np.ones(17, np.float32), np.ones(17, np.float32), sample.box.astype(np.float32))
    wrong, right = np.full(17, NAN), np.full(17, NAN)
    wrong[0], right[0] = 0.0, 1.0
    entry, picture = example_of("best", sample, guess, guess, (wrong, right), "x.jpg")
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    height, width = decoded.shape[:2]
    assert (entry["width"], entry["height"]) == (width, height)
    assert height == 480
    x, y = entry["truth"][0]
    assert decoded[int(y), int(x), 2] > 200  # red where the label says (BGR)
    assert decoded[int(y), int(x - 15), 2] < 60
    assert entry["before"][1] is not None  # predicted, though not labelled
    assert entry["truth"][1] is None
    assert entry["before"][2] is None
    assert (entry["wrong_before"], entry["wrong_after"], entry["labelled"]) == ([0], [], 1)
    json.dumps(entry, allow_nan=False)


def test_sequence_by_hand() -> None:
    points = np.zeros((2, 17, 3))
    points[:, 1] = (0.1, 0.2, 0.3)
    points[1, :, 0] += 5  # the whole person walks: the root stays at the origin
    points[0, 4] = NAN
    document = json.loads(sequence_medium({"before": points}, "a.mp4", 25.0))
    assert document["tracks"]["before"][1][1] == [100, 200, 300]
    assert document["tracks"]["before"][0][4] is None
    assert document["left"][4] is True
    assert (document["clip"], document["fps"], len(document["limbs"])) == ("a.mp4", 25.0, 16)
    with pytest.raises(ShapeMismatch, match="a.mp4"):
        sequence_medium({"before": points, "after": points[:1]}, "a.mp4", 25.0)


def test_drawing_names_the_limbs() -> None:
    drawing = drawing_of(COCO17)
    assert drawing["name"] == "coco17"
    assert [15, 13] in drawing["limbs"]
