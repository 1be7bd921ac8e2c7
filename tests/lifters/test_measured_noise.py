import json
from dataclasses import replace

import numpy as np
import pytest

from emc.errors import InputError, ShapeMismatch, UsageError
from emc.lifters.measured_noise import (
    ARMS,
    CONFIDENCE_LEVELS,
    ERROR_EDGES,
    LEGS,
    LEVELS,
    NoiseModel,
    apply_noise,
    correlation_root,
    lasting_noise,
    model_from_json,
    noise_of,
    read_noise,
)
from emc.lifters.person_frame import BONE_LENGTHS, BONES, person_size
from emc.pose.skeletons.skeleton import COCO17


def still_person(frames=4000, scale=100.0):
    """A person who stands still with limbs as long as a standard adult's: one metre is `scale` pixels."""
    xy = np.random.default_rng(0).uniform(0, 1, (17, 2))
    for (near, far), length in zip(BONES, BONE_LENGTHS, strict=True):
        step = xy[far] - xy[near]
        xy[far] = xy[near] + length * step / np.linalg.norm(step)
    return np.broadcast_to(xy * scale, (frames, 17, 2)).copy()


def quiet():
    """No error at all, full confidence."""
    joints = len(COCO17)
    return NoiseModel(
        fps=30.0,
        length=np.zeros((joints, len(LEVELS))),
        length_time=np.tile([0.5, 0.9], (joints, 1)),
        length_joints=np.eye(joints),
        direction_mean=np.zeros((joints, 2)),
        direction_time=np.tile([0.5, 0.9], (joints, 1)),
        direction_joints=np.eye(joints),
        swap=np.array([[1.0, 0, 0, 0]] * 4),
        dropped=np.zeros((joints, 2)),
        confidence=np.ones((joints, len(ERROR_EDGES) + 1, len(CONFIDENCE_LEVELS))),
        confidence_time=np.array([0.5, 0.9]),
    )


def test_no_noise_changes_nothing():
    xy = still_person(5)
    noisy, confidence = apply_noise(xy, quiet(), np.random.default_rng(0))
    np.testing.assert_allclose(noisy, xy)
    assert (confidence == 1).all()


def test_error_lengths_follow_the_table_in_units_of_the_person():
    length = np.zeros((17, len(LEVELS)))
    # Uniform between 0 and 0.2 m for the left wrist alone.
    length[9] = 0.2 * np.array(LEVELS)
    model = replace(quiet(), length=length)
    for scale in (100.0, 300.0):
        xy = still_person(6000, scale)
        noisy, _ = apply_noise(xy, model, np.random.default_rng(1))
        off = np.linalg.norm(noisy - xy, axis=-1) / scale
        assert off[:, 9].mean() == pytest.approx(0.1, abs=0.01)
        assert off[:, 9].max() <= 0.2 + 1e-6
        assert off[:, 8].max() < 1e-6
        assert person_size(xy)[0] == pytest.approx(scale)


def test_swaps_exchange_sides_as_often_as_told():
    # Legs swap on 1 of 10 frames entered at 1/18 and left at 1/2: long-run share (1/18) / (1/18 + 1/2) = 1/10.
    chances = np.array([[17 / 18, 1 / 18, 0, 0], [0.5, 0.5, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    xy = still_person(8000)
    noisy, _ = apply_noise(xy, replace(quiet(), swap=chances), np.random.default_rng(2))
    swapped = (noisy[:, 15] == xy[:, 16]).all(axis=-1)
    assert swapped.mean() == pytest.approx(0.1, abs=0.02)
    np.testing.assert_array_equal(noisy[:, list(ARMS)], xy[:, list(ARMS)])
    np.testing.assert_array_equal(noisy[swapped][:, list(LEGS)], xy[swapped][:, [COCO17.flip[j] for j in LEGS]])


def test_dropped_joints_come_in_spells():
    dropped = np.zeros((17, 2))
    dropped[4] = (0.2, 5.0)
    noisy, confidence = apply_noise(still_person(20_000), replace(quiet(), dropped=dropped), np.random.default_rng(3))
    lost = np.isnan(noisy).all(axis=-1)
    assert lost[:, 4].mean() == pytest.approx(0.2, abs=0.02)
    assert not np.delete(lost, 4, axis=1).any()
    spells = (lost[1:, 4] & ~lost[:-1, 4]).sum()
    assert lost[:, 4].sum() / spells == pytest.approx(5, abs=0.6)
    assert (confidence[lost] == 0).all()


def test_confidence_falls_with_the_error():
    length = np.zeros((17, len(LEVELS)))
    length[9] = 0.5
    confidence = np.full((17, len(ERROR_EDGES) + 1, len(CONFIDENCE_LEVELS)), 0.9)
    confidence[:, -1] = 0.2
    model = replace(quiet(), length=length, confidence=confidence)
    _, told = apply_noise(still_person(50), model, np.random.default_rng(4))
    np.testing.assert_allclose(told[:, 9], 0.2)
    np.testing.assert_allclose(told[:, 8], 0.9)


def test_directions_keep_their_preference():
    mean = np.zeros((17, 2))
    mean[15] = (0.0, 2.0)
    length = np.zeros((17, len(LEVELS)))
    length[15] = 0.1
    xy = still_person(4000)
    noisy, _ = apply_noise(xy, replace(quiet(), length=length, direction_mean=mean), np.random.default_rng(5))
    step = (noisy - xy)[:, 15] / 10
    # E[y] of a plane normal around (0, 2): sqrt(pi/8) 2 e^-1 (I0(1) + I1(1)) = 0.8812 (Bessel tables).
    np.testing.assert_allclose(step.mean(axis=0), [0, 0.881], atol=0.03)


def test_lasting_noise_has_the_told_correlation():
    time = np.tile([0.8, 0.95], (2, 1))
    joint = np.array([[1.0, 0.6], [0.6, 1.0]])
    values = lasting_noise(60_000, time, correlation_root(joint), np.random.default_rng(6))[..., 0]
    assert values.std(axis=0) == pytest.approx([1, 1], abs=0.05)
    assert np.mean(values[1:] * values[:-1]) == pytest.approx(0.8 * 0.95, abs=0.04)
    assert np.mean(values[10:] * values[:-10]) == pytest.approx(0.8 * 0.95**10, abs=0.05)
    assert np.mean(values[:, 0] * values[:, 1]) == pytest.approx(0.6, abs=0.05)


def test_the_same_seed_gives_the_same_noise():
    model = read_noise("nano")["uncommon"]
    xy = still_person(40)
    first, second = (apply_noise(xy, model, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_shipped_noise_says_that_calibration_helps_on_uncommon_motion():
    before, after = read_noise("nano"), read_noise("nano-calibrated")
    assert set(before) == set(after) == {"common", "uncommon"}
    legs = [15, 16]
    median = LEVELS.index(0.9)
    assert after["uncommon"].length[legs, median].mean() < before["uncommon"].length[legs, median].mean()


def test_json_round_trip_and_faults(tmp_path):
    document = {"populations": {"common": quiet().as_json()}}
    (tmp_path / "noise.json").write_text(json.dumps(document))
    (model,) = read_noise(tmp_path / "noise.json").values()
    np.testing.assert_array_equal(model.swap, quiet().swap)
    with pytest.raises(UsageError, match="no noise of uncommon motion, only of common"):
        noise_of({"common": model}, "uncommon", "noise.json")
    with pytest.raises(InputError, match="none.json.*nano, nano-calibrated"):
        read_noise(tmp_path / "none.json")
    (tmp_path / "noise.json").write_text("{}")
    with pytest.raises(InputError, match="holds no noise model"):
        read_noise(tmp_path / "noise.json")
    with pytest.raises(InputError, match="x is not a noise model"):
        model_from_json([], "x")
    broken = quiet().as_json()
    with pytest.raises(InputError, match="no usable table 'swap'"):
        model_from_json({k: v for k, v in broken.items() if k != "swap"}, "x")
    with pytest.raises(InputError, match=r"table 'swap' is \(2,\)"):
        model_from_json({**broken, "swap": [1, 2]}, "x")


def test_joints_without_a_place_are_refused():
    xy = still_person(3)
    xy[1, 2] = np.nan
    with pytest.raises(ShapeMismatch, match="finite: False"):
        apply_noise(xy, quiet(), np.random.default_rng(0))
    assert apply_noise(np.zeros((0, 17, 2)), quiet(), np.random.default_rng(0))[0].shape == (0, 17, 2)
