"""Pieces, groups and persons in front of one another, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emc.detectors.embedded.suppress import whole_persons

PERSON = [100.0, 50.0, 60.0, 200.0]
UPPER = [105.0, 50.0, 50.0, 90.0]
LEGS = [110.0, 150.0, 40.0, 100.0]
NEIGHBOUR = [170.0, 60.0, 55.0, 190.0]
GROUP = [95.0, 45.0, 135.0, 210.0]
THIN = [110.0, 60.0, 50.0, 150.0]
FOOT = [105.0, 220.0, 30.0, 30.0]
CLOSE = [104.0, 55.0, 50.0, 190.0]


@pytest.mark.parametrize(
    ("boxes", "scores", "kept"),
    [
        ([PERSON, UPPER, LEGS], [0.8, 0.7, 0.6], [True, False, False]),
        ([PERSON, UPPER], [0.4, 0.45], [True, False]),
        ([PERSON, UPPER], [0.3, 0.9], [False, True]),
        ([GROUP, PERSON, NEIGHBOUR], [0.8, 0.7, 0.7], [False, True, True]),
        ([GROUP, PERSON, NEIGHBOUR], [0.9, 0.35, 0.3], [True, False, False]),
        ([GROUP, THIN], [0.6, 0.5], [False, True]),
        ([GROUP, THIN], [0.7, 0.5], [True, False]),
        ([PERSON, FOOT], [0.5, 0.5], [True, False]),
        ([PERSON, CLOSE], [0.6, 0.8], [False, True]),
        ([PERSON, CLOSE], [0.8, 0.6], [True, False]),
        ([PERSON, NEIGHBOUR], [0.8, 0.3], [True, True]),
        ([PERSON, PERSON], [0.5, 0.5], [True, False]),
        ([], [], []),
    ],
)
def test_one_box_per_person(boxes: list[list[float]], scores: list[float], kept: list[bool]) -> None:
    found = whole_persons(np.array(boxes).reshape(-1, 4), np.array(scores))
    assert found.tolist() == kept


def test_the_order_of_the_boxes_does_not_matter() -> None:
    boxes = np.array([PERSON, UPPER, LEGS, NEIGHBOUR, GROUP])
    scores = np.array([0.8, 0.7, 0.6, 0.75, 0.65])
    order = np.array([3, 1, 4, 0, 2])
    assert whole_persons(boxes[order], scores[order]).tolist() == whole_persons(boxes, scores)[order].tolist()
