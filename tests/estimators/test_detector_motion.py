"""Motion against a still background, on pictures made by hand: a bright patch that walks over a dim gradient."""

from __future__ import annotations

import numpy as np
import pytest

from emc.errors import InputError
from emc.estimators.detector_motion import foreground, moved_scores, still_background
from emc.estimators.detectors import EmbeddedDetector


def walking(count: int = 12, size: tuple[int, int] = (160, 120)) -> list[np.ndarray]:
    """Return frames (120, 160, 3) with a patch 10 wide and 40 high whose left edge is at 12 x the frame's number."""
    width, height = size
    ground = np.broadcast_to(np.linspace(40, 90, width)[None, :, None], (height, width, 3)).astype(np.uint8)
    frames = []
    for number in range(count):
        frame = ground.copy()
        frame[50:90, 12 * number : 12 * number + 10] = 220
        frames.append(frame)
    return frames


def test_the_background_is_what_stays() -> None:
    frames = walking()
    background = still_background(frames)
    assert background is not None
    assert np.abs(background.picture - np.linspace(40, 90, 160)[None, :, None]).max() < 2
    mask = foreground(frames[5], background)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert [rows[0], rows[-1] + 1] == pytest.approx([50, 90], abs=2)
    assert [columns[0], columns[-1] + 1] == pytest.approx([60, 70], abs=2)


def test_no_background_for_few_frames_other_sizes_or_a_moving_camera() -> None:
    frames = walking()
    assert still_background(frames[:7]) is None
    assert still_background([*frames[:-1], frames[0][:-1]]) is None
    rng = np.random.default_rng(0)
    scene = np.kron(rng.integers(0, 255, (40, 80, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    panned = [scene[:200, 20 * number : 20 * number + 240] for number in range(12)]
    assert still_background(panned) is None


def test_a_change_of_light_is_no_person() -> None:
    frames = walking()
    background = still_background(frames)
    assert background is not None
    assert not foreground(np.clip(frames[3].astype(int) + 60, 0, 255).astype(np.uint8), background).any()


def test_only_a_box_that_fits_what_moves_gains() -> None:
    mask = np.zeros((60, 80), bool)
    mask[20:50, 30:40] = True
    fitting, loose, half, still = [60.0, 40, 20, 60], [30.0, 10, 100, 110], [60.0, 40, 20, 30], [110.0, 40, 20, 60]
    before = np.full(4, 0.2)
    after = moved_scores(before, np.array([fitting, loose, half, still]), mask, (160, 120))
    assert after[0] == pytest.approx(1 / (1 + np.exp(-(np.log(0.25) + 3))), abs=0.06)
    assert after[0] > after[2] > after[1] > 0.2
    assert after[3] == pytest.approx(0.2)


def test_with_background_leaves_the_detector_as_it_was() -> None:
    detector = EmbeddedDetector()
    frames = walking()
    assert detector.with_background(frames).uses_motion
    assert not detector.with_background(frames[:3]).uses_motion
    assert not detector.uses_motion
    before = detector.detect(frames[:2], [0, 1])
    assert detector.with_background(frames[:3]).detect(frames[:2], [0, 1]) == before
    with pytest.raises(InputError, match="frame 0 is an array of float64"):
        detector.with_background([np.zeros((4, 4, 3))])
