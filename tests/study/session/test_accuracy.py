"""The equal-quality rule, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.study.session.accuracy import measure_accuracy, person_scale, tolerances


def test_tolerance_is_two_sigmas_of_human_placement_and_never_below_two_pixels():
    radii = tolerances(COCO17, 100.0, 2.0)
    assert radii[0] == pytest.approx(5.2)  # nose: 2 x 0.026 x 100
    assert radii[11] == pytest.approx(21.4)  # hip: 2 x 0.107 x 100
    assert tolerances(COCO17, 20.0, 2.0)[0] == 2.0


def test_joints_of_a_skeleton_without_sigmas_have_an_elbows():
    assert tolerances(H36M17, 100.0, 2.0) == pytest.approx([14.4] * 17)


def test_scale_is_that_of_the_median_box_of_known_joints():
    reference = np.full((3, 17, 2), np.nan)
    for frame, (width, height) in enumerate(((10, 20), (20, 30), (40, 50))):
        reference[frame, 0], reference[frame, 5] = (100, 100), (100 + width, 100 + height)
    assert person_scale(reference) == pytest.approx(math.sqrt(600 * 0.53))
    assert person_scale(np.full((2, 17, 2), np.nan)) == 1.0


def test_judge_counts_right_wrong_and_missing_joints_by_frame():
    reference = np.full((2, 17, 2), np.nan)
    reference[0, 0] = reference[0, 11] = reference[1, 0] = (50, 50)
    placed = np.full((2, 17, 2), np.nan)
    placed[0, 0] = (53, 54)  # 5.0 px away, 5.2 allowed
    placed[0, 11] = (50, 72)  # 22 px away, 21.4 allowed
    placed[1, 3] = (10, 10)  # no reference: does not count
    found = measure_accuracy(reference, placed, COCO17, 100.0, 2.0)
    assert (found.counted, found.right, found.missing) == (3, 1, 1)
    assert found.wrong == {0: 1, 1: 1}
    assert found.share == pytest.approx(1 / 3)
    assert found.pixels == pytest.approx(13.5)
    nose, hip = math.exp(-25 / (2 * 5.2**2)), math.exp(-(22**2) / (2 * 21.4**2))
    assert found.oks == pytest.approx((nose + hip) / 3)


def test_nothing_that_counts_is_right():
    nothing = np.full((1, 17, 2), np.nan)
    found = measure_accuracy(nothing, nothing, COCO17, 100.0, 2.0)
    assert (found.share, found.counted) == (1.0, 0)
    assert math.isnan(found.pixels)


def test_different_frames_cannot_be_compared():
    with pytest.raises(ShapeMismatch, match=r"\(1, 17, 2\).*\(2, 17, 2\)"):
        measure_accuracy(np.zeros((1, 17, 2)), np.zeros((2, 17, 2)), COCO17, 1.0, 2.0)
