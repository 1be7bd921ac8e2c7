"""Rates of clips."""

from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.rates import fastest_rate, is_even, rate_words, with_rate
from emc.pose.records import Clip, Role

VIDEO = Clip("slow", "/m/slow.mp4", Role.TARGET, "ana", 4, 64, 48, fps=25.0, times=np.arange(4) / 25)
PHOTOS = Clip("photos", "/m/photos", Role.TARGET, "ana", 4, 64, 48, kind="images")


def test_a_told_rate_scales_all_times_alike() -> None:
    uneven = np.array([0.0, 0.04, 0.10, 0.12])
    slow = with_rate(VIDEO, 100.0, 25.0, uneven)
    assert slow.times is not None and slow.played_times is not None
    assert (slow.fps, slow.file_fps, slow.played_fps) == (100.0, 25.0, 25.0)
    assert slow.times == pytest.approx([0.0, 0.01, 0.025, 0.03])
    assert slow.played_times == pytest.approx(uneven)
    assert rate_words(slow) == "100 frames per second (the file plays at 25)"


def test_the_files_own_rate_takes_a_told_one_back() -> None:
    back = with_rate(with_rate(VIDEO, 100.0, 25.0, VIDEO.times), 25.0, 25.0, VIDEO.times)
    assert (back.fps, back.file_fps) == (25.0, 0.0)
    assert back.times is VIDEO.times


def test_pictures_stand_alone_until_a_rate_is_told() -> None:
    assert PHOTOS.still and "each picture stands alone" in rate_words(PHOTOS)
    film = with_rate(PHOTOS, 50.0)
    assert not film.still and film.times is not None
    assert film.times.tolist() == [0.0, 0.02, 0.04, 0.06]


@pytest.mark.parametrize("fps", [0.0, -3.0, float("nan"), float("inf"), 1e6])
def test_what_is_no_rate_is_refused(fps: float) -> None:
    with pytest.raises(UsageError, match="are no rate of a film"):
        with_rate(PHOTOS, fps)


def test_stamps_that_are_rounded_to_a_clock_are_even() -> None:
    assert is_even(np.array([0.0, 0.033, 0.067, 0.1, 0.133]))
    assert not is_even(np.array([0.0, 0.033, 0.1, 0.133]))


def test_the_fastest_rate_is_no_glitch_of_the_stamps() -> None:
    assert fastest_rate(np.array([0.0, 0.1, 0.2, 0.22, 0.24])) == pytest.approx(50)
    assert fastest_rate(np.array([0.0, 0.1, 0.2, 0.2001, 0.3])) == pytest.approx(1 / 0.0999)
