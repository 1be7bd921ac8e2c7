from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.records import Clip, JointChange, Pose, Provenance, Role, Visibility
from emc.pose.skeletons.skeleton import COCO17
from emc.workflow.editing.operations import (
    MAX_JOINTS,
    Operation,
    OperationRequest,
    chosen_joints,
    middle_undecided,
    operation_edit,
)

CLIP = Clip("kick", "/k.mp4", Role.TARGET, "ana", 20, 640, 480)


def pose(frame: int, person: int = 0, shift: float = 0.0, by: Provenance = Provenance.MODEL) -> Pose:
    xy = np.stack([np.arange(17) * 10.0 + shift, np.full(17, 50.0 + frame)], axis=1).astype(np.float32)
    return Pose(frame, person, xy, np.full(17, 2, np.int8), np.full(17, by, np.int8))


def poses(*some: Pose) -> Callable[[int, int], Iterable[Pose]]:
    return lambda first, last: [p for p in some if first <= p.frame <= last]


def made(order: OperationRequest, *some: Pose, newcomer: int = 9) -> dict[tuple[int, int, int], JointChange]:
    edit = operation_edit(order, CLIP, COCO17, poses(*some), newcomer)
    return {(c.frame, c.person, c.joint): c for c in edit.changes}


def test_a_swap_exchanges_pairs_of_a_limb_and_leaves_the_rest() -> None:
    changes = made(
        OperationRequest(Operation.SWAP, 0, 3, 3, 4, limb="knee"), pose(3), pose(4), pose(5), pose(3, person=1)
    )
    assert set(changes) == {(3, 0, 13), (3, 0, 14), (4, 0, 13), (4, 0, 14)}
    assert (changes[3, 0, 13].x, changes[3, 0, 14].x) == (140, 130)
    assert {c.provenance for c in changes.values()} == {Provenance.HUMAN}


def test_from_here_on_only_this_frame_is_a_persons_word() -> None:
    human = pose(6, by=Provenance.CONFIRMED)
    changes = made(OperationRequest(Operation.SWAP, 0, 3, 3, None, joints=(15,)), pose(3), pose(4), human)
    by = {frame: changes[frame, 0, 15].provenance for frame in (3, 4, 6)}
    # What a person had decided before can only be changed by a person.
    assert by == {3: Provenance.HUMAN, 4: Provenance.PROPAGATED, 6: Provenance.HUMAN}


def test_identities_are_exchanged_also_where_one_is_missing() -> None:
    order = OperationRequest(Operation.IDENTITY, 0, 3, 3, None, other=1)
    changes = made(order, pose(3), pose(3, 1, shift=300), pose(4, 1, shift=300))
    assert (changes[3, 0, 5].x, changes[3, 1, 5].x) == (350, 50)
    assert changes[4, 0, 5].x == 350
    assert np.isnan(changes[4, 1, 5].x)
    assert changes[4, 1, 5].visibility is Visibility.ABSENT


def test_copy_takes_the_newest_pose_before() -> None:
    changes = made(OperationRequest(Operation.COPY, 0, 8, 8, 8), pose(3), pose(5, shift=7), pose(9, shift=99))
    assert {c.frame for c in changes.values()} == {8}
    assert changes[8, 0, 2].x == 27


def test_a_new_person_takes_the_shape_of_the_nearest_one_or_stands() -> None:
    order = OperationRequest(Operation.ADD_PERSON, -1, 8, 8, 8, xy=(300.0, 200.0))
    changes = made(order, pose(6), pose(19, shift=5))
    xs = [changes[8, 9, j].x for j in range(17)]
    assert np.mean(xs) == pytest.approx(300)
    assert xs[16] - xs[0] == pytest.approx(160)
    alone = made(order)
    assert len(alone) == 17
    assert alone[8, 9, 15].y > alone[8, 9, 0].y
    assert {c.provenance for c in alone.values()} == {Provenance.PROPAGATED}


def test_absent_is_said_of_joints_without_a_place_too() -> None:
    lost = pose(3)
    lost.xy[15] = np.nan
    absent = OperationRequest(Operation.VISIBILITY, 0, 3, 3, 3, joints=(14, 15), visibility=Visibility.ABSENT)
    assert set(made(absent, lost)) == {(3, 0, 14), (3, 0, 15)}
    occluded = OperationRequest(Operation.VISIBILITY, 0, 3, 3, 3, joints=(14, 15), visibility=Visibility.OCCLUDED)
    assert set(made(occluded, lost)) == {(3, 0, 14)}


@pytest.mark.parametrize(
    ("limb", "joints"),
    [
        ("leg", [11, 12, 13, 14, 15, 16]),
        ("left_leg", [11, 13, 15]),
        ("right_arm", [6, 8, 10]),
        ("wrist", [9, 10]),
        (None, list(range(17))),
        ("body", list(range(17))),
    ],
)
def test_limbs(limb: str | None, joints: list[int]) -> None:
    assert chosen_joints(COCO17, None, limb) == joints


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="no limb 'tail'"):
        chosen_joints(COCO17, None, "tail")
    with pytest.raises(UsageError, match="use 0 to 16"):
        chosen_joints(COCO17, (3, 17), None)
    with pytest.raises(UsageError, match="nothing to confirm"):
        made(OperationRequest(Operation.CONFIRM, 5, 3, 3, 3), pose(3))
    with pytest.raises(UsageError, match="no frame 20"):
        made(OperationRequest(Operation.CONFIRM, 0, 3, 3, 20), pose(3))


def test_bisection_halves_the_longest_stretch() -> None:
    assert middle_undecided(0, 8, 1, []) == (4, 9)
    assert middle_undecided(0, 8, 1, [4]) == (1, 8)
    assert middle_undecided(0, 8, 1, [4, 1, 2]) == (6, 6)
    assert middle_undecided(10, 40, 10, [20]) == (30, 3)
    assert middle_undecided(3, 4, 1, [3, 4]) == (None, 0)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (OperationRequest(Operation.SWAP, 0, 3, 5, 4), "frames 5 to 4 of clip kick run backwards"),
        (OperationRequest(Operation.VISIBILITY, 0, 3, 3, 3), "'visibility' needs one: send 0"),
        (OperationRequest(Operation.IDENTITY, 0, 3, 3, 3), "needs another person: send 'other'"),
        (OperationRequest(Operation.IDENTITY, 0, 3, 3, 3, other=0), "needs another person: send 'other'"),
    ],
)
def test_an_order_that_lacks_something_says_what(order: OperationRequest, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(order, pose(3))


def test_a_run_with_too_many_joints_is_refused_as_a_whole() -> None:
    long = replace(CLIP, frames=20_000)
    everywhere = poses(*(pose(frame) for frame in range(MAX_JOINTS // 17 + 1)))
    order = OperationRequest(Operation.CONFIRM, 0, 0, 0, 19_999)
    with pytest.raises(UsageError, match=rf"joints to change, one operation takes {MAX_JOINTS}: give a shorter run"):
        operation_edit(order, long, COCO17, everywhere, 9)
