"""Motion against a still background, on pictures made by hand: a bright patch that walks over a dim gradient."""

from __future__ import annotations

import numpy as np
import pytest

from emc.detectors.embedded.detector import NOTHING, EmbeddedDetector
from emc.detectors.embedded.motion import (
    foreground,
    joined_with_motion,
    moved_scores,
    moving_boxes,
    shrunk,
    still_background,
)
from emc.detectors.embedded.observations import Observation
from emc.errors import InputError
from emc.pose.records import Box


def walking(count: int = 12, size: tuple[int, int] = (160, 120), wide: int = 10) -> list[np.ndarray]:
    """Return frames (120, 160, 3) with a patch `wide` wide and 60 high, its left edge at 12 x the frame's number."""
    width, height = size
    ground = np.broadcast_to(np.linspace(40, 90, width)[None, :, None], (height, width, 3)).astype(np.uint8)
    frames = []
    for number in range(count):
        frame = ground.copy()
        frame[40:100, 12 * number : 12 * number + wide] = 220
        frames.append(frame)
    return frames


def test_the_background_is_what_stays() -> None:
    frames = walking()
    background = still_background([shrunk(one) for one in frames])
    assert background is not None
    assert np.abs(background.picture - np.linspace(40, 90, 160)[None, :, None]).max() < 2
    mask = foreground(shrunk(frames[5]), background)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert [rows[0], rows[-1] + 1] == pytest.approx([40, 100], abs=2)
    assert [columns[0], columns[-1] + 1] == pytest.approx([60, 70], abs=2)


def test_no_background_for_few_frames_other_sizes_or_a_moving_camera() -> None:
    frames = walking()
    assert still_background([shrunk(one) for one in frames[:7]]) is None
    assert still_background([shrunk(one) for one in [*frames[:-1], frames[0][:-1]]]) is None
    rng = np.random.default_rng(0)
    scene = np.kron(rng.integers(0, 255, (40, 80, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    panned = [scene[:200, 20 * number : 20 * number + 240] for number in range(12)]
    assert still_background([shrunk(one) for one in panned]) is None


def test_no_background_where_nobody_leaves_their_place() -> None:
    frames = [walking()[number % 2] for number in range(12)]
    assert still_background([shrunk(one) for one in frames]) is None


def test_a_change_of_light_is_no_person() -> None:
    frames = walking()
    background = still_background([shrunk(one) for one in frames])
    assert background is not None
    brighter = np.clip(frames[3].astype(int) + 60, 0, 255).astype(np.uint8)
    assert not foreground(shrunk(brighter), background).any()


def test_only_a_box_that_fits_what_moves_gains() -> None:
    mask = np.zeros((60, 80), bool)
    mask[20:50, 30:40] = True
    fitting, loose, half, still = [60.0, 40, 20, 60], [30.0, 10, 100, 110], [60.0, 40, 20, 30], [110.0, 40, 20, 60]
    before = np.full(4, 0.2)
    after = moved_scores(before, np.array([fitting, loose, half, still]), mask, (160, 120))
    assert after[0] == pytest.approx(1 / (1 + np.exp(-(np.log(0.25) + 3))), abs=0.06)
    assert after[0] > after[2] > after[1] > 0.2
    assert after[3] == pytest.approx(0.2)


def test_moving_pieces_become_boxes_where_they_could_be_a_person() -> None:
    mask = np.zeros((60, 80), bool)
    mask[10:28, 20:30] = True
    mask[34:50, 21:29] = True  # the same body below a belt of the background's colour
    mask[5:7, 50:52] = True  # a leaf
    mask[59, 0:80] = True  # a wire
    assert moving_boxes(mask, (160, 120)).tolist() == [[39.5, 19.5, 20.0, 80.0]]
    assert moving_boxes(np.zeros((60, 80), bool), (160, 120)).shape == (0, 4)


def test_what_moves_is_added_replaces_the_unsure_and_yields_to_the_sure() -> None:
    person, arm = [100.0, 50, 40, 100], [100.0, 60, 15, 30]
    moving = np.array([person])
    boxes, scores = joined_with_motion(np.zeros((0, 4)), np.zeros(0), moving)
    assert (boxes.tolist(), scores.tolist()) == ([person], [0.45])

    around = np.array([[60.0, 0, 160, 200]])
    boxes, scores = joined_with_motion(around, np.array([0.4]), moving)
    assert (boxes.tolist(), scores.tolist()) == ([person], [0.45])
    boxes, scores = joined_with_motion(np.array([person]), np.array([0.9]), np.array([arm]))
    assert (boxes.tolist(), scores.tolist()) == ([person], [0.9])
    boxes, scores = joined_with_motion(np.array([arm]), np.array([0.9]), moving)
    assert (boxes.tolist(), scores.tolist()) == ([person], [0.45])
    near = np.array([[102.0, 52, 42, 96]])
    boxes, scores = joined_with_motion(near, np.array([0.6]), moving)
    assert (boxes.tolist(), scores.tolist()) == ([person], [0.6])
    two = np.array([person, [150.0, 40, 40, 90]])
    boxes, scores = joined_with_motion(np.array([[95.0, 35, 100, 120]]), np.array([0.8]), two)
    assert (boxes.tolist(), scores.tolist()) == (two.tolist(), [0.45, 0.45])
    other = np.array([[300.0, 50, 40, 100], [400.0, 50, 40, 100]])
    boxes, scores = joined_with_motion(other, np.array([0.7, 0.4]), moving)
    assert (boxes.tolist(), scores.tolist()) == ([other[0].tolist(), person], [0.7, 0.45])


def test_what_was_looked_at_is_told_as_it_would_be_found() -> None:
    detector = EmbeddedDetector()
    frames = walking(wide=14)
    moving = detector.with_background(frames)
    assert moving.uses_motion
    assert any(moving.observed.values())
    assert moving.observed == dict(enumerate(moving.detect(frames, range(12))))
    still = detector.with_background([frames[0]] * 8)
    assert not still.uses_motion
    assert still.observed == dict(enumerate(detector.detect([frames[0]] * 8, range(8))))
    assert detector.observed == {}


def test_it_is_enough_to_be_sure_on_half_of_the_frames() -> None:
    detector = EmbeddedDetector()
    sure, unsure = (Observation(0, (9, 9), (), NOTHING, [Box(0, (1, 1, 4, 4), score)]) for score in (0.5, 0.35))
    assert detector.enough([sure, unsure, sure], 4)
    assert not detector.enough([sure, unsure, sure], 5)
    assert not detector.adapted([sure] * 4, 8).uses_motion


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
