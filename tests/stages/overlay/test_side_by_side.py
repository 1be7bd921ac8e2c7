import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.motion.motion import Motion3D
from emc.stages.overlay.side_by_side import PALETTE, draw_scene, floor_extent, join_side_by_side, view_camera
from emc.synth.body.rig import BodyShape
from emc.synth.motion.motions import generate_motion

SIZE = (240, 200)


@pytest.fixture(scope="module")
def kick():
    points = generate_motion("front_kick", 1.0, 15.0, BodyShape(), np.random.default_rng(0)).h36m
    frames = np.arange(len(points))
    return Motion3D("p0", 15.0, frames / 15, frames, points)


def marked(image, colour):
    return (np.abs(image.astype(int) - colour).sum(axis=2) < 40).sum()


@pytest.mark.parametrize("turn", [0, 60, 200])
def test_the_camera_sees_every_joint_of_every_frame(kick, turn):
    camera = view_camera([kick], SIZE, turn)
    xy = camera.project(kick.xyz)
    assert (xy > 0).all() and (xy[..., 0] < SIZE[0]).all() and (xy[..., 1] < SIZE[1]).all()
    # The person is not lost in the picture either.
    assert np.ptp(xy[..., 1]) > 0.4 * SIZE[1]


def test_from_the_side_the_far_limbs_are_seen_behind_the_near_ones(kick):
    camera = view_camera([kick], SIZE, 0.0)
    ahead = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    depth = camera.to_camera(ahead)[:, 2]
    assert depth[1] < depth[0]


def test_a_floor_of_whole_metres_lies_under_the_motion(kick):
    x0, x1, z0, z1 = floor_extent([kick])
    assert x0 < kick.xyz[..., 0].min() and kick.xyz[..., 0].max() < x1
    assert z0 < kick.xyz[..., 2].min() and kick.xyz[..., 2].max() < z1


def test_persons_are_drawn_in_their_colours_where_they_are_there(kick):
    other = Motion3D("p1", 15.0, kick.times, kick.frames, kick.xyz + [1.5, 0, 0])
    camera, extent = view_camera([kick, other], SIZE), floor_extent([kick, other])
    both = draw_scene([kick, other], {"p0": 3, "p1": 3}, camera, extent)
    alone = draw_scene([kick, other], {"p1": 3}, camera, extent)
    assert both.shape == (200, 240, 3) and both.dtype == np.uint8
    assert marked(both, PALETTE[0]) > 20 and marked(both, PALETTE[1]) > 20
    assert marked(alone, PALETTE[0]) == 0 and marked(alone, PALETTE[1]) > 20


def test_joints_without_a_place_are_left_out(kick):
    holed = Motion3D("p0", 15.0, kick.times, kick.frames, kick.xyz.copy())
    holed.xyz[5] = np.nan
    camera, extent = view_camera([kick], SIZE), floor_extent([kick])
    assert marked(draw_scene([holed], {"p0": 5}, camera, extent), PALETTE[0]) == 0


def test_side_by_side_needs_equal_height():
    image = np.zeros((10, 20, 3), dtype=np.uint8)
    assert join_side_by_side(image, np.zeros((10, 5, 3), dtype=np.uint8)).shape == (10, 29, 3)
    with pytest.raises(ShapeMismatch, match="equal height"):
        join_side_by_side(image, np.zeros((12, 5, 3), dtype=np.uint8))
