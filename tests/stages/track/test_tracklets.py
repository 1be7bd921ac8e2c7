"""Pieces, doubles and continuations of one person; every path is made by hand."""

from __future__ import annotations

import pytest

from emc.pose.records import Box
from emc.stages.track import TrackSettings, track
from emc.stages.track.tracklets import completed_boxes, merged_tracklets

Xywh = tuple[float, float, float, float]


def whole(frame: int, x0: float = 100.0) -> Xywh:
    return (x0 + 2.0 * frame, 50.0, 60.0, 200.0)


def upper(frame: int) -> Xywh:
    return (105.0 + 2.0 * frame, 50.0, 50.0, 90.0)


def legs(frame: int) -> Xywh:
    return (110.0 + 2.0 * frame, 150.0, 40.0, 100.0)


def numbers(rows: list[tuple[int, list[Box]]]) -> set[int]:
    return {box.track for _, boxes in rows for box in boxes}


def test_an_upper_body_becomes_the_person_whom_the_frames_around_show() -> None:
    boxes = [Box(f, upper(f) if 8 <= f < 12 else whole(f), 0.6) for f in range(20)]
    for box in completed_boxes(boxes):
        assert box.xywh == pytest.approx(whole(box.frame))
    assert [box.score for box in completed_boxes(boxes)] == [0.6] * 20


def test_someone_who_crouches_keeps_the_low_box() -> None:
    low = [Box(f, (100.0, 150.0, 70.0, 100.0) if 8 <= f < 12 else (100.0, 50.0, 60.0, 200.0)) for f in range(20)]
    assert completed_boxes(low) == low


def test_legs_found_beside_the_upper_body_are_no_second_person() -> None:
    frames = []
    for f in range(40):
        found = [Box(f, whole(f), 0.8)] if f % 10 != 5 else [Box(f, upper(f), 0.8)]
        if 10 <= f < 30:
            found.append(Box(f, legs(f), 0.5))
        frames.append((f, found))
    tracked = list(track(frames))
    assert numbers(tracked) == {0}
    for frame, (box,) in tracked:
        assert box.xywh == pytest.approx(whole(frame), abs=1e-6)
    assert numbers(list(track(frames, TrackSettings(reunite=False)))) == {0, 1}


def test_a_number_handed_on_by_turns_is_one_person() -> None:
    first = [Box(f, whole(f), 0.8) for f in range(30) if f < 20 or f % 3 == 0]
    second = [Box(f, whole(f, 104.0), 0.7) for f in range(20, 50) if f >= 30 or f % 3]
    (line,) = merged_tracklets([first, second])
    assert [box.frame for box in line] == list(range(50))


def test_two_persons_side_by_side_or_crossing_stay_two() -> None:
    beside = [[Box(f, whole(f, x)) for f in range(30)] for x in (100.0, 150.0)]
    assert len(merged_tracklets(beside)) == 2
    crossing = [
        [Box(f, (10.0 * f, 50.0, 60.0, 200.0)) for f in range(40)],
        [Box(f, (400.0 - 10.0 * f, 60.0, 60.0, 180.0)) for f in range(40)],
    ]
    assert len(merged_tracklets(crossing)) == 2


def test_a_small_person_in_front_who_is_seen_at_the_same_time_stays() -> None:
    adult = [Box(f, (100.0, 50.0, 100.0, 200.0)) for f in range(30)]
    child = [Box(f, (110.0, 130.0, 80.0, 120.0)) for f in range(30)]
    assert len(merged_tracklets([adult, child])) == 2


def test_someone_lost_in_a_fast_movement_is_found_again() -> None:
    before = [Box(f, (100.0, 50.0, 60.0, 200.0)) for f in range(10)]
    after = [Box(f, (180.0, 120.0, 110.0, 140.0)) for f in range(14, 24)]
    (line,) = merged_tracklets([before, after])
    assert [box.frame for box in line] == [*range(10), *range(14, 24)]


def test_two_who_could_be_the_continuation_stay_apart() -> None:
    before = [Box(f, (100.0, 50.0, 60.0, 200.0)) for f in range(10)]
    either = [[Box(f, (x, 50.0, 60.0, 200.0)) for f in range(14, 24)] for x in (40.0, 170.0)]
    assert len(merged_tracklets([before, *either])) == 3


def test_nothing_in_nothing_out() -> None:
    assert merged_tracklets([]) == []
    assert list(track([(0, []), (1, [])])) == [(0, []), (1, [])]
