from __future__ import annotations

import numpy as np
import pytest
from tests.integration.label_files import box_of, figure

from emc.errors import InputError
from emc.workflow.labels.matching import Candidate, Known, likeness, match_persons, overlap


def known(x: float) -> Known:
    return Known(box_of(figure(x)).astype(float), figure(x))


def label(number: int, x: float, frame: int = 0, **more: object) -> Candidate:
    xy = figure(x)
    return Candidate(number, frame, xy, **{"box": box_of(xy).astype(float), **more})


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(np.array([0, 0, 10, 10.0]), np.array([5, 0, 10, 10.0])) == pytest.approx(50 / 150)
    assert overlap(np.array([0, 0, 10, 10.0]), np.array([20, 0, 10, 10.0])) == 0


def test_a_label_is_of_whom_it_overlaps_most() -> None:
    found, new = match_persons([label(1, 102), label(2, 12)], {0: {0: known(10), 1: known(100)}})
    assert (found, new) == ({1: 1, 2: 0}, 0)


def test_a_few_joints_are_compared_with_the_same_joints() -> None:
    xy = np.where(np.arange(17)[:, None] < 5, figure(10), np.nan)
    assert likeness(Candidate(1, 0, xy), known(10)) == pytest.approx(1)
    # The head alone covers little of the person's box: by the boxes it would be somebody else.
    assert overlap(box_of(figure(10)[:5]).astype(float), known(10).box) < 0.1
    assert likeness(Candidate(1, 0, xy, box=box_of(figure(10)[:5]).astype(float)), known(10)) == pytest.approx(1)
    assert likeness(Candidate(1, 0, xy), known(60)) == 0


def test_who_overlaps_nobody_is_new_and_counted() -> None:
    found, new = match_persons([label(1, 10), label(2, 150)], {0: {0: known(10)}})
    assert (found, new) == ({1: 0, 2: 1}, 1)


def test_a_number_holds_only_where_it_is_the_same_person() -> None:
    here = {0: {0: known(10), 1: known(100)}}
    assert match_persons([label(1, 100, said=1)], here)[0] == {1: 1}
    # Another run numbers them the other way round.
    assert match_persons([label(1, 100, said=0)], here)[0] == {1: 1}
    assert match_persons([label(1, 100, said=7)], {})[0] == {1: 7}


def test_two_labels_that_say_the_same_number_are_refused() -> None:
    with pytest.raises(InputError, match="annotations 1 and 2 both say that they are person 3 on frame 0"):
        match_persons([label(1, 10, said=3), label(2, 100, said=3)], {})


def test_a_track_keeps_its_number_over_frames_where_nobody_is_known() -> None:
    rows = [label(1, 10, 0, track="a"), label(2, 100, 0, track="b"), label(3, 100, 1, track="b"),
            label(4, 10, 1, track="a"), label(5, 100, 2, track="b")]  # fmt: skip
    assert match_persons(rows, {})[0] == {1: 0, 2: 1, 3: 1, 4: 0, 5: 1}
    # Where some frames are predicted, the others of the track go with them.
    assert match_persons(rows, {1: {4: known(100), 6: known(10)}})[0] == {1: 6, 2: 4, 3: 4, 4: 6, 5: 4}


def test_nobody_gets_the_number_of_somebody_who_was_deleted_or_merged() -> None:
    here = {0: {0: known(10)}}
    assert match_persons([label(1, 10), label(2, 100)], here, gone={1})[0] == {1: 0, 2: 2}
    assert match_persons([label(1, 10, said=0), label(2, 100, said=1)], here, gone={1})[0] == {1: 0, 2: 2}
    assert match_persons([label(1, 100, track="a"), label(2, 101, 1, track="a")], here, gone={1})[0] == {1: 2, 2: 2}
