import numpy as np
import pytest

from emc.errors import InputError, ShapeMismatch
from emc.lifters.measured_noise import apply_noise, read_noise
from emc.lifters.noise_fit import PredictedClip, fit_noise, swap_states, true_errors
from emc.lifters.virtual_camera import random_camera
from emc.pose.skeletons.skeleton import COCO17
from emc.synth.body.rig import sample_body
from emc.synth.motion.motions import UNCOMMON_MOTIONS, generate_motion


def true_joints(clips):
    for seed in range(clips):
        rng = np.random.default_rng([9, seed])
        name = UNCOMMON_MOTIONS[seed % len(UNCOMMON_MOTIONS)]
        motion = generate_motion(name, 2.0, 30.0, sample_body(rng), rng)
        yield random_camera(motion.h36m, rng).project(motion.coco)


def watched(predicted, truth, confidence=1.0):
    return PredictedClip(predicted, np.full(truth.shape[:2], confidence), truth, np.ones(truth.shape[:2], dtype=bool))


@pytest.fixture(scope="module")
def standing():
    (xy,) = true_joints(1)
    # The frame in which left and right differ most, so that swaps can be seen.
    apart = np.linalg.norm(xy[:, 5:17:2] - xy[:, 6:17:2], axis=-1).min(axis=1)
    return np.repeat(xy[[int(apart.argmax())]], 40, axis=0)


def test_a_measured_model_remakes_the_noise_it_was_measured_on():
    """What `apply_noise` makes of a shipped model is measured again and comes out alike."""
    model = read_noise("nano")["uncommon"]
    clips = []
    for seed, xy in enumerate(true_joints(48)):
        noisy, confidence = apply_noise(xy, model, np.random.default_rng([1, seed]))
        clips.append(PredictedClip(noisy, confidence, xy, np.ones(xy.shape[:2], dtype=bool)))
    again = fit_noise(clips, 30.0)
    assert np.mean(again.length) == pytest.approx(np.mean(model.length), rel=0.15)
    assert again.length[:, 7] == pytest.approx(model.length[:, 7], rel=0.35)
    near = (model.length_time[:, 0] * model.length_time[:, 1], again.length_time[:, 0] * again.length_time[:, 1])
    assert near[1].mean() == pytest.approx(near[0].mean(), abs=0.05)
    assert np.abs(again.length_joints - model.length_joints).mean() < 0.06
    assert np.abs(again.direction_joints - model.direction_joints).mean() < 0.08
    assert np.abs(again.confidence - model.confidence).mean() < 0.04
    assert 1 - again.swap[0, 0] == pytest.approx(1 - model.swap[0, 0], rel=0.4)
    assert again.dropped.max() == 0


def test_swapped_legs_are_seen_and_not_taken_for_long_errors(standing):
    predicted = standing.copy()
    legs = [11, 12, 13, 14, 15, 16]
    predicted[10:20, legs] = standing[10:20, [COCO17.flip[j] for j in legs]]
    clip = watched(predicted, standing)
    assert swap_states(clip).tolist() == [0] * 10 + [1] * 10 + [0] * 20
    model = fit_noise([clip], 30.0)
    assert model.length.max() < 1e-9
    # 29 frames in state 0 with a successor, one of them leads to a swap; 9 of 10 swapped frames stay.
    assert model.swap[0, 1] == pytest.approx(1 / 29)
    assert model.swap[1] == pytest.approx([0.1, 0.9, 0, 0])
    assert true_errors(clip)[15, 15] > 0.1


def test_dropped_joints_and_confidences_by_hand(standing):
    predicted = standing.copy()
    predicted[5:9, 9] = np.nan
    predicted[30:32, 9] = np.nan
    model = fit_noise([watched(predicted, standing, confidence=0.7)], 30.0)
    # 6 of 40 frames in two spells.
    np.testing.assert_allclose(model.dropped[9], [0.15, 3.0])
    np.testing.assert_allclose(model.confidence[9, 0], 0.7)


def test_joints_outside_the_picture_do_not_count(standing):
    predicted = standing.copy()
    predicted[:, 15] += 500
    clip = watched(predicted, standing)
    clip.labelled[:, 15] = False
    assert np.isnan(true_errors(clip)[:, 15]).all()
    assert fit_noise([clip], 30.0).length.max() < 1e-9


def test_a_preferred_direction_is_measured(standing):
    predicted = standing + np.array([0.0, 8.0])
    model = fit_noise([watched(predicted, standing)], 30.0)
    # Always downwards: the strongest preference that is told.
    np.testing.assert_allclose(model.direction_mean[3], [0, 4], atol=1e-6)


def test_too_few_frames_and_wrong_shapes_are_told(standing):
    with pytest.raises(InputError, match="10 frames: give at least 30"):
        fit_noise([watched(standing[:10], standing[:10])], 30.0)
    with pytest.raises(ShapeMismatch, match="watched clip has confidence"):
        PredictedClip(standing, np.ones((40, 16)), standing, np.ones((40, 17), dtype=bool))
