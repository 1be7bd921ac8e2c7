from __future__ import annotations

import numpy as np
import pytest

from emc.estimators.rotation.picture import (
    rotated_box,
    rotated_picture,
    rotated_upright,
    rotation_affine,
    upright_angle,
)
from emc.pose.geometry import transform
from emc.pose.records import Sample
from emc.pose.skeletons.skeleton import COCO17

BOX = np.array([20.0, 30.0, 40.0, 60.0])


def lying(direction: tuple[float, float]) -> Sample:
    """Hips at (50, 50), shoulders 20 pixels away in a direction; nothing else is labelled."""
    xy = np.full((17, 2), np.nan, np.float32)
    for joint in (11, 12):
        xy[joint] = (50, 50)
    for joint in (5, 6):
        xy[joint] = (50 + 20 * direction[0], 50 + 20 * direction[1])
    image = np.zeros((100, 100, 3), np.uint8)
    return Sample(image, xy, np.isfinite(xy[:, 0]).astype(np.int8) * 2, BOX.astype(np.float32), "c", "g", 0, head=10.0)


@pytest.mark.parametrize(
    ("direction", "angle"),
    [((0, -1), 0), ((1, 0), 90), ((0, 1), 180), ((-1, 0), 270), ((1, -1), 45), ((0.2, -1), 0), ((-1, 1), 225)],
)
def test_the_rotation_that_brings_the_trunk_up(direction: tuple[float, float], angle: float) -> None:
    sample = lying(direction)
    assert upright_angle(sample, 8, COCO17) == angle
    rotated = rotated_upright(sample, 8, COCO17, 400)
    rise = rotated.xy[5] - rotated.xy[11]
    assert rise[1] < 0  # shoulders above hips
    assert abs(rise[0]) <= abs(rise[1]) * 0.42  # within 22.5 degrees of upright


def test_a_sample_without_hips_stays_as_it_is() -> None:
    sample = lying((0, 1))
    sample.visibility[[11, 12]] = 0
    assert rotated_upright(sample, 8, COCO17, 400) is sample


def test_lengths_shrink_with_a_picture_that_is_shrunk() -> None:
    rotated = rotated_upright(
        lying((0, 1)), 8, COCO17, 51
    )  # 1.7 x 60 = 102 pixels become 51: 101 steps between centres, 50 now
    assert rotated.image.shape == (51, 51, 3)
    assert rotated.head == pytest.approx(10 * 50 / 102)
    assert rotated.scale == pytest.approx(102 / 50)
    assert np.linalg.norm(rotated.xy[5] - rotated.xy[11]) == pytest.approx(20 * 50 / 102, rel=1e-4)


def test_the_middle_of_the_box_stays_in_the_middle_and_its_sides_change_places_at_a_right_angle() -> None:
    affine, size = rotation_affine(BOX, 90.0, 400)
    assert size == 102
    assert transform(np.array([40.0, 60.0]), affine) == pytest.approx([50.5, 50.5])
    scale = 101 / 102
    assert rotated_box(BOX, 90.0, affine)[2:] == pytest.approx([60 * scale, 40 * scale])
    assert rotated_box(BOX, 180.0, affine)[2:] == pytest.approx([40 * scale, 60 * scale])
    assert rotated_box(BOX, 45.0, affine)[2:] == pytest.approx([60 * scale, 60 * scale])


def test_the_picture_rotates_counter_clockwise_as_seen() -> None:
    image = np.zeros((120, 120, 3), np.uint8)
    image[60 - 3 : 60 + 4, 60 + 17 : 60 + 24] = 255  # right of the middle of a box around (60, 60)
    affine, size = rotation_affine(np.array([40.0, 40.0, 40.0, 40.0]), 90.0, 400)
    picture = rotated_picture(image, affine, size)
    y, x = np.argwhere(picture[..., 0] > 200).mean(axis=0)
    assert x == pytest.approx((size - 1) / 2, abs=1)
    assert y < size / 2 - 15  # it is above now
