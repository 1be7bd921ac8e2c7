from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.stages.sampling import sample_by_motion, sample_every, sample_fps, sample_uniform


def test_every_kth():
    assert sample_every(7, 3) == [0, 3, 6]
    assert sample_every(2, 5) == [0]
    assert sample_every(0, 2) == []
    with pytest.raises(UsageError, match="every 0-th"):
        sample_every(5, 0)


def test_fps_takes_the_frame_nearest_to_each_beat():
    assert sample_fps(np.arange(30) / 30, 10) == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]
    # Beats at 0, 0.5 and 1.0 s; the frame at 0.55 is nearer to 0.5 than the one at 0.4.
    assert sample_fps(np.array([0.0, 0.1, 0.4, 0.55, 0.9, 1.04]), 2) == [0, 3, 5]


def test_fps_above_the_rate_of_the_clip_takes_every_frame_once():
    assert sample_fps(np.arange(5) / 30, 240) == [0, 1, 2, 3, 4]


def test_fps_over_a_gap_takes_no_frame_twice():
    assert sample_fps(np.array([0.0, 0.1, 5.0]), 2) == [0, 1, 2]


def test_fps_of_nothing():
    assert sample_fps(np.zeros(0), 5) == []
    with pytest.raises(UsageError, match="0 frames per second"):
        sample_fps(np.zeros(3), 0)


def test_uniform_takes_the_middle_of_equal_parts():
    assert sample_uniform(10, 2) == [2, 7]
    assert sample_uniform(9, 3) == [1, 4, 7]
    assert sample_uniform(100, 1) == [50]
    assert sample_uniform(3, 8) == [0, 1, 2]
    with pytest.raises(UsageError, match="0 samples"):
        sample_uniform(3, 0)


def moving_square(places: list[int]) -> list[tuple[int, np.ndarray]]:
    frames = []
    for index, place in enumerate(places):
        image = np.zeros((90, 160, 3), dtype=np.uint8)
        image[30:60, place : place + 30] = 255
        frames.append((index + 100, image))
    return frames


def test_motion_draws_samples_to_where_the_picture_changes():
    still, moving = [10] * 40, list(range(10, 130, 6))
    chosen = sample_by_motion(moving_square(still + moving + [124] * 40), 10)
    assert len(chosen) == 10
    assert chosen == sorted(set(chosen))
    assert sum(140 <= index < 160 for index in chosen) >= 7
    assert min(chosen) < 140


def test_motion_of_a_still_clip_is_spread_evenly():
    assert sample_by_motion(moving_square([10] * 10), 2) == [102, 107]


def test_motion_with_one_jump_still_gives_the_count():
    assert len(sample_by_motion(moving_square([10] * 10 + [120] * 10), 6)) == 6


def test_motion_of_fewer_frames_than_asked():
    assert sample_by_motion(moving_square([10, 20]), 5) == [100, 101]
    assert sample_by_motion([], 5) == []
