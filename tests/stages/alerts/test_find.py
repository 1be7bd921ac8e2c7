import numpy as np
import pytest

from emc.config import AlertSettings
from emc.errors import ShapeMismatch
from emc.pose.records import AlertReason, FrameAlerts, Prediction
from emc.pose.skeletons.skeleton import build_skeleton
from emc.stages.alerts.find import find_alerts

LEGS = build_skeleton("legs", ("nose", "left_ankle", "right_ankle"), (("nose", "left_ankle"), ("nose", "right_ankle")))
SETTINGS = AlertSettings()  # low 0.5, lost 0.15, gap 2, jump 0.35
NOSE, LEFT, RIGHT = 0, 1, 2


def standing(frames, stride=1, person=0):
    """Return (T, 3, 2) places and (T, 3) confidences of a still person in a box of 40 x 100 pixels."""
    xy = np.tile(np.array([[50.0, 10.0], [30.0, 100.0], [70.0, 100.0]]), (frames, 1, 1))
    return xy, np.full((frames, 3), 0.9)


def predictions_of(xy, confidence, stride=1, person=0):
    return [
        Prediction(
            t * stride,
            person,
            xy[t].astype(np.float32),
            confidence[t].astype(np.float32),
            confidence[t].astype(np.float32),
            np.array([30, 0, 40, 100], np.float32),
        )
        for t in range(len(xy))
    ]


def found(xy, confidence, settings=SETTINGS, **how):
    alerts, frames = find_alerts("kick", predictions_of(xy, confidence, **how), settings, LEGS)
    return [(a.joint, a.first, a.last, a.reason) for a in alerts], alerts, frames


def test_a_clean_track_has_no_alert():
    told, _, frames = found(*standing(5))
    assert told == []
    assert frames == [FrameAlerts(f, 0, 0) for f in range(5)]


def test_low_and_lost_joints_are_told_and_counted_apart():
    xy, confidence = standing(4)
    confidence[1, LEFT] = 0.4
    xy[1, LEFT] += (5, 0)  # off its path by more than 2 of 100 pixels: see `on_path`
    confidence[2, RIGHT] = 0.1
    xy[3, NOSE] = np.nan
    told, alerts, frames = found(xy, confidence)
    assert told == [
        (NOSE, 3, 3, AlertReason.LOST),
        (RIGHT, 2, 2, AlertReason.LOST),
        (LEFT, 1, 1, AlertReason.LOW_CONFIDENCE),
    ]
    assert [a.severity for a in alerts] == pytest.approx([1.0, 0.9, 0.6])
    assert frames == [FrameAlerts(0, 0, 0), FrameAlerts(1, 0, 1), FrameAlerts(2, 1, 0), FrameAlerts(3, 1, 0)]
    assert {a.clip for a in alerts} == {"kick"}


@pytest.mark.parametrize(
    ("confidence", "reason"),
    [(0.5, None), (0.49, AlertReason.LOW_CONFIDENCE), (0.15, AlertReason.LOW_CONFIDENCE), (0.149, AlertReason.LOST)],
)
def test_the_limits_themselves_still_count_as_good(confidence, reason):
    xy, c = standing(1)
    c[0, LEFT] = confidence
    told, _, _ = found(xy, c.astype(np.float64))
    assert [r for *_, r in told] == ([] if reason is None else [reason])


def test_counts_are_over_all_persons_of_a_frame():
    xy, confidence = standing(2)
    confidence[:, LEFT] = 0.3
    both = predictions_of(xy, confidence) + predictions_of(xy, confidence, person=1)
    alerts, frames = find_alerts("kick", both, SETTINGS, LEGS)
    assert frames == [FrameAlerts(0, 0, 2), FrameAlerts(1, 0, 2)]
    assert [(a.person, a.first, a.last) for a in alerts] == [(0, 0, 1), (1, 0, 1)]


@pytest.mark.parametrize(("gap", "runs"), [(0, [(1, 2), (5, 5)]), (1, [(1, 2), (5, 5)]), (2, [(1, 5)])])
def test_runs_near_each_other_are_one_alert(gap, runs):
    xy, confidence = standing(8)
    confidence[[1, 2, 5], LEFT] = 0.3  # frames 3 and 4 lie between
    xy[[1, 2, 5], LEFT] += (5, 0)
    told, _, _ = found(xy, confidence, AlertSettings(gap=gap))
    assert sorted((first, last) for _, first, last, _ in told) == runs


def test_the_gap_counts_predicted_frames():
    xy, confidence = standing(6)
    confidence[[1, 3], LEFT] = 0.3
    xy[[1, 3], LEFT] += (5, 0)
    told, _, _ = found(xy, confidence, AlertSettings(gap=1), stride=5)
    assert told == [(LEFT, 5, 15, AlertReason.LOW_CONFIDENCE)]


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("start", [1, 2, 4])
def test_a_joint_that_leaves_its_path_is_a_jump_and_its_neighbours_are_not(length, start):
    xy, confidence = standing(9)
    xy[start : start + length, LEFT] += (0, -36)
    told, alerts, _ = found(xy, confidence)
    assert told == [(LEFT, start, start + length - 1, AlertReason.JUMP)]
    # 36 pixels against a limit of 35: evidence 36 / 71, so P(wrong) = 1 - 0.9 x 35 / 71.
    assert alerts[0].severity == pytest.approx(1 - 0.9 * 35 / 71)


def test_a_step_below_the_limit_is_no_jump():
    xy, confidence = standing(9)
    xy[4, LEFT] += (0, -34)
    assert found(xy, confidence)[0] == []


def test_a_fast_straight_motion_and_a_lasting_move_are_no_jump():
    xy, confidence = standing(9)
    xy[:, LEFT, 1] -= 40 * np.arange(9)
    xy[4:, NOSE] += (60, 0)
    assert found(xy, confidence)[0] == []


def test_a_jump_needs_both_neighbours():
    xy, confidence = standing(7)
    xy[3, LEFT] += (0, -80)
    xy[[2, 4], LEFT] = np.nan
    confidence[[2, 4], LEFT] = 0
    told, _, _ = found(xy, confidence, AlertSettings(gap=0))
    assert [reason for *_, reason in told] == [AlertReason.LOST, AlertReason.LOST]


def test_exchanged_sides_are_a_swap_of_both_joints():
    xy, confidence = standing(10)
    xy[4:7, [LEFT, RIGHT]] = xy[4:7, [RIGHT, LEFT]]
    told, alerts, _ = found(xy, confidence)
    assert told == [(LEFT, 4, 6, AlertReason.SWAP), (RIGHT, 4, 6, AlertReason.SWAP)]
    assert alerts[0].severity == pytest.approx(1.0)  # exchanging them saves the whole way


def test_of_two_kinds_of_stretches_the_rarer_is_the_swapped_one():
    xy, confidence = standing(12)
    for swapped in (slice(0, 4), slice(6, 12)):  # of 12 frames 10 show the legs in other places than frames 4 and 5
        xy[swapped, [LEFT, RIGHT]] = xy[swapped, [RIGHT, LEFT]]
    assert {(first, last) for _, first, last, _ in found(xy, confidence)[0]} == {(4, 5)}


@pytest.mark.parametrize("swapped", [slice(0, 3), slice(7, 10), slice(5, 21)])
def test_sides_exchanged_up_to_an_end_of_the_track_or_for_long_cannot_be_told(swapped):
    xy, confidence = standing(10 if swapped.stop <= 10 else 50)
    xy[swapped, [LEFT, RIGHT]] = xy[swapped, [RIGHT, LEFT]]
    assert found(xy, confidence)[0] == []
    xy, confidence = standing(50)
    xy[5:20, [LEFT, RIGHT]] = xy[5:20, [RIGHT, LEFT]]
    assert {(first, last) for _, first, last, _ in found(xy, confidence)[0]} == {(5, 19)}


def test_a_joint_that_is_doubted_for_a_moment_on_its_path_is_not_flagged_and_still_counted():
    xy, confidence = standing(12)
    xy[:, LEFT, 0] += 3 * np.arange(12)
    confidence[2:10, LEFT] = 0.3
    told, _, frames = found(xy, confidence)
    assert told == []
    assert [row.low for row in frames] == [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    xy[4, LEFT] += (0, 2.5)
    assert found(xy, confidence)[0] == [(LEFT, 2, 9, AlertReason.LOW_CONFIDENCE)]


@pytest.mark.parametrize("doubted", [slice(0, 3), slice(9, 12), slice(1, 10)])
def test_without_sure_frames_on_both_sides_or_for_long_a_doubt_stays(doubted):
    xy, confidence = standing(12)
    confidence[doubted, LEFT] = 0.3
    assert found(xy, confidence)[0] == [(LEFT, doubted.start, doubted.stop - 1, AlertReason.LOW_CONFIDENCE)]


def test_a_lost_joint_is_told_wherever_it_lies():
    xy, confidence = standing(5)
    confidence[2, LEFT] = 0.1
    assert found(xy, confidence)[0] == [(LEFT, 2, 2, AlertReason.LOST)]


def test_legs_that_truly_cross_are_no_swap():
    xy, confidence = standing(21)
    xy[:, LEFT, 0] = np.linspace(30, 70, 21)
    xy[:, RIGHT, 0] = np.linspace(70, 30, 21)
    assert found(xy, confidence)[0] == []


def test_untracked_persons_have_no_path():
    xy, confidence = standing(9)
    xy[4, LEFT] += (0, -80)
    assert found(xy, confidence, person=-1)[0] == []


def test_another_number_of_joints_is_refused():
    xy, confidence = standing(1)
    with pytest.raises(ShapeMismatch, match="2 joints, the skeleton 3"):
        find_alerts("kick", predictions_of(xy[:, :2], confidence[:, :2]), SETTINGS, LEGS)


def test_no_prediction_no_alert():
    assert find_alerts("kick", [], SETTINGS, LEGS) == ([], [])
