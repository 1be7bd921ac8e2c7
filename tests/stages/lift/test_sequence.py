import numpy as np
import pytest

from emc.errors import ShapeMismatch, UsageError
from emc.interfaces import ModelInfo
from emc.pose.motion.sequences import LiftedSequence
from emc.pose.records import Pose, Prediction, Visibility
from emc.stages.lift.sequence import lift_clip, smooth_sequence

SIZE = (640, 480)


class WritesDownLifter:
    """Lifts joint j to (x, y, confidence) and keeps what it was given."""

    def __init__(self):
        self.calls = []

    def lift(self, xy, confidence, size):
        self.calls.append((xy, confidence, size))
        return np.concatenate([np.nan_to_num(xy), confidence[..., None]], axis=-1)

    def describe(self):
        return ModelInfo("writes-down", "lifter", "coco17", (0, 0), "Apache-2.0", False)


def prediction(frame, person=0, x=None, confidence=0.8, joints=17):
    xy = np.full((joints, 2), float(frame if x is None else x), dtype=np.float32)
    score = np.full(joints, confidence, dtype=np.float32)
    return Prediction(frame, person, xy, score, score, np.zeros(4, dtype=np.float32))


def test_persons_are_lifted_apart_in_order_of_frames():
    lifter = WritesDownLifter()
    items = [prediction(2, 7), prediction(0, 7), prediction(5, 3), prediction(1, 7), prediction(4, 3)]
    lifted = lift_clip(items, lifter, SIZE)
    assert list(lifted) == [3, 7]
    assert lifted[3].frames.tolist() == [4, 5]
    assert lifted[7].frames.tolist() == [0, 1, 2]
    assert lifted[7].xyz[:, 0, 0].tolist() == [0, 1, 2]
    assert lifted[7].xyz.dtype == np.float32
    assert all(size == SIZE for _, _, size in lifter.calls)


def test_short_gaps_are_bridged_with_confidence_zero():
    lifter = WritesDownLifter()
    lifted = lift_clip([prediction(10), prediction(13)], lifter, SIZE, longest_gap=2)[0]
    assert lifted.frames.tolist() == [10, 11, 12, 13]
    assert lifted.confidence == pytest.approx([0.8, 0, 0, 0.8])
    ((xy, _, _),) = lifter.calls
    assert np.isnan(xy[1:3]).all() and np.isfinite(xy[[0, 3]]).all()


def test_long_gaps_split_the_sequence():
    lifter = WritesDownLifter()
    lifted = lift_clip([prediction(f) for f in (1, 2, 6, 7)], lifter, SIZE, longest_gap=2)[0]
    assert lifted.frames.tolist() == [1, 2, 6, 7]
    assert lifted.pieces() == [slice(0, 2), slice(2, 4)]
    assert [len(xy) for xy, _, _ in lifter.calls] == [2, 2]


def test_cuts_split_the_sequence_though_no_frame_is_missing():
    lifter = WritesDownLifter()
    lifted = lift_clip([prediction(f) for f in (3, 4, 5, 6)], lifter, SIZE, cuts={5})[0]
    assert lifted.pieces() == [slice(0, 2), slice(2, 4)]
    assert [len(xy) for xy, _, _ in lifter.calls] == [2, 2]
    assert smooth_sequence(lifted, 3, 1).pieces() == lifted.pieces()


class PlacingLifter(WritesDownLifter):
    """Says that the person is at (x of the nose, 0, 3), once it has seen more than one frame."""

    def pelvis(self, xy, confidence, size):
        return np.stack([xy[:, 0, 0], np.zeros(len(xy)), np.full(len(xy), 3.0)], axis=1) if len(xy) > 1 else None


def test_a_lifter_that_knows_where_the_person_is_is_believed():
    lifted = lift_clip([prediction(f) for f in (1, 2, 6, 7)], PlacingLifter(), SIZE, longest_gap=2)[0]
    assert lifted.root is not None
    assert lifted.root.tolist() == [[1, 0, 3], [2, 0, 3], [6, 0, 3], [7, 0, 3]]
    assert smooth_sequence(lifted).root is lifted.root
    unsure = lift_clip([prediction(f) for f in (1, 2, 6)], PlacingLifter(), SIZE, longest_gap=2)[0]
    assert unsure.root is None
    assert lift_clip([prediction(1), prediction(2)], WritesDownLifter(), SIZE)[0].root is None


def test_frames_without_a_joint_count_as_gaps():
    lifter = WritesDownLifter()
    items = [prediction(f, x=np.nan if f in (0, 3, 4, 5) else f) for f in range(8)]
    assert lift_clip(items, lifter, SIZE, longest_gap=2)[0].frames.tolist() == [1, 2, 6, 7]
    assert lift_clip([prediction(0, x=np.nan)], lifter, SIZE) == {}
    assert lift_clip([], lifter, SIZE) == {}


def test_poses_give_confidence_by_visibility():
    lifter = WritesDownLifter()
    xy = np.full((17, 2), 9.0, dtype=np.float32)
    visibility = np.full(17, Visibility.VISIBLE, dtype=np.int8)
    visibility[3], visibility[4] = Visibility.OCCLUDED, Visibility.ABSENT
    lift_clip([Pose(0, 0, xy, visibility, np.zeros(17, dtype=np.int8))], lifter, SIZE)
    ((given, confidence, _),) = lifter.calls
    assert confidence[0, [2, 3, 4]].tolist() == [1.0, 0.5, 0.0]
    assert np.isnan(given[0, 4]).all() and given[0, 3].tolist() == [9, 9]


def test_faults_are_named():
    lifter = WritesDownLifter()
    with pytest.raises(ShapeMismatch, match="frame 4, person 2 has 14 joints"):
        lift_clip([prediction(4, 2, joints=14)], lifter, SIZE)
    with pytest.raises(UsageError, match="frame 4 has person 2 twice"):
        lift_clip([prediction(4, 2), prediction(4, 2)], lifter, SIZE)
    with pytest.raises(UsageError, match="longest gap is -1"):
        lift_clip([], lifter, SIZE, longest_gap=-1)
    with pytest.raises(ShapeMismatch, match=r"\(2, 17, 3\)"):
        LiftedSequence(0, np.arange(3), np.zeros((2, 17, 3), np.float32), np.zeros(3, np.float32))


def sequence(curve, frames=None):
    xyz = np.zeros((len(curve), 17, 3), dtype=np.float32)
    xyz[:, 3, 1] = curve
    frames = np.arange(len(curve)) if frames is None else np.asarray(frames)
    return LiftedSequence(0, frames, xyz, np.ones(len(curve), dtype=np.float32))


def test_smoothing_halves_jitter_and_keeps_the_peak_of_a_kick():
    time = np.arange(60)
    kick = np.exp(-(((time - 30) / 5.0) ** 2))
    noise = np.random.default_rng(0).normal(0, 0.02, 60)
    before = sequence(kick + noise).xyz[:, 3, 1]
    after = smooth_sequence(sequence(kick + noise)).xyz[:, 3, 1]
    assert np.abs(np.diff(after - kick)).mean() < 0.5 * np.abs(np.diff(before - kick)).mean()
    clean = smooth_sequence(sequence(kick)).xyz[:, 3, 1]
    assert clean.max() > 0.97
    assert np.convolve(kick, np.ones(7) / 7, mode="same").max() < 0.93


def test_smoothing_does_not_reach_across_a_gap_and_leaves_short_pieces():
    curve = [0.0] * 8 + [5.0] * 8 + [1.0, 9.0]
    frames = [*range(8), *range(30, 38), 50, 51]
    out = smooth_sequence(sequence(curve, frames))
    assert out.xyz[:, 3, 1] == pytest.approx(curve, abs=1e-5)
    assert out.frames.tolist() == frames


def test_smoothing_a_polynomial_of_its_order_changes_nothing():
    curve = np.linspace(-1, 1, 6) ** 3
    assert smooth_sequence(sequence(curve)).xyz[:, 3, 1] == pytest.approx(curve, abs=1e-5)


@pytest.mark.parametrize(("window", "order"), [(6, 3), (3, 3), (7, -1)])
def test_impossible_windows_are_refused(window, order):
    with pytest.raises(UsageError, match="window must be odd"):
        smooth_sequence(sequence([0.0] * 9), window, order)
