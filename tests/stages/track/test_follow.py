"""Tracks through crossings, occlusions, flickers and gaps; every path is made by hand, so the truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emc.errors import InputError, UsageError
from emc.pose.records import Box
from emc.stages.track import TrackSettings, keep_largest, track

Path = Callable[[int], tuple[float, float, float, float] | None]


def walk(start: float, speed: float, y: float = 50.0, width: float = 40.0, height: float = 120.0) -> Path:
    return lambda frame: (start + speed * frame - width / 2, y, width, height)


def hidden(path: Path, first: int, last: int) -> Path:
    return lambda frame: None if first <= frame <= last else path(frame)


def clip(paths: list[Path], frames: int, noise: float = 0.0, seed: int = 0) -> list[tuple[int, list[Box]]]:
    """Boxes of all paths on each frame, in an order that says nothing about who is who."""
    rng = np.random.default_rng(seed)
    rows = []
    for frame in range(frames):
        places = [path(frame) for path in paths]
        boxes = [
            Box(frame, tuple(float(v) for v in np.array(place) + rng.normal(0, noise, 4)), 0.9)
            for place in places
            if place is not None
        ]
        rows.append((frame, [boxes[i] for i in rng.permutation(len(boxes))]))
    return rows


def owners(tracked: list[tuple[int, list[Box]]], paths: list[Path], found_only: bool = True) -> list[list[int]]:
    """For each path the numbers that its boxes got, frame by frame, without repetitions."""
    seen: list[list[int]] = [[] for _ in paths]
    for frame, boxes in tracked:
        for number, path in enumerate(paths):
            place = path(frame)
            if place is None:
                continue
            real = [box for box in boxes if box.score > 0 or not found_only]
            near = min(real, key=lambda box: float(np.abs(np.array(box.xywh) - np.array(place)).sum()))
            if not seen[number] or seen[number][-1] != near.track:
                seen[number].append(near.track)
    return seen


def test_one_person_keeps_every_frame_and_number_zero() -> None:
    frames = clip([walk(100, 3)], 20, noise=1.0)
    tracked = list(track(frames))
    assert [index for index, _ in tracked] == list(range(20))
    assert [[box.track for box in boxes] for _, boxes in tracked] == [[0]] * 20
    assert tracked[0][1][0].xywh == frames[0][1][0].xywh


def test_numbers_rise_by_first_appearance_then_by_size() -> None:
    small, large = walk(100, 0, width=30, height=60), walk(400, 0, width=60, height=180)
    late = hidden(walk(250, 0), 0, 4)
    paths = [late, small, large]
    tracked = list(track(clip(paths, 15)))
    assert owners(tracked, paths) == [[2], [1], [0]]


@pytest.mark.parametrize("speed", [3.0, 8.0, 15.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_persons_crossing_at_different_depths_keep_their_numbers(speed: float, seed: int) -> None:
    near = walk(100, speed, y=40, width=60, height=170)
    far = walk(100 + 60 * speed, -speed, y=60, width=45, height=120)
    tracked = list(track(clip([near, far], 60, noise=1.5, seed=seed)))
    assert owners(tracked, [near, far]) == [[0], [1]]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_crossing_where_the_far_person_is_not_seen_behind_the_near_one(seed: int) -> None:
    speed = 6.0
    near = walk(100, speed, width=60, height=170)
    whole = walk(100 + 60 * speed, -speed, y=70, width=45, height=130)
    meets = [f for f in range(60) if abs(near(f)[0] + 30 - whole(f)[0] - 22.5) < 45]
    far = hidden(whole, meets[0], meets[-1])
    tracked = list(track(clip([near, far], 60, noise=1.5, seed=seed)))
    assert owners(tracked, [near, far]) == [[0], [1]]
    assert {box.track for _, boxes in tracked for box in boxes} == {0, 1}


def test_occlusion_is_bridged_with_boxes_of_score_zero() -> None:
    whole = walk(100, 4)
    tracked = dict(track(clip([hidden(whole, 10, 29)], 50)))
    assert [len(tracked[f]) for f in range(50)] == [1] * 50
    assert [tracked[f][0].score for f in (9, 10, 29, 30)] == [0.9, 0.0, 0.0, 0.9]
    assert tracked[20][0].xywh == pytest.approx(whole(20))
    assert {boxes[0].track for boxes in tracked.values()} == {0}


def test_longer_absence_than_max_gap_makes_a_new_person_and_no_bridge() -> None:
    frames = clip([hidden(walk(100, 0), 10, 20)], 40)
    tracked = dict(track(frames, TrackSettings(max_gap=10)))
    assert [len(tracked[f]) for f in (9, 10, 20, 21)] == [1, 0, 0, 1]
    assert (tracked[9][0].track, tracked[21][0].track) == (0, 1)
    bridged = dict(track(frames, TrackSettings(max_gap=11)))
    assert bridged[21][0].track == 0


def test_nothing_is_made_up_before_or_after_a_track() -> None:
    tracked = dict(track(clip([hidden(hidden(walk(100, 2), 0, 9), 30, 49)], 50)))
    assert [f for f in range(50) if tracked[f]] == list(range(10, 30))


def test_flickers_are_dropped_and_the_person_is_not_disturbed() -> None:
    person = walk(200, 2)
    frames = clip([person], 30)
    for frame in (5, 12, 13, 21):
        frames[frame][1].append(Box(frame, (500.0, 30.0, 40.0, 100.0), 0.95))
    tracked = list(track(frames))
    assert [[box.track for box in boxes] for _, boxes in tracked] == [[0]] * 30


def test_a_weak_box_carries_a_track_on_but_never_starts_one() -> None:
    frames = [(f, [Box(f, (50.0 + f, 50.0, 40.0, 100.0), 0.9 if f < 10 else 0.2)]) for f in range(20)]
    weak = [(f, [Box(f, (50.0, 50.0, 40.0, 100.0), 0.2)]) for f in range(20)]
    assert sum(len(boxes) for _, boxes in track(frames)) == 20
    assert sum(len(boxes) for _, boxes in track(weak)) == 0


def test_a_thing_that_always_looks_a_little_like_a_person_is_dropped() -> None:
    def chair(best: float) -> list[tuple[int, list[Box]]]:
        return [(f, [Box(f, (50.0, 50.0, 40.0, 100.0), best if f == 7 else 0.38)]) for f in range(20)]

    assert sum(len(boxes) for _, boxes in track(chair(0.40))) == 0
    assert sum(len(boxes) for _, boxes in track(chair(0.45))) == 20


def test_a_clip_shorter_than_min_hits_still_shows_its_person() -> None:
    assert [len(boxes) for _, boxes in track(clip([walk(50, 0)], 1))] == [1]
    assert list(track([])) == []


def test_frames_that_were_skipped_move_the_person_on() -> None:
    path = walk(100, 6)
    frames = [row for row in clip([path], 60) if row[0] % 5 == 0]
    tracked = list(track(frames))
    assert [index for index, _ in tracked] == list(range(0, 60, 5))
    assert {box.track for _, boxes in tracked for box in boxes} == {0}


def test_a_kick_that_doubles_the_width_keeps_the_number() -> None:
    def kick(frame: int) -> tuple[float, float, float, float]:
        reach = 60.0 * max(0.0, 1 - abs(frame - 15) / 5)
        return (200.0, 50.0, 50.0 + reach, 140.0)

    assert {box.track for _, boxes in track(clip([kick], 30, noise=1.0)) for box in boxes} == {0}


def test_keep_largest_weighs_length_times_area_and_renumbers() -> None:
    passer = hidden(walk(400, 2, width=90, height=220), 6, 39)
    athlete = hidden(walk(100, 0, width=50, height=150), 0, 1)
    child = walk(600, 0, width=20, height=60)
    rows = list(track(clip([passer, athlete, child], 40)))
    assert {box.track for _, boxes in rows for box in boxes} == {0, 1, 2}
    kept = dict(keep_largest(rows, 1))
    assert len(kept) == 40
    assert [f for f in range(40) if kept[f]] == list(range(2, 40))
    assert {box.track for boxes in kept.values() for box in boxes} == {0}
    assert kept[2][0].xywh == pytest.approx(athlete(2))


def test_wrong_input_is_named() -> None:
    box = Box(3, (0.0, 0.0, 10.0, 20.0))
    with pytest.raises(InputError, match="frame 3 comes after frame 4"):
        list(track([(4, []), (3, [box])]))
    with pytest.raises(InputError, match="frame 3 has a box"):
        list(track([(3, [Box(3, (0.0, 0.0, -1.0, 20.0))])]))
    with pytest.raises(UsageError, match="max_gap -1"):
        TrackSettings(max_gap=-1)
    with pytest.raises(UsageError, match="cannot keep 0 persons"):
        list(keep_largest([], 0))
