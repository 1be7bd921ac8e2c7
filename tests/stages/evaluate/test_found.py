"""What a program found by itself, by hand: one image with two labelled people and a crowd, one where nobody is."""

from __future__ import annotations

import numpy as np
import pytest
from tests.stages.evaluate.scored_people import sample

from emc.pose.metrics.oks import average_precisions
from emc.pose.records import Ignored
from emc.pose.skeletons.skeleton import COCO17, LSP14
from emc.stages.evaluate import Detection, assigned, evaluate_found, match_detections

HERE = np.arange(34, dtype=float).reshape(17, 2) * 3
IMAGES = [("a", 0), ("a", 1)]


def person(x: float) -> np.ndarray:
    return HERE + [x, 0]


PEOPLE = [sample(person(x), "a", 0, area=10_000.0, box=(x, 0, 100, 100)) for x in (0, 300)]
CROWD = Ignored("a", 0, (600.0, 0.0, 200.0, 100.0), crowd=True)


def found(x: float, score: float, frame: int = 0) -> Detection:
    return Detection("a", frame, person(x), score)


def precision(detections: list[Detection], ignored: tuple[Ignored, ...] = ()) -> float:
    matches = match_detections(detections, PEOPLE, COCO17, IMAGES, ignored)
    return float(average_precisions(matches, np.ones((1, matches.positives.shape[1])))[0, 0])


def test_who_is_found_twice_or_where_nobody_is_counts_against_it() -> None:
    right = [found(0, 0.8), found(300, 0.7)]
    assert precision(right) == pytest.approx(1)
    # A wrong one before both: precision 1/2, then 2/3; its envelope is 2/3 at all 101 recalls.
    assert precision([found(0, 0.9, frame=1), *right]) == pytest.approx(2 / 3)
    assert precision([found(650, 0.9), *right]) == pytest.approx(2 / 3)
    # On an image that is not among those labelled it counts nowhere.
    assert precision([found(0, 0.9, frame=7), *right]) == pytest.approx(1)


def test_who_is_in_a_crowd_counts_nowhere() -> None:
    assert precision([found(650, 0.9), found(640, 0.85), found(0, 0.8), found(300, 0.7)], (CROWD,)) == pytest.approx(1)


def test_people_have_the_detection_that_is_most_like_them() -> None:
    detections = [found(301, 0.2), found(300, 0.9), found(2, 0.5), found(0, 0.5, frame=1)]
    assert assigned(detections, PEOPLE, COCO17) == [2, 1]
    assert assigned(detections[3:], PEOPLE, COCO17) == [None, None]


def test_who_was_not_found_has_all_joints_wrong() -> None:
    scores = evaluate_found([found(0, 0.9)], PEOPLE, COCO17, IMAGES, head="bbox", bootstrap=0)
    assert scores.document["pckh"]["total"]["value"] == 0.5
    assert scores.document["boxes"] == "its own"
    assert scores.document["ar"]["value"] == 0.5


def test_a_skeleton_without_sigmas_is_scored_by_its_joints_alone() -> None:
    people = [sample(person(0)[:14], "a", 0, box=(0, 0, 100, 100))]
    near = [Detection("a", 0, person(200)[:14], 0.9), Detection("a", 0, person(1)[:14], 0.1)]
    assert LSP14.sigmas == ()
    assert assigned(near, people, LSP14) == [1]
    scores = evaluate_found(near, people, LSP14, IMAGES, head="bbox", bootstrap=0)
    assert scores.document["pckh"]["total"]["value"] == 1
    assert "ap" not in scores.document
