"""The fold of the journal, against tables written by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emc.errors import UsageError
from emc.pose.journal import fold_edits, invert, joint_versions, undone_edits
from emc.pose.records import (
    Edit,
    JointChange,
    PersonAction,
    PersonChange,
    Pose,
    Prediction,
    Provenance,
    Visibility,
)

NAN = float("nan")
M, P, H, C = Provenance.MODEL, Provenance.PROPAGATED, Provenance.HUMAN, Provenance.CONFIRMED
ABSENT, OCCLUDED, VISIBLE = Visibility.ABSENT, Visibility.OCCLUDED, Visibility.VISIBLE


def predicted(frame: int = 0, person: int = 0) -> Prediction:
    """Three joints: one seen at (1, 2), one not found, one at (5, 6) that the model does not believe."""
    return Prediction(
        frame,
        person,
        xy=np.array([[1, 2], [NAN, NAN], [5, 6]], np.float32),
        score=np.array([9, 0, 1], np.float32),
        confidence=np.array([0.9, 0, 0], np.float32),
        box=np.array([0, 0, 10, 20], np.float32),
    )


def change(
    x: float, who: Provenance = H, joint: int = 0, frame: int = 0, visibility: Visibility = VISIBLE
) -> JointChange:
    return JointChange(frame, 0, joint, x, x + 0.5, visibility, who)


def edit(identity: int, *changes: JointChange, undoes: int = 0, kind: str = "drag") -> Edit:
    return Edit("kick", kind, changes, undoes=undoes, id=identity)


def xs(poses: list[Pose]) -> list[float]:
    (pose,) = poses
    return pose.xy[:, 0].tolist()


def test_prediction_alone() -> None:
    (pose,) = fold_edits([predicted()], [], run="run-1")
    np.testing.assert_array_equal(pose.xy, np.array([[1, 2], [NAN, NAN], [5, 6]], np.float32))
    assert pose.visibility.tolist() == [VISIBLE, ABSENT, ABSENT]
    assert pose.provenance.tolist() == [M, M, M]
    assert (pose.frame, pose.person, pose.run) == (0, 0, "run-1")
    assert pose.box is not None and pose.box.tolist() == [0, 0, 10, 20]
    assert pose.visibility.dtype == pose.provenance.dtype == np.int8


def test_an_edit_changes_only_its_joints() -> None:
    before = predicted()
    (pose,) = fold_edits([before], [edit(1, change(7, joint=1, visibility=OCCLUDED))])
    assert pose.xy.tolist() == [[1, 2], [7, 7.5], [5, 6]]
    assert pose.visibility.tolist() == [VISIBLE, OCCLUDED, ABSENT]
    assert pose.provenance.tolist() == [M, H, M]
    assert math.isnan(before.xy[1, 0]), "the prediction itself stays as it was"


@pytest.mark.parametrize(
    ("edits", "x", "who"),
    [
        pytest.param([(1, H, 0), (2, H, 0)], 2, H, id="the later human holds"),
        pytest.param([(1, H, 0), (2, P, 0)], 1, H, id="a machine does not replace a human"),
        pytest.param([(1, C, 0), (2, M, 0)], 1, C, id="a machine does not replace what was confirmed"),
        pytest.param([(1, C, 0), (2, H, 0)], 2, H, id="a human replaces what was confirmed"),
        pytest.param([(1, H, 0), (2, C, 0)], 2, C, id="confirming replaces a human"),
        pytest.param([(1, P, 0), (2, P, 0)], 2, P, id="the later machine holds over a machine"),
        pytest.param([(1, P, 0), (2, M, 0)], 2, M, id="a model replaces a propagated joint"),
        pytest.param([(1, H, 0), (0, H, 1)], None, M, id="undo gives back the prediction"),
        pytest.param([(1, H, 0), (2, H, 0), (0, H, 2)], 1, H, id="undo of the later gives back the earlier"),
        pytest.param([(1, H, 0), (2, H, 0), (0, H, 1)], 2, H, id="undo of the earlier leaves the later"),
        pytest.param([(1, P, 0), (2, H, 0), (0, H, 2)], 1, P, id="undo of a human gives back the machine"),
        pytest.param([(1, H, 0), (0, H, 1), (0, H, 2)], 1, H, id="redo"),
        pytest.param([(1, H, 0), (0, H, 1), (0, H, 2), (0, H, 3)], None, M, id="undo of a redo"),
        pytest.param([(1, H, 0), (0, H, 1), (0, H, 2), (0, H, 1)], None, M, id="undo again after a redo"),
        pytest.param([(1, H, 0), (2, H, 0), (0, H, 2), (0, H, 1)], None, M, id="undo twice"),
        pytest.param([(1, H, 0), (2, H, 0), (0, H, 2), (0, H, 1), (0, H, 4)], 1, H, id="undo twice, redo once"),
        pytest.param([(1, H, 0), (2, P, 0), (0, H, 1)], 2, P, id="a machine held off by an undone human counts"),
    ],
)
def test_what_holds(edits: list[tuple[float, Provenance, int]], x: float | None, who: Provenance) -> None:
    """Each row: x of joint 0, who says so, the edit (counted from 1) that it takes back; x = 0 in an undo."""
    journal = [
        edit(place, *([] if undoes else [change(value, provenance)]), undoes=undoes)
        for place, (value, provenance, undoes) in enumerate(edits, start=1)
    ]
    (pose,) = fold_edits([predicted()], journal)
    assert pose.xy[0, 0] == (1 if x is None else x)
    assert pose.provenance[0] == who


def test_one_undo_takes_back_a_fix_with_what_it_propagated() -> None:
    fix = edit(1, change(7, H, frame=0), change(8, P, frame=1), change(9, P, frame=2))
    frames = [predicted(frame) for frame in range(3)]
    assert [pose.xy[0, 0] for pose in fold_edits(frames, [fix])] == [7, 8, 9]
    undo = edit(2, undoes=1)
    assert [pose.xy[0, 0] for pose in fold_edits(frames, [fix, undo])] == [1, 1, 1]
    assert [pose.xy[0, 0] for pose in fold_edits(frames, [fix, undo, edit(3, undoes=2)])] == [7, 8, 9]


def test_changes_inside_an_undo_are_a_note_only() -> None:
    journal = [edit(1, change(7)), edit(2, change(8)), edit(3, change(99), undoes=1)]
    assert xs(fold_edits([predicted()], journal))[0] == 8


def test_within_one_edit_the_later_change_holds() -> None:
    assert xs(fold_edits([predicted()], [edit(1, change(7), change(8))]))[0] == 8


def test_a_person_who_is_only_in_edits_appears_with_the_other_joints_absent() -> None:
    poses = fold_edits([], [edit(1, change(7, frame=4, joint=1), change(8, frame=2, joint=0))], joints=3, run="run-1")
    assert [(pose.frame, pose.run, pose.box) for pose in poses] == [(2, "", None), (4, "", None)]
    assert poses[1].visibility.tolist() == [ABSENT, VISIBLE, ABSENT]
    assert np.isnan(poses[1].xy[[0, 2]]).all()
    assert poses[1].xy[1].tolist() == [7, 7.5]
    assert poses[1].provenance.tolist() == [M, H, M]


def test_an_absent_joint_keeps_the_place_it_was_given() -> None:
    (pose,) = fold_edits([predicted()], [edit(1, change(7, visibility=ABSENT))])
    assert pose.visibility[0] == ABSENT
    assert pose.xy[0].tolist() == [7, 7.5]


def test_all_poses_have_the_same_joints() -> None:
    poses = fold_edits([predicted(0), predicted(1)], [edit(1, change(7, joint=4, frame=1))])
    assert [len(pose.xy) for pose in poses] == [5, 5]
    assert poses[0].visibility.tolist() == [VISIBLE, ABSENT, ABSENT, ABSENT, ABSENT]


def test_poses_come_by_frame_then_person() -> None:
    poses = fold_edits([predicted(3, 1), predicted(3, 0), predicted(0, 2)], [edit(1, change(7, frame=1))])
    assert [(pose.frame, pose.person) for pose in poses] == [(0, 2), (1, 0), (3, 0), (3, 1)]


def test_taken_back() -> None:
    assert undone_edits([(1, 0), (2, 1), (3, 2), (4, 0), (5, 4)]) == {2, 4}
    assert undone_edits([]) == set()


def test_versions_name_the_edit_that_decides() -> None:
    journal = [edit(1, change(7)), edit(2, change(8, P)), edit(3, change(9, joint=2)), edit(4, change(1, joint=2))]
    assert joint_versions(journal) == {(0, 0, 0): 1, (0, 0, 2): 4}
    assert joint_versions([*journal, edit(5, undoes=4)]) == {(0, 0, 0): 1, (0, 0, 2): 3}


def test_invert_says_what_comes_back() -> None:
    done = edit(5, change(7), change(8), change(9, joint=1), change(3, frame=6))
    undo = invert(done, fold_edits([predicted()], []), author="ana")
    assert (undo.clip, undo.kind, undo.undoes, undo.id, undo.author) == ("kick", "undo", 5, 0, "ana")
    assert undo.changes[0] == JointChange(0, 0, 0, 1.0, 2.0, VISIBLE, M)
    assert [(c.frame, c.joint, c.visibility, c.provenance) for c in undo.changes] == [
        (0, 0, VISIBLE, M),
        (0, 1, ABSENT, M),
        (6, 0, ABSENT, M),
    ]
    assert math.isnan(undo.changes[1].x)
    redo = invert(edit(6, *undo.changes, undoes=5, kind="undo"), fold_edits([predicted()], [done]))
    assert (redo.kind, redo.undoes, redo.changes[0].x) == ("redo", 6, 8)
    assert invert(edit(7, undoes=6, kind="redo"), []).kind == "undo"


def test_invert_is_by_the_author_of_the_edit_unless_said_otherwise() -> None:
    done = replace(edit(5, change(7)), author="bo")
    assert (invert(done, []).author, invert(done, [], author="ana").author) == ("bo", "ana")


def test_only_a_stored_edit_can_be_taken_back() -> None:
    with pytest.raises(UsageError, match="not stored yet: append it"):
        invert(edit(0, change(7)), [])


changes = st.builds(
    JointChange,
    frame=st.integers(0, 2),
    person=st.integers(0, 1),
    joint=st.integers(0, 2),
    x=st.integers(0, 99).map(float),
    y=st.integers(0, 99).map(float),
    visibility=st.sampled_from(Visibility),
    provenance=st.sampled_from(Provenance),
)


@st.composite
def journals(draw: st.DrawFn) -> list[Edit]:
    """Edits and undos of any earlier edit, undos included."""
    journal: list[Edit] = []
    for identity in range(1, draw(st.integers(1, 12)) + 1):
        undoes = draw(st.integers(0, identity - 1)) if draw(st.booleans()) else 0
        given_changes = draw(st.lists(changes, max_size=4))
        journal.append(Edit("kick", "undo" if undoes else "drag", tuple(given_changes), undoes=undoes, id=identity))
    return journal


def slow_fold(journal: list[Edit]) -> dict[tuple[int, int, int], JointChange]:
    """The same rules said another way: replay the edits that count, one joint at a time."""

    def counts(identity: int) -> bool:
        return not any(other.undoes == identity and counts(other.id) for other in journal)

    held: dict[tuple[int, int, int], JointChange] = {}
    for one in journal:
        for c in one.changes if counts(one.id) and not one.undoes else ():
            key = (c.frame, c.person, c.joint)
            if c.provenance in (H, C) or key not in held or held[key].provenance in (M, P):
                held[key] = c
    return held


@settings(max_examples=150, deadline=None)
@given(journals())
def test_fold_is_the_replay_of_the_edits_that_count(journal: list[Edit]) -> None:
    predictions = [predicted(frame, person) for frame in range(3) for person in range(2)]
    held = slow_fold(journal)
    for pose in fold_edits(predictions, journal):
        for joint in range(3):
            c = held.get((pose.frame, pose.person, joint))
            if c is None:
                np.testing.assert_array_equal(pose.xy[joint], predictions[0].xy[joint])
                assert pose.provenance[joint] == M
            else:
                assert pose.xy[joint].tolist() == [c.x, c.y]
                assert (pose.visibility[joint], pose.provenance[joint]) == (c.visibility, c.provenance)


@settings(max_examples=100, deadline=None)
@given(journals(), st.data())
def test_undo_and_redo_of_the_newest_edit(journal: list[Edit], data: st.DataObject) -> None:
    predictions = [predicted(frame, person) for frame in range(3) for person in range(2)]
    last = Edit("kick", "drag", tuple(data.draw(st.lists(changes, min_size=1, max_size=4))), id=len(journal) + 1)
    before, after = fold_edits(predictions, journal), fold_edits(predictions, [*journal, last])
    undo = edit(last.id + 1, undoes=last.id)
    assert_same(fold_edits(predictions, [*journal, last, undo]), before)
    assert_same(fold_edits(predictions, [*journal, last, undo, edit(undo.id + 1, undoes=undo.id)]), after)


def assert_same(one: list[Pose], other: list[Pose]) -> None:
    assert [(p.frame, p.person, p.run) for p in one] == [(p.frame, p.person, p.run) for p in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.xy, b.xy)
        np.testing.assert_array_equal(a.visibility, b.visibility)
        np.testing.assert_array_equal(a.provenance, b.provenance)


def test_a_person_only_in_edits_has_arrays_of_the_kinds_that_predictions_have() -> None:
    (pose,) = fold_edits([], [edit(1, change(3.0, joint=1))], joints=3)
    assert (pose.xy.dtype, pose.visibility.dtype, pose.provenance.dtype) == (np.float32, np.int8, np.int8)
    np.testing.assert_array_equal(pose.xy, np.array([[NAN, NAN], [3.0, 3.5], [NAN, NAN]], np.float32))


def test_what_undo_says_of_a_joint_that_was_not_there() -> None:
    # The pose before had three joints, the edit placed a fourth: taken back, it is absent, and it is that person's.
    (before,) = fold_edits([predicted(person=4)], [])
    added = Edit("kick", "drag", (JointChange(0, 4, 3, 8.0, 9.0, VISIBLE, H),), id=7)
    (back,) = invert(added, [before]).changes
    assert (back.frame, back.person, back.joint) == (0, 4, 3)
    assert math.isnan(back.x)
    assert math.isnan(back.y)
    assert (back.visibility, back.provenance) == (ABSENT, M)
    (nobody,) = invert(added, []).changes
    assert (nobody.person, nobody.visibility) == (4, ABSENT)


def test_versions_of_merged_people_are_those_of_the_one_who_is_left() -> None:
    of_other = replace(edit(3), changes=(replace(change(7), person=1),))
    merged = replace(edit(4), persons=(PersonChange(1, PersonAction.MERGE, into=0),))
    assert joint_versions([of_other, merged]) == {(0, 0, 0): 3}
    assert joint_versions([edit(2, change(5)), of_other, merged]) == {(0, 0, 0): 2}
