from __future__ import annotations

import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.candidates import Candidate, Source, interpolated, mirrored_place, second_peak


def bump(row: float, column: float, height: float, spread: float = 1.2) -> np.ndarray:
    rows, columns = np.indices((32, 32))
    return height * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * spread**2))


def test_keys_follow_the_sources() -> None:
    keys = [Candidate(source, (0.0, 0.0), 1.0).key for source in Source]
    assert keys == [1, 2, 3, 4]
    assert [str(s) for s in Source] == ["peak", "tracker", "interpolation", "mirror"]


def test_the_second_peak_is_found_to_a_part_of_a_cell() -> None:
    found = second_peak(bump(8, 8, 1.0) + bump(20, 24.3, 0.5))
    assert found is not None
    place, share = found
    np.testing.assert_allclose(place, [24.3, 20.0], atol=0.2)
    assert 0.25 < share < 0.34  # a third of the mass, the tails left out


def test_the_slope_of_the_first_peak_is_no_second_one() -> None:
    assert second_peak(bump(8, 8, 1.0)) is None or second_peak(bump(8, 8, 1.0))[1] < 1e-3  # type: ignore[index]
    assert second_peak(np.zeros((8, 8))) is None
    with pytest.raises(ShapeMismatch):
        second_peak(np.zeros(8))


def test_interpolation_goes_between_the_nearest_trusted_neighbours() -> None:
    frames = np.arange(6)
    places = np.array([[0, 0], [10, 0], [99, 99], [77, 77], [40, 30], [0, 0]], float)
    confidence = np.array([1, 0.8, 0.2, 0.9, 1.0, 1.0])
    found = interpolated(frames, places, confidence, 3)
    assert found is not None
    place, score = found
    np.testing.assert_allclose(place, [30, 20])  # two thirds of the way from frame 1 to frame 4
    assert score == pytest.approx(0.8 / 1.5)


def test_interpolation_needs_both_sides() -> None:
    places = np.zeros((3, 2))
    assert interpolated(np.arange(3), places, np.array([1.0, 1.0, 0.1]), 1) is None
    assert interpolated(np.array([0, 30, 60]), places, np.ones(3), 30) is None


def test_the_mirror_joint_is_reflected_at_an_upright_body() -> None:
    xy = np.full((17, 2), np.nan)
    xy[COCO17.index("left_hip")], xy[COCO17.index("right_hip")] = (110, 200), (90, 200)
    xy[COCO17.index("left_shoulder")], xy[COCO17.index("right_shoulder")] = (120, 100), (80, 100)
    xy[COCO17.index("left_wrist")] = (150, 180)
    np.testing.assert_allclose(mirrored_place(xy, COCO17, COCO17.index("right_wrist")), [50, 180])  # type: ignore[arg-type]
    assert mirrored_place(xy, COCO17, COCO17.index("left_wrist")) is None
    assert mirrored_place(xy, COCO17, COCO17.index("nose")) is None


def test_the_mirror_follows_a_body_that_lies() -> None:
    xy = np.full((17, 2), np.nan)
    xy[COCO17.index("left_hip")], xy[COCO17.index("right_hip")] = (200, 110), (200, 90)
    xy[COCO17.index("left_shoulder")], xy[COCO17.index("right_shoulder")] = (100, 110), (100, 90)
    xy[COCO17.index("left_ankle")] = (300, 130)
    np.testing.assert_allclose(mirrored_place(xy, COCO17, COCO17.index("right_ankle")), [300, 70])  # type: ignore[arg-type]
    xy[COCO17.index("right_hip")] = np.nan
    np.testing.assert_allclose(mirrored_place(xy, COCO17, COCO17.index("right_ankle")), [-100, 130])  # type: ignore[arg-type]
