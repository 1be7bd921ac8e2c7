"""Motion: bone lengths, ground, what is common and what is not, left and right."""

from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.synth.body.rig import BodyShape, sample_body
from emc.synth.motion.motions import COMMON_MOTIONS, KICKS, UNCOMMON_MOTIONS, Motion, generate_motion

SEEDS = range(6)
BONES = (
    (0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (0, 7), (7, 8), (8, 9), (9, 10),
    (8, 11), (11, 12), (12, 13), (8, 14), (14, 15), (15, 16),
)  # fmt: skip


def made(name: str, seed: int, seconds: float = 2.0) -> Motion:
    rng = np.random.default_rng(seed)
    return generate_motion(name, seconds, 30.0, sample_body(rng), rng)


def ankles_above_hips(motion: Motion) -> np.ndarray:
    return motion.coco[:, 15:17, 1] - motion.coco[:, 11:13, 1].mean(axis=1, keepdims=True)


def head_above_hips(motion: Motion) -> np.ndarray:
    return motion.head_top[:, 1] - motion.h36m[:, 0, 1]


@pytest.mark.parametrize("name", COMMON_MOTIONS + UNCOMMON_MOTIONS)
def test_shapes_bones_and_ground(name: str) -> None:
    motion = made(name, 1)
    assert len(motion) == 60
    assert motion.h36m.shape == motion.coco.shape == (60, 17, 3)
    assert np.isfinite(motion.h36m).all() and np.isfinite(motion.coco).all()
    for a, b in BONES:
        length = np.linalg.norm(motion.h36m[:, a] - motion.h36m[:, b], axis=-1)
        assert np.ptp(length) < 1e-9, (a, b)
    assert motion.posed.markers[:, :, 1].min() > -1e-6
    speed = np.linalg.norm(np.diff(motion.h36m, axis=0), axis=-1).max() * 30
    assert speed < 22, "no joint may jump between frames"


@pytest.mark.parametrize("name", COMMON_MOTIONS)
def test_common_motion_keeps_feet_down_and_head_up(name: str) -> None:
    for seed in SEEDS:
        motion = made(name, seed)
        assert ankles_above_hips(motion).max() < 0
        assert head_above_hips(motion).min() > 0


@pytest.mark.parametrize("name", KICKS)
def test_kicks_raise_one_ankle_above_the_hips_on_either_side(name: str) -> None:
    sides = set()
    for seed in range(12):
        motion = made(name, seed)
        above = ankles_above_hips(motion).max(axis=0)
        assert above.max() > 0.05
        assert above.max() < 1.0
        assert above.min() < 0
        sides.add(int(above.argmax()))
    assert sides == {0, 1}


def test_cartwheel_goes_through_upside_down_and_ends_upright() -> None:
    for seed in SEEDS:
        motion = made("cartwheel", seed)
        assert head_above_hips(motion).min() < -0.4
        assert ankles_above_hips(motion).max() > 0.4
        assert head_above_hips(motion)[[0, -1]].min() > 0.5


def test_arabesque_raises_a_leg_behind() -> None:
    motion = made("arabesque", 3)
    left = motion.coco[:, 11] - motion.coco[:, 12]
    ahead = np.cross(left, [0.0, 1.0, 0.0])
    behind = np.einsum("tjk,tk->tj", motion.coco[:, 15:17] - motion.h36m[:, :1], -ahead)
    behind /= np.linalg.norm(ahead, axis=1)[:, None]
    assert behind.max() > 0.5


def test_nose_points_where_the_body_faces_and_left_is_left() -> None:
    for seed in SEEDS:
        motion = made("stand", seed)
        left = motion.coco[0, 5] - motion.coco[0, 6]
        ahead = np.cross(left, [0.0, 1.0, 0.0])
        toes = motion.posed.markers[0, [9, 11]] - motion.posed.markers[0, [8, 10]]
        assert (toes @ ahead > 0).all()
    knees = made("walk", 2).coco
    shin = knees[:, 15:17] - knees[:, 13:15]
    thigh = knees[:, 13:15] - knees[:, 11:13]
    left = knees[:, 11] - knees[:, 12]
    bend = np.einsum("tjk,tk->tj", np.cross(thigh, shin), left)
    assert bend.min() > -1e-3, "knees fold backwards only"


@pytest.mark.parametrize("name", ["walk", "run"])
def test_gaits_go_forwards_evenly_and_slide_little(name: str) -> None:
    motion = made(name, 5)
    soles = motion.posed.markers[:, 8:12]
    step = np.linalg.norm(np.diff(soles, axis=0)[:, :, [0, 2]], axis=-1)
    going = np.diff(motion.h36m[:, 0], axis=0)[:, [0, 2]]
    speed = np.linalg.norm(going, axis=-1)
    assert step.min(axis=1).mean() < 0.4 * speed.mean()
    assert 0.8 < 30 * speed.mean() < 4.5
    assert speed.max() < 2.5 * speed.mean()
    left = motion.coco[:-1, 11] - motion.coco[:-1, 12]
    ahead = np.cross(left, [0.0, 1.0, 0.0])[:, [0, 2]]
    assert ((going * ahead).sum(axis=1) > 0).all()


def test_facing_covers_all_directions() -> None:
    angles = []
    for seed in range(24):
        left = np.diff(made("stand", seed, 0.1).coco[0, [6, 5]], axis=0)[0]
        angles.append(np.arctan2(left[2], left[0]))
    assert len(np.unique(np.floor(np.array(angles) / (np.pi / 2)))) == 4


def test_same_seed_same_motion_other_seed_other_motion() -> None:
    first, again, other = made("side_kick", 7), made("side_kick", 7), made("side_kick", 8)
    np.testing.assert_array_equal(first.h36m, again.h36m)
    assert not np.allclose(first.h36m, other.h36m)


@pytest.mark.parametrize("seconds", [0.01, 0.4, 5.0])
@pytest.mark.parametrize("name", ["walk", "jump", "sit", "cartwheel", "spinning_kick", "deep_dance"])
def test_any_length(name: str, seconds: float) -> None:
    motion = made(name, 1, seconds)
    assert len(motion) == max(1, round(30 * seconds))
    assert np.isfinite(motion.coco).all()


def test_wrong_requests_are_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="moonwalk"):
        generate_motion("moonwalk", 1.0, 30.0, BodyShape(), rng)
    with pytest.raises(UsageError, match="positive"):
        generate_motion("walk", 0.0, 30.0, BodyShape(), rng)


def test_bodies_are_of_human_size() -> None:
    for seed in range(40):
        body = sample_body(np.random.default_rng(seed))
        assert 1.5 <= body.height <= 1.95
        motion = generate_motion("stand", 0.1, 30.0, body, np.random.default_rng(seed))
        assert 0.85 * body.height < motion.head_top[0, 1] < 1.02 * body.height
