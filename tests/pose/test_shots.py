"""Where the whole picture changes at once."""

from __future__ import annotations

import numpy as np

from emc.pose.shots import cuts_between, first_frames, is_cut, thumb_of


def place(seed: int, shift: int = 0) -> np.ndarray:
    """A picture of 320 x 180; another seed is another place, a shift is a camera that turns."""
    blocks = np.random.default_rng(seed).integers(20, 236, (18, 40, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
    return blocks[:, shift : shift + 320]


def test_another_place_is_a_cut_and_a_turning_camera_is_none() -> None:
    here = thumb_of(place(0))
    assert here.shape == (18, 32) and here.dtype == np.uint8
    assert is_cut(here, thumb_of(place(1)))
    assert not is_cut(here, thumb_of(place(0, shift=2)))
    assert not is_cut(here, thumb_of(np.clip(place(0).astype(int) + 40, 0, 255).astype(np.uint8))), "a lamp goes on"


def test_shots_of_a_film() -> None:
    film = [place(0), place(0), place(1), place(1), place(2)]
    assert list(first_frames(enumerate(film))) == [2, 4]
    assert cuts_between([thumb_of(image) for image in film]).tolist() == [False, False, True, False, True]


def test_what_was_not_looked_at_is_no_cut() -> None:
    thumbs = [thumb_of(place(0)), None, thumb_of(place(1))]
    assert cuts_between(thumbs).tolist() == [False, False, False]
    assert cuts_between([None, None]).tolist() == [False, False]
