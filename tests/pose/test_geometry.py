from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from emc.errors import ShapeMismatch
from emc.pose.geometry import (
    Camera,
    bounding_box,
    box_to_square,
    crop_affine,
    invert_affine,
    outside,
    similarity_align,
    transform,
)


def test_square_is_centred_and_padded() -> None:
    assert_allclose(box_to_square(np.array([10.0, 20.0, 40.0, 20.0]), padding=1.25), [30.0, 30.0, 50.0])


def test_crop_maps_the_square_onto_pixel_centres() -> None:
    affine = crop_affine(np.array([50.0, 40.0, 20.0]), size=11)
    corners = np.array([[40.0, 30.0], [60.0, 50.0], [50.0, 40.0]])
    assert_allclose(transform(corners, affine), [[0, 0], [10, 10], [5, 5]], atol=1e-12)


def test_turning_by_a_quarter_is_counter_clockwise_on_screen() -> None:
    affine = crop_affine(np.array([0.0, 0.0, 10.0]), size=11, angle=90.0)
    # A point right of the centre goes up; y points down.
    assert_allclose(transform(np.array([[5.0, 0.0]]), affine), [[5.0, 0.0]], atol=1e-12)


def test_flip_mirrors_the_crop_exactly() -> None:
    square = np.array([3.0, 7.0, 16.0])
    points = np.array([[1.0, 2.0], [9.5, 11.0]])
    plain = transform(points, crop_affine(square, 9))
    flipped = transform(points, crop_affine(square, 9, flip=True))
    assert_allclose(flipped[:, 0], 8 - plain[:, 0])
    assert_allclose(flipped[:, 1], plain[:, 1])


def test_inverse_affine_returns_points() -> None:
    affine = crop_affine(np.array([3.0, 7.0, 16.0]), 9, angle=33.0, flip=True)
    points = np.array([[1.0, 2.0], [np.nan, np.nan]])
    assert_allclose(transform(transform(points, affine), invert_affine(affine)), points, atol=1e-12)


def test_camera_projects_by_hand() -> None:
    intrinsic = np.array([[100.0, 0, 50], [0, 100.0, 40], [0, 0, 1]])
    camera = Camera(intrinsic, np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 4.0]), (100, 80))
    # A metre up and to the right, four metres ahead: 25 pixels each way.
    assert_allclose(camera.project(np.array([[1.0, 1.0, 0.0]])), [[75.0, 15.0]])
    assert np.isnan(camera.project(np.array([[0.0, 0.0, 5.0]]))).all()


def test_similarity_undoes_scale_rotation_and_shift_but_no_reflection() -> None:
    rng = np.random.default_rng(0)
    fixed = rng.normal(size=(6, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    assert_allclose(similarity_align(3.0 * fixed @ turn + 5.0, fixed), fixed, atol=1e-9)
    mirrored = fixed * np.array([-1.0, 1.0, 1.0])
    assert np.abs(similarity_align(mirrored, fixed) - fixed).max() > 0.1
    with pytest.raises(ShapeMismatch, match=r"\(6, 3\) and \(5, 3\)"):
        similarity_align(fixed, fixed[:5])


def test_bounding_box_ignores_missing_joints() -> None:
    xy = np.array([[2.0, 3.0], [np.nan, np.nan], [12.0, 8.0]])
    assert_allclose(bounding_box(xy), [2, 3, 10, 5])
    assert_allclose(bounding_box(xy, margin=0.1), [1, 2, 12, 7])
    with pytest.raises(ShapeMismatch, match="no finite point"):
        bounding_box(np.full((3, 2), np.nan))


def test_a_joint_may_lie_outside_by_a_quarter_of_the_longer_side() -> None:
    # 200 x 100: 50 pixels beyond the first pixel (0) and the last (199, 99).
    places = np.array([[0, 0], [-50, -50], [249, 149], [-50.5, 0], [0, 149.5], [np.nan, np.nan]])
    assert outside(places, 200, 100).tolist() == [False, False, False, True, True, False]
