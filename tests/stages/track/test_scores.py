"""Identity scores against counts made by hand."""

from __future__ import annotations

import pytest

from emc.pose.records import Box
from emc.stages.track import track_scores


def at(frame: int, x: float, person: int, score: float = 1.0, width: float = 10.0) -> Box:
    return Box(frame, (x, 0.0, width, 20.0), score, person)


def test_two_persons_whose_numbers_are_exchanged_half_way() -> None:
    truth = [(frame, [at(frame, 0, 0), at(frame, 100, 1)]) for frame in range(10)]
    tracked = [(f, [at(f, 0, 0 if f < 6 else 1), at(f, 100, 1 if f < 6 else 0)]) for f in range(10)]
    scores = track_scores(truth, tracked)
    assert (scores.persons, scores.found, scores.false, scores.switches, scores.numbers) == (20, 20, 0, 2, 2)
    assert scores.identity == 12  # six frames of each under the better naming
    assert scores.idf1 == pytest.approx(2 * 12 / (20 + 20))
    assert scores.mota == pytest.approx(1 - 2 / 20)


def test_missed_false_and_double_boxes() -> None:
    truth = [(0, [at(0, 0, 5)]), (1, [at(1, 0, 5)]), (2, [])]
    tracked = [(0, [at(0, 0, 1), at(0, 5, 2)]), (1, []), (2, [at(2, 50, 1)])]
    scores = track_scores(truth, tracked)
    assert (scores.persons, scores.found, scores.false, scores.doubles) == (2, 1, 2, 1)
    assert (scores.recall, scores.precision) == (0.5, pytest.approx(1 / 3))
    assert scores.mota == pytest.approx(1 - (1 + 2) / 2)
    assert scores.idf1 == pytest.approx(2 / (2 + 3))


def test_who_is_hardly_to_be_seen_counts_neither_way() -> None:
    truth = [(0, [at(0, 0, 0), at(0, 100, 1, score=0.0)])]
    both = track_scores(truth, [(0, [at(0, 0, 3), at(0, 100, 4)])])
    assert (both.persons, both.found, both.false) == (1, 1, 0)
    one = track_scores(truth, [(0, [at(0, 0, 3)])])
    assert (one.persons, one.found, one.false, one.recall) == (1, 1, 0, 1.0)


def test_a_gap_is_no_switch_but_another_number_after_it_is() -> None:
    truth = [(frame, [at(frame, 0, 0)]) for frame in range(4)]
    same = track_scores(truth, [(0, [at(0, 0, 7)]), (3, [at(3, 0, 7)])])
    other = track_scores(truth, [(0, [at(0, 0, 7)]), (3, [at(3, 0, 8)])])
    assert (same.switches, other.switches) == (0, 1)


def test_clips_add_up_and_nothing_is_nothing() -> None:
    truth, tracked = [(0, [at(0, 0, 0)])], [(0, [at(0, 0, 0)])]
    one = track_scores(truth, tracked)
    assert (one + one).persons == 2
    assert (one + one).idf1 == 1.0
    assert track_scores([], []).idf1 == 0.0


def test_the_better_overlap_is_matched() -> None:
    truth = [(0, [at(0, 0, 0)])]
    scores = track_scores(truth, [(0, [at(0, 3, 1), at(0, 1, 2)])])
    assert (scores.found, scores.false, scores.doubles) == (1, 1, 1)
