"""Edits of whole people in the database: kept, folded into poses, taken back, never changed."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from emc.errors import UsageError
from emc.pose.people import EVERYBODY
from emc.pose.records import Edit, PersonAction, PersonChange
from emc.store.sql import SqlStore


def said(action: PersonAction, *persons: int, into: int = -1, undoes: int = 0) -> Edit:
    changes = tuple(PersonChange(person, action, into) for person in persons)
    return Edit("kick", "undo" if undoes else "people", (), "ana", undoes=undoes, persons=changes)


@pytest.fixture
def run(store: SqlStore, predicted) -> str:
    made = store.start_run("kick", "nano", "tiny", {}).id
    there = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 1), (3, 2)]
    store.write_predictions(made, [predicted(frame, person, x=float(10 * person)) for frame, person in there])
    store.finish_run(made)
    return made


def places(store: SqlStore) -> dict[tuple[int, int], float]:
    return {(pose.frame, pose.person): float(pose.xy[0, 0]) for pose in store.poses("kick")}


def test_an_edit_of_people_comes_back_as_it_was(store: SqlStore) -> None:
    stored = store.append_edit(said(PersonAction.ATHLETE, 3, 1), token="page-1")
    assert store.edits("kick") == [stored]
    assert stored.persons == (PersonChange(3, PersonAction.ATHLETE), PersonChange(1, PersonAction.ATHLETE))
    assert store.append_edit(said(PersonAction.ATHLETE, 3, 1), token="page-1") == stored
    assert store.last_person("kick") == 3


def test_a_deleted_person_is_in_no_pose_no_prediction_and_no_standing_edit(store: SqlStore, run: str, drag) -> None:
    store.append_edit(drag(0))
    gone = store.append_edit(said(PersonAction.DELETE, 0))
    assert set(places(store)) == {(0, 1), (1, 1), (2, 1), (3, 2)}
    assert {one.person for one in store.predictions(run)} == {1, 2}
    assert {one.person for one in store.raw_predictions(run)} == {0, 1, 2}
    assert [edit.changes for edit in store.standing_edits("kick")] == [()]
    assert store.joint_versions("kick") == {}
    store.append_edit(said(PersonAction.DELETE, undoes=gone.id))
    assert store.people("kick") == EVERYBODY
    assert places(store)[0, 0] == 7.0
    assert store.joint_versions("kick") == {(0, 0, 0): 1}


def test_a_merged_person_fills_the_frames_that_the_other_lacks(store: SqlStore, run: str, drag) -> None:
    store.append_edit(drag(1))
    store.append_edit(said(PersonAction.MERGE, 0, into=1))
    # Frame 1: what a person said of 0's joint wins; frame 0: both are as predicted, 1's stays.
    assert places(store) == {(0, 1): 10.0, (1, 1): 7.0, (2, 1): 10.0, (3, 2): 20.0}
    assert store.joint_versions("kick") == {(1, 1, 0): 1}
    store.append_edit(said(PersonAction.MERGE, 2, into=1))
    assert places(store)[3, 1] == 20.0
    assert [(one.frame, one.person) for one in store.predictions(run)] == [(0, 1), (1, 1), (2, 1), (3, 1)]


def test_such_edits_are_append_only(store: SqlStore) -> None:
    store.append_edit(said(PersonAction.DELETE, 0))
    for statement in ("UPDATE edit_person SET person = 1", "DELETE FROM edit_person"):
        with pytest.raises(IntegrityError, match="append-only"), store._database.writing() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize("into", [0, -1])
def test_nobody_is_merged_into_themselves_or_nobody(store: SqlStore, into: int) -> None:
    with pytest.raises(UsageError, match="name another person"):
        store.append_edit(said(PersonAction.MERGE, 0, into=into))
    assert store.edits("kick") == []
