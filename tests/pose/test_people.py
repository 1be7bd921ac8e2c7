"""What the journal says of whole people, against tables written by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emc.pose.journal import fold_edits, joint_versions
from emc.pose.people import EVERYBODY, People, of_people, people_of
from emc.pose.records import Edit, JointChange, PersonAction, PersonChange, Pose, Prediction, Provenance, Visibility

H, P = Provenance.HUMAN, Provenance.PROPAGATED
DELETE, MERGE, RESTORE = PersonAction.DELETE, PersonAction.MERGE, PersonAction.RESTORE
ATHLETE, EVERYONE = PersonAction.ATHLETE, PersonAction.EVERYONE


def predicted(frame: int, person: int) -> Prediction:
    """Two joints at (person, frame) and (person + 0.5, frame)."""
    xy = np.array([[person, frame], [person + 0.5, frame]], np.float32)
    return Prediction(frame, person, xy, np.ones(2, np.float32), np.ones(2, np.float32), np.zeros(4, np.float32))


def place(frame: int, person: int, joint: int, x: float, who: Provenance = H) -> JointChange:
    return JointChange(frame, person, joint, x, float(frame), Visibility.VISIBLE, who)


def joints(identity: int, *changes: JointChange) -> Edit:
    return Edit("kick", "drag", changes, id=identity)


def said(identity: int, action: PersonAction, *persons: int, into: int = -1) -> Edit:
    changes = tuple(PersonChange(person, action, into) for person in persons or (-1,))
    return Edit("kick", "people", (), id=identity, persons=changes)


def undo(identity: int, target: int) -> Edit:
    return Edit("kick", "undo", (), undoes=target, id=identity)


def shown(poses: list[Pose]) -> dict[tuple[int, int], list[float]]:
    return {(pose.frame, pose.person): pose.xy[:, 0].tolist() for pose in poses}


def test_a_deleted_person_is_gone_with_all_joints_and_comes_back_with_undo() -> None:
    there = [predicted(frame, person) for frame in range(2) for person in range(2)]
    journal = [joints(1, place(0, 1, 0, 40.0)), said(2, DELETE, 1), joints(3, place(1, 1, 1, 50.0))]
    assert shown(fold_edits(there, journal)) == {(0, 0): [0, 0.5], (1, 0): [0, 0.5]}
    assert joint_versions(journal) == {}
    back = [*journal, undo(4, 2)]
    assert shown(fold_edits(there, back)) == {(0, 0): [0, 0.5], (0, 1): [40, 1.5], (1, 0): [0, 0.5], (1, 1): [1, 50]}
    assert joint_versions(back) == {(0, 1, 0): 1, (1, 1, 1): 3}
    assert shown(fold_edits(there, [*back, undo(5, 4)])) == shown(fold_edits(there, journal))


def test_merged_into_another_human_joints_win_else_that_one_s() -> None:
    # Frame 0: both predicted, one joint of 1 by hand. Frame 1: both by hand. Frame 2: only 1 is there.
    there = [predicted(0, 0), predicted(0, 1), predicted(1, 0), predicted(1, 1), predicted(2, 1)]
    journal = [
        joints(1, place(0, 1, 0, 40.0), place(0, 1, 1, 41.0, P)),
        joints(2, place(1, 0, 0, 50.0)),
        joints(3, place(1, 1, 0, 60.0), place(1, 1, 1, 61.0)),
        joints(4, place(2, 1, 1, 70.0, P)),
        joints(5, place(3, 1, 0, 80.0, P)),
    ]
    merged = shown(fold_edits(there, [*journal, said(6, MERGE, 1, into=0)]))
    assert (merged[0, 0], merged[1, 0], merged[2, 0], merged[3, 0][0]) == ([40, 0.5], [50, 61], [1, 70], 80)
    assert set(merged) == {(0, 0), (1, 0), (2, 0), (3, 0)}
    # What is said of the one who was merged, from then on too, is said of the other.
    later = [*journal, said(6, MERGE, 1, into=0), joints(7, place(0, 1, 1, 90.0))]
    assert shown(fold_edits(there, later))[0, 0] == [40, 90]
    assert joint_versions(later)[0, 0, 1] == 7
    apart = shown(fold_edits(there, [*journal, said(6, MERGE, 1, into=0), undo(7, 6)]))
    assert (apart[0, 0], apart[0, 1], apart[2, 1]) == ([0, 0.5], [40, 41], [1, 70])


def test_who_is_who() -> None:
    assert people_of([]) == EVERYBODY
    chain = people_of([said(1, MERGE, 1, into=2), said(2, MERGE, 2, into=3)])
    assert [chain.number(person) for person in range(4)] == [0, 3, 3, 3]
    # In a circle the later edit has no effect.
    assert people_of([said(1, MERGE, 1, into=2), said(2, MERGE, 2, into=1)]) == People({1: 2})
    # Whoever is one with somebody deleted is deleted; nobody is merged into somebody deleted.
    assert people_of([said(1, MERGE, 1, into=2), said(2, DELETE, 1)]).number(2) is None
    assert people_of([said(1, DELETE, 2), said(2, MERGE, 1, into=2)]) == People(deleted=frozenset({2}))
    # Restored: from being deleted; from being merged, even into somebody deleted, alone.
    assert people_of([said(1, DELETE, 2), said(2, RESTORE, 2)]) == EVERYBODY
    both = people_of([said(1, MERGE, 1, into=2), said(2, DELETE, 2), said(3, RESTORE, 1)])
    assert (both.number(1), both.number(2)) == (1, None)


def test_the_athletes_are_the_last_ones_named() -> None:
    assert all(EVERYBODY.counts(person) for person in range(3))
    named = people_of([said(1, ATHLETE, 0), said(2, ATHLETE, 1, 2)])
    assert [named.counts(person) for person in range(3)] == [False, True, True]
    assert people_of([said(1, ATHLETE, 0), said(2, EVERYONE)]).athletes == frozenset()
    # An athlete who was merged counts as the other; where the only one was deleted, everyone who is there counts.
    assert people_of([said(1, ATHLETE, 0), said(2, MERGE, 0, into=1)]).athletes == {1}
    gone = people_of([said(1, ATHLETE, 0), said(2, DELETE, 0)])
    assert [gone.counts(person) for person in range(2)] == [False, True]


def test_predictions_of_people_come_by_frame_then_person() -> None:
    there = [predicted(0, 0), predicted(0, 1), predicted(0, 2), predicted(1, 0), predicted(1, 2)]
    people = People({0: 2}, frozenset({1}))
    found = [(one.frame, one.person, float(one.xy[0, 0])) for one in of_people(there, people)]
    assert found == [(0, 2, 2.0), (1, 2, 2.0)]
    alone = [(one.frame, one.person, float(one.xy[0, 0])) for one in of_people([predicted(0, 0)], people)]
    assert alone == [(0, 2, 0.0)]


persons = st.integers(0, 3)
spoken = st.one_of(
    st.builds(lambda p: [PersonChange(p, DELETE)], persons),
    st.builds(lambda p: [PersonChange(p, RESTORE)], persons),
    st.builds(lambda p, q: [PersonChange(p, MERGE, q)], persons, persons),
    st.builds(lambda ps: [PersonChange(p, ATHLETE) for p in ps], st.lists(persons, min_size=1, max_size=2)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(spoken, max_size=8), st.data())
def test_whatever_is_said_undo_takes_it_back_and_numbers_stay_those_of_people(
    told: list[list[PersonChange]], data: st.DataObject
) -> None:
    there = [predicted(frame, person) for frame in range(2) for person in range(4)]
    fixes = [joints(1, place(0, 1, 0, 40.0), place(1, 3, 1, 50.0))]
    journal = [*fixes, *(Edit("kick", "people", (), id=2 + i, persons=tuple(one)) for i, one in enumerate(told))]
    people = people_of(journal)
    poses = fold_edits(there, journal)
    assert {pose.person for pose in poses} <= {number for p in range(4) if (number := people.number(p)) is not None}
    assert len({(pose.frame, pose.person) for pose in poses}) == len(poses)
    last = Edit("kick", "people", (), id=len(journal) + 1, persons=tuple(data.draw(spoken)))
    taken = fold_edits(there, [*journal, last, undo(last.id + 1, last.id)])
    assert [(p.frame, p.person) for p in taken] == [(p.frame, p.person) for p in poses]
    for one, other in zip(taken, poses, strict=True):
        np.testing.assert_array_equal(one.xy, other.xy)
