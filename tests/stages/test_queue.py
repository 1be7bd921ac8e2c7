from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emc.stages.queue import (
    FRAMES_PER_FIX,
    KEY,
    POINT,
    PRESS,
    SCAN,
    THINK,
    QueueColumns,
    QueueOrder,
    frames_done,
    predicted_seconds,
    sorted_places,
    value_of,
)


def columns(*rows: tuple[int, int, int, int, int, float, int]) -> QueueColumns:
    """Return runs of (clip, person, joint, first, last, severity, reason)."""
    clip, person, joint, first, last, severity, reason = (np.array(c) for c in zip(*rows, strict=True))
    return QueueColumns(
        clip,
        person,
        joint,
        first,
        last,
        severity,
        reason,
        ("jump", "swap"),
        last - first + 1,
        np.zeros(len(rows), int),
        np.ones(len(rows), int),
    )


def test_seconds_are_those_of_the_keystroke_model() -> None:
    runs = columns((0, 0, 1, 0, 0, 1.0, 0), (0, 0, 1, 0, 9, 0.5, 0), (0, 0, 1, 0, 99, 1.0, 1))
    fix = THINK + POINT + 2 * PRESS
    assert 3 < FRAMES_PER_FIX < 4
    expected = [
        THINK + SCAN + fix + KEY,
        THINK + 10 * SCAN + 2 * fix + KEY,  # five wrong frames expected: two fixes
        THINK + 100 * SCAN + KEY + KEY,
    ]
    np.testing.assert_allclose(predicted_seconds(runs), expected)


def test_value_is_wrong_frames_per_second() -> None:
    runs = columns((0, 0, 1, 0, 9, 0.5, 0))
    assert value_of(runs)[0] == pytest.approx(5.0 / predicted_seconds(runs)[0])


def test_a_whole_person_takes_and_gains_as_much_as_its_joints() -> None:
    one = columns((0, 0, 1, 0, 9, 0.5, 0))
    whole = replace(one, joints=np.array([17]))
    assert predicted_seconds(whole)[0] == pytest.approx(17 * predicted_seconds(one)[0])
    assert value_of(whole)[0] == pytest.approx(value_of(one)[0])


def test_long_swaps_come_before_single_frames() -> None:
    runs = columns((0, 0, 1, 5, 5, 0.9, 0), (0, 0, 2, 0, 99, 0.9, 1), (0, 0, 3, 0, 19, 0.9, 0))
    assert sorted_places(runs, QueueOrder.VALUE, down=True).tolist() == [1, 2, 0]


def test_orders_and_their_ties() -> None:
    runs = columns((1, 0, 1, 3, 4, 0.5, 0), (0, 0, 2, 9, 9, 0.9, 0), (0, 0, 1, 9, 9, 0.9, 0), (0, 1, 0, 1, 8, 0.1, 0))
    assert sorted_places(runs, QueueOrder.SEVERITY, down=True).tolist() == [2, 1, 0, 3]
    assert sorted_places(runs, QueueOrder.FRAME, down=False).tolist() == [3, 2, 1, 0]
    assert sorted_places(runs, QueueOrder.FRAMES, down=True).tolist()[0] == 3
    assert sorted_places(runs, QueueOrder.SECONDS, down=False).tolist()[-1] == 3


def test_orders_by_reason_joint_and_person() -> None:
    runs = columns((0, 1, 2, 0, 4, 0.5, 1), (0, 0, 3, 5, 9, 0.9, 1), (1, 0, 1, 2, 3, 0.9, 0), (0, 1, 2, 8, 9, 0.1, 0))
    assert sorted_places(runs, QueueOrder.REASON, down=False).tolist() == [3, 2, 0, 1]
    assert sorted_places(runs, QueueOrder.JOINT, down=False).tolist() == [2, 0, 3, 1]
    assert sorted_places(runs, QueueOrder.PERSON, down=False).tolist() == [1, 2, 0, 3]


def test_frames_done_are_counted_per_run() -> None:
    person, joint = np.array([0, 0, 1, 0]), np.array([5, 5, 5, 6])
    first, last = np.array([0, 10, 0, 0]), np.array([4, 14, 4, 4])
    decided = np.array([[0, 5, 0], [0, 5, 4], [0, 5, 5], [0, 5, 12], [1, 5, 2], [0, 7, 1]])
    assert frames_done(person, joint, first, last, decided).tolist() == [2, 1, 1, 0]
    assert frames_done(person, joint, first, last, np.zeros((0, 3), int)).tolist() == [0, 0, 0, 0]
    empty = np.zeros(0, int)
    assert frames_done(empty, empty, empty, empty, decided).tolist() == []


def test_persons_who_were_not_tracked_count_too() -> None:
    done = frames_done(np.array([-1, 0]), np.array([3, 3]), np.array([7, 7]), np.array([7, 7]), np.array([[-1, 3, 7]]))
    assert done.tolist() == [1, 0]
