from __future__ import annotations

from collections.abc import Iterable

import pytest

from emc.errors import UsageError
from emc.pose.records import Box
from emc.stages.predict.boxes import detection_frames, filled_between, tracked_by_shots, tracked_by_stretches
from emc.stages.track import keep_largest, track


def test_the_detector_looks_at_every_kth_frame_and_the_last() -> None:
    assert detection_frames(range(10), 4) == [0, 4, 8, 9]
    assert detection_frames([3, 6, 9], 2) == [3, 9]
    assert detection_frames([], 5) == []
    assert detection_frames([7], 5) == [7]
    with pytest.raises(UsageError, match="every 0th"):
        detection_frames([1], 0)


def test_a_person_on_both_looks_is_placed_on_a_straight_line() -> None:
    rows = [(0, [Box(0, (0, 0, 10, 20), 0.9, 0)]), (4, [Box(4, (8, 4, 10, 40), 0.8, 0)])]
    filled = dict(filled_between(rows, range(5)))
    assert filled[0] == rows[0][1]
    assert filled[1] == [Box(1, (2.0, 1.0, 10.0, 25.0), 0.0, 0)]
    assert filled[3] == [Box(3, (6.0, 3.0, 10.0, 35.0), 0.0, 0)]
    assert filled[4] == rows[1][1]


def test_who_comes_or_goes_does_so_in_the_middle() -> None:
    rows = [(0, [Box(0, (0, 0, 9, 9), track=0)]), (5, [Box(5, (50, 0, 9, 9), track=1)])]
    filled = dict(filled_between(rows, range(6)))
    assert [[box.track for box in filled[frame]] for frame in range(6)] == [[0], [0], [0], [1], [1], [1]]
    assert filled[2][0].xywh == (0, 0, 9, 9)
    assert filled[3][0].xywh == (50, 0, 9, 9)


def test_frames_without_looks_have_no_boxes() -> None:
    assert list(filled_between([], [0, 1])) == [(0, []), (1, [])]
    assert list(filled_between([(0, []), (2, [])], [0, 1, 2])) == [(0, []), (1, []), (2, [])]


def two_people(frames: int) -> list[tuple[int, list[Box]]]:
    """One walks to the right from the start; another stands still from frame 30 on, unseen on frames 70 to 79."""
    rows = []
    for frame in range(frames):
        boxes = [Box(frame, (float(frame), 10.0, 30.0, 80.0), 0.9)]
        if frame >= 30 and not 70 <= frame < 80:
            boxes.append(Box(frame, (700.0, 10.0, 30.0, 80.0), 0.9))
        rows.append((frame, boxes))
    return rows


def whole(rows: Iterable[tuple[int, list[Box]]]) -> Iterable[tuple[int, list[Box]]]:
    return keep_largest(track(rows), 6)


@pytest.mark.parametrize("stretch", [20, 33, 50, 75])
def test_stretches_give_what_the_whole_clip_gives(stretch: int) -> None:
    rows = two_people(160)
    assert list(tracked_by_stretches(rows, whole, stretch, 35)) == list(whole(rows))


def test_a_short_clip_is_tracked_once_as_a_whole() -> None:
    sizes: list[int] = []

    def counted(rows: Iterable[tuple[int, list[Box]]]) -> Iterable[tuple[int, list[Box]]]:
        held = list(rows)
        sizes.append(len(held))
        return whole(held)

    assert len(list(tracked_by_stretches(two_people(60), counted, 50, 10))) == 60
    assert sizes == [60]
    assert list(tracked_by_stretches([], counted)) == []


def test_no_more_rows_are_taken_than_a_stretch_needs() -> None:
    taken = 0

    def rows() -> Iterable[tuple[int, list[Box]]]:
        nonlocal taken
        for row in two_people(500):
            taken += 1
            yield row

    assert next(iter(tracked_by_stretches(rows(), whole, 50, 20)))[0] == 0
    assert taken == 71


def test_someone_who_was_left_out_comes_back_under_a_new_number() -> None:
    rows = [(frame, [Box(frame, (5.0, 5.0, 20.0, 20.0), 0.9)]) for frame in range(30)]

    def absent_in_the_middle(some: Iterable[tuple[int, list[Box]]]) -> Iterable[tuple[int, list[Box]]]:
        held = list(some)
        middle = held[0][0] > 0 and held[-1][0] < 29
        return [(f, [] if middle else [Box(f, box.xywh, box.score, 0) for box in boxes]) for f, boxes in held]

    found = dict(tracked_by_stretches(rows, absent_in_the_middle, 10, 2))
    assert [box.track for box in found[0]] == [0]
    assert found[15] == []
    assert [box.track for box in found[29]] == [1]


def test_stretches_must_have_a_length() -> None:
    with pytest.raises(UsageError, match="stretches of 0"):
        list(tracked_by_stretches([], whole, 0, 1))


def test_nobody_keeps_a_number_over_a_cut() -> None:
    rows = [(frame, [Box(frame, (5, 5, 20, 40), 0.9)]) for frame in range(0, 12, 2)]
    tracked = dict(tracked_by_shots(rows, {5, 6}, track))
    assert {frame: [box.track for box in boxes] for frame, boxes in tracked.items()} == {
        0: [0], 2: [0], 4: [0], 6: [1], 8: [1], 10: [1],
    }  # fmt: skip


def test_shots_without_persons_take_no_number() -> None:
    rows = [(0, [Box(0, (5, 5, 20, 40), 0.9)]), (1, []), (2, [Box(2, (5, 5, 20, 40), 0.9)])]
    assert [len(boxes) for _, boxes in tracked_by_shots(rows, range(1, 3), track)] == [1, 0, 1]
    assert [box.track for _, boxes in tracked_by_shots(rows, range(1, 3), track) for box in boxes] == [0, 1]
