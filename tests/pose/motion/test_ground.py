import numpy as np
import pytest

from emc.pose.motion.ground import LEVEL_FLOOR, height_above, tilt_between, world_axes


def test_heights_above_a_floor_below_a_level_camera():
    floor = np.array([0.0, -1.0, 0.0, 1.5])
    assert height_above(np.array([[3.0, 1.5, 4.0], [0.0, 0.0, 0.0]]), floor).tolist() == [0.0, 1.5]


def test_the_world_of_a_level_camera():
    axes = world_axes(np.array([0.0, -1.0, 0.0, 1.5]), np.array([0.5, 0.6, 4.0]))
    # The origin is on the floor below the given point; y is up, z comes back to the camera.
    assert axes.to_world(np.array([0.5, 0.6, 4.0])) == pytest.approx([0, 0.9, 0])
    assert axes.to_world(np.array([0.0, 0.0, 0.0])) == pytest.approx([-0.5, 1.5, 4.0])
    assert np.linalg.det(axes.rotation) == pytest.approx(1)


def test_there_and_back_under_a_tilted_camera():
    floor = np.array([0.1, -0.9, -0.3, 1.2])
    floor /= np.linalg.norm(floor[:3])
    axes = world_axes(floor, np.array([0.3, 0.2, 5.0]))
    points = np.random.default_rng(0).normal(size=(5, 3))
    assert axes.to_camera(axes.to_world(points)) == pytest.approx(points)
    assert axes.to_world(points)[:, 1] == pytest.approx(height_above(points, floor))


def test_tilt_is_the_angle_of_the_normals():
    assert tilt_between(LEVEL_FLOOR, np.array([0.0, -2.0, 0.0, 7.0])) == 0
    assert tilt_between(LEVEL_FLOOR, np.array([1.0, -1.0, 0.0, 0.0])) == pytest.approx(45)
