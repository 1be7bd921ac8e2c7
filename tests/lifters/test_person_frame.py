import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.lifters.person_frame import BONE_LENGTHS, fill_gaps, flat_pose, person_frame, person_size, ray_rotation
from emc.pose.skeletons.skeleton import H36M17
from emc.synth.body.rig import BodyShape
from emc.synth.motion.motions import generate_motion


def upright(pixels_per_metre=100.0, frames=1):
    """A figure that faces the camera with limbs in the image plane, and bones as long as `BONE_LENGTHS`."""
    trunk, thigh, shin, arm, fore = BONE_LENGTHS[:5]
    xy = np.zeros((17, 2))
    xy[:5] = [0, -0.7]
    for side, first in ((1, 5), (-1, 6)):
        x = 0.15 * side
        xy[first] = [x, -trunk]
        xy[first + 2], xy[first + 4] = [x, arm - trunk], [x, arm + fore - trunk]
        xy[first + 6], xy[first + 8], xy[first + 10] = [x, 0], [x, thigh], [x, thigh + shin]
    return np.repeat((xy * pixels_per_metre + [300.0, 200.0])[None], frames, axis=0)


def test_size_is_pixels_per_metre_of_a_standard_adult():
    assert person_size(upright(100.0, 3)) == pytest.approx([100.0] * 3)


def test_size_survives_a_limb_that_points_at_the_camera_for_a_while():
    xy = upright(100.0, 60)
    xy[20:50, 15] = xy[20:50, 13]
    assert person_size(xy) == pytest.approx([100.0] * 60)


def test_values_are_relative_to_the_hips_in_units_of_size():
    values, centre = person_frame(upright(250.0, 2), np.full((2, 17), 0.5))
    assert centre.tolist() == [[300, 200]] * 2
    assert values[0, 5] == pytest.approx([0.15, -0.498, 0.5])
    assert values.dtype == np.float32


def test_values_do_not_depend_on_place_or_scale_in_the_frame():
    walk = generate_motion("walk", 2.0, 30.0, BodyShape(), np.random.default_rng(1)).coco[..., :2] * [90.0, -90.0]
    ones = np.ones(walk.shape[:2])
    here, _ = person_frame(walk, ones)
    there, centre = person_frame(walk * 3.7 + [411.0, -95.0], ones)
    np.testing.assert_allclose(here, there, atol=1e-6)
    assert np.ptp(centre[:, 0]) > 0


def test_gaps_are_bridged_in_time_and_lose_their_confidence():
    xy = np.zeros((5, 17, 2))
    xy[:, 3, 0] = [10, np.nan, np.nan, 40, np.nan]
    xy[:, 8] = np.nan
    confidence = np.full((5, 17), 0.7)
    confidence[0, 0], confidence[1, 0] = np.nan, 1.5
    filled, known = fill_gaps(xy, confidence)
    assert filled[:, 3, 0].tolist() == [10, 20, 30, 40, 40]
    assert known[:, 3].tolist() == [0.7, 0, 0, 0.7, 0]
    assert known[:2, 0].tolist() == [0, 1]
    assert np.isnan(filled[:, 8]).all() and (known[:, 8] == 0).all()


@pytest.mark.parametrize("missing", [[11, 12], [11], list(range(1, 17)), list(range(5, 17))])
def test_joints_that_are_never_seen_leave_finite_values(missing):
    xy = upright(100.0, 4)
    xy[:, missing] = np.nan
    values, centre = person_frame(xy, np.ones((4, 17)))
    assert np.isfinite(values).all() and np.isfinite(centre).all()
    assert (values[:, missing, 2] == 0).all()


def test_nothing_seen_and_wrong_shapes_are_named():
    with pytest.raises(ShapeMismatch, match="no joint is seen on any of 2 frames"):
        person_frame(np.full((2, 17, 2), np.nan), np.ones((2, 17)))
    with pytest.raises(ShapeMismatch, match=r"\(2, 14, 2\)"):
        person_frame(np.zeros((2, 14, 2)), np.ones((2, 14)))
    with pytest.raises(ShapeMismatch, match=r"\(3, 17\)"):
        person_frame(np.zeros((2, 17, 2)), np.ones((3, 17)))


def test_ray_rotation_turns_forward_into_the_ray():
    middle = np.array([319.5, 239.5])
    centre = np.array([middle, middle + [100.0, 0.0], middle + [0.0, -50.0]])
    turn = ray_rotation(centre, (640, 480), 100.0)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(turn[0], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turn[1], [[half, 0, half], [0, 1, 0], [-half, 0, half]], atol=1e-12)
    np.testing.assert_allclose(turn[2] @ [0, 0, 1], np.array([0, -1, 2]) / np.sqrt(5), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(turn), 1.0)


def test_flat_pose_copies_limbs_and_draws_the_trunk_up_to_the_ears():
    values, _ = person_frame(upright(100.0, 1), np.ones((1, 17)))
    flat = flat_pose(values)[0]
    assert (flat[:, 2] == 0).all() and (flat[0] == 0).all()
    assert flat[H36M17.index("left_ankle")] == pytest.approx([0.15, 0.816, 0])
    assert flat[H36M17.index("right_wrist")] == pytest.approx([-0.15, 0.032, 0], abs=1e-6)
    heights = [flat[H36M17.index(name), 1] for name in ("spine", "thorax", "neck_nose", "head_top")]
    assert heights == pytest.approx([-0.249, -0.498, -0.599, -0.7])
