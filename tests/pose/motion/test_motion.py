import dataclasses

import numpy as np
import pytest

from emc.errors import ShapeMismatch, UsageError
from emc.pose.motion.motion import Motion3D, at_constant_rate, without_holes, world_motion, world_motions
from emc.pose.motion.sequences import LiftedSequence


def moving(times, fps=10.0):
    """All joints at (time, 1, 0)."""
    times = np.asarray(times, dtype=np.float64)
    xyz = np.zeros((len(times), 17, 3))
    xyz[..., 0], xyz[..., 1] = times[:, None], 1.0
    return Motion3D("p0", fps, times, np.rint(times * fps).astype(np.int64), xyz)


def lifted(person, frames, **extras):
    count = len(frames)
    xyz = np.zeros((count, 17, 3), dtype=np.float32)
    xyz[:, 3, 1] = xyz[:, 6, 1] = 0.8
    return LiftedSequence(person, np.asarray(frames), xyz, np.ones(count, dtype=np.float32), **extras)


def test_shapes_are_checked():
    with pytest.raises(ShapeMismatch, match=r"motion p0 has xyz \(2, 16, 3\)"):
        Motion3D("p0", 10.0, np.zeros(2), np.zeros(2, dtype=np.int64), np.zeros((2, 16, 3)))


def test_without_a_root_the_person_stands_on_the_floor_on_the_spot():
    motion = world_motion(lifted(0, [5, 6]), "p0", 25.0)
    assert motion.times.tolist() == [0.2, 0.24]
    assert motion.xyz[0, 3] == pytest.approx([0, 0.0714, 0], abs=1e-4)
    assert motion.xyz[1, 0] == pytest.approx([0, 0.8714, 0], abs=1e-4)


def test_with_root_and_floor_the_person_moves_on_it():
    root = np.array([[0.0, 0.1, 4.0], [0.5, 0.1, 3.0]], dtype=np.float32)
    floor = np.array([0.0, -1.0, 0.0, 1.0])
    motion = world_motion(lifted(0, [0, 1], root=root, floor=floor), "p0", 25.0)
    assert motion.xyz[:, 0] == pytest.approx(np.array([[0, 0.9, 0], [0.5, 0.9, 1.0]]), abs=1e-6)


def test_all_persons_share_the_world_of_the_one_who_is_there_longest():
    floor, other = np.array([0.0, -1.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0, 3.0])
    near = lifted(0, [0], root=np.array([[0, 0, 3.0]], dtype=np.float32), floor=other)
    far = lifted(2, [0, 1], root=np.array([[1, 0, 5.0]] * 2, dtype=np.float32), floor=floor)
    motions = world_motions({0: near, 1: lifted(1, []), 2: far}, 25.0)
    assert [motion.name for motion in motions] == ["p0", "p2"]
    assert motions[0].xyz[0, 0] == pytest.approx([-1, 1, 2], abs=1e-6)
    assert motions[1].xyz[0, 0] == pytest.approx([0, 1, 0], abs=1e-6)


def test_times_of_a_variable_rate_are_the_clips():
    motion = world_motion(lifted(0, [1, 2]), "p0", 25.0, np.array([0.0, 0.05, 0.11]))
    assert motion.times.tolist() == [0.05, 0.11]


def test_a_constant_rate_is_left_alone():
    motion = moving([0.0, 0.1, 0.201, 0.3])
    assert at_constant_rate(motion) is motion


def test_a_variable_rate_is_interpolated():
    even = at_constant_rate(moving([0.0, 0.13, 0.2, 0.3, 0.4]))
    assert even.times == pytest.approx(0.07 * np.arange(7)), "at the rate of the two frames that lie closest"
    assert even.xyz[:6, 4, 0] == pytest.approx(0.07 * np.arange(6))


def test_a_long_hole_stays_a_hole():
    even = at_constant_rate(moving([0.0, 0.1, 0.6, 0.7]))
    assert np.isnan(even.xyz[:, 0, 0]).tolist() == [False, False, True, True, True, True, False, False]
    assert even.frames.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


def test_holes_are_filled_for_formats_that_know_none():
    holed = moving([0.0, 0.1, 0.2, 0.3])
    holed.xyz[1, 5] = np.nan
    holed.xyz[3, 6] = np.nan
    holed.xyz[:, 9] = np.nan
    filled = without_holes(holed)
    assert filled.xyz[1, 5] == pytest.approx([0.1, 1, 0])
    assert filled.xyz[3, 6] == pytest.approx([0.2, 1, 0])
    assert (filled.xyz[:, 9] == 0).all()


def test_a_variable_rate_is_resampled_at_its_fastest() -> None:
    motion = moving([0.0, 0.1, 0.2, 0.25, 0.3], fps=10.0)
    motion = dataclasses.replace(motion, frames=np.arange(5), rate="as told; the clip's frame rate varies")
    even = at_constant_rate(motion)
    assert even.fps == pytest.approx(20)
    assert even.times == pytest.approx(np.arange(7) / 20)
    assert even.xyz[1] == pytest.approx((motion.xyz[0] + motion.xyz[1]) / 2)
    assert even.rate == "as told; variable frame rate (10 to 20 per second), resampled at 20"


def test_without_a_rate_there_are_no_times() -> None:
    motion = dataclasses.replace(moving([0.0, 0.1]), fps=0.0)
    with pytest.raises(UsageError, match=r"motion p0 has no rate.*emc add PATH --fps N"):
        at_constant_rate(motion)
