"""Edits of people: checked, stored, followed by the alerts, calibration and lifting, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kicks import FRAMES, kick_project

from emc.config import AlertSettings, Settings
from emc.errors import UsageError
from emc.pose.people import EVERYBODY
from emc.pose.records import Edit, JointChange, PersonAction, Provenance, Visibility
from emc.store.sql import SqlStore
from emc.workflow.calibration.readiness import calibration_readiness
from emc.workflow.editing.session import Editing
from emc.workflow.lifting.lift import lift_project, read_lifted
from emc.workflow.people import (
    delete_person,
    list_people,
    merge_persons,
    name_athletes,
    person_edit,
    restore_person,
    take_back_people,
)
from emc.workflow.predict.alerts import list_alerts
from emc.workflow.predict.found import write_run_alerts
from emc.workflow.project.skeletons import skeleton_called
from emc.workflow.samples.eligible import labelled_poses

ALERTS = AlertSettings()  # pyright: ignore[reportCallIssue]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with kick_project(tmp_path / "kick.emc", persons=2) as made:
        (run,) = made.runs("kick")
        write_run_alerts(made, run, skeleton_called(made, "coco17"), ALERTS)
        yield made


def people_of_alerts(store: SqlStore) -> set[int]:
    (clip,) = list_alerts(store, ["kick"], 1000)["clips"]
    return {row["person"] for row in clip["joints"]}


def fix(store: SqlStore, person: int, frame: int = 3) -> None:
    change = JointChange(frame, person, 9, 100.0, 100.0, Visibility.VISIBLE, Provenance.HUMAN)
    store.append_edit(Edit("kick", "drag", (change,), author="ana"))


def test_a_deleted_person_leaves_poses_alerts_labels_and_3d_and_comes_back(store: SqlStore) -> None:
    clip = store.clip("kick")
    lift_project(store, Settings())
    fix(store, 0)
    assert 0 in people_of_alerts(store)
    before = store.alerts(store.runs("kick")[0].id)
    delete_person(store, clip, 0, ALERTS, "ana")
    assert 0 not in people_of_alerts(store)
    assert {pose.person for pose in store.poses("kick")} == {1}
    assert set(read_lifted(store, "kick")) == {1}
    assert labelled_poses(store, "kick") == []
    assert calibration_readiness(store, Settings()).persons == 0
    take_back_people(store, clip, ALERTS, "ana")
    assert [a for a in store.alerts(store.runs("kick")[0].id) if a.reason != "lift_residual"] == [
        a for a in before if a.reason != "lift_residual"
    ]
    assert labelled_poses(store, "kick")[0].xy[9].tolist() == [100, 100]
    assert set(read_lifted(store, "kick")) == {0, 1}


def test_the_athlete_alone_counts_for_alerts_calibration_and_lifting_but_not_for_poses(store: SqlStore) -> None:
    clip = store.clip("kick")
    fix(store, 0)
    fix(store, 1)
    name_athletes(store, clip, [1], ALERTS, "ana")
    assert people_of_alerts(store) == set()
    assert [pose.person for pose in labelled_poses(store, "kick")] == [1]
    assert {pose.person for pose in store.poses("kick")} == {0, 1}
    (row,) = lift_project(store, Settings())
    assert (row["persons"], set(read_lifted(store, "kick"))) == (1, {1})
    # Who is asked for by number is lifted all the same.
    (row,) = lift_project(store, Settings(), persons=[0])
    assert (row["persons"], set(read_lifted(store, "kick"))) == (1, {0})
    name_athletes(store, clip, [], ALERTS, "ana")
    assert people_of_alerts(store) == {0}


def test_merged_people_are_listed_as_one_and_restored_by_anybody(store: SqlStore) -> None:
    clip = store.clip("kick")
    merge_persons(store, clip, 1, 0, ALERTS, "ana")
    listed = list_people(store, clip)
    assert [(one.person, one.frames, one.merged) for one in listed.people] == [(0, FRAMES, (1,))]
    with pytest.raises(UsageError, match="was done by ana: bring the person back with `emc persons restore kick"):
        take_back_people(store, clip, ALERTS, "bo")
    restore_person(store, clip, 1, ALERTS, "bo")
    assert [one.person for one in list_people(store, clip).people] == [0, 1]


def test_each_takes_back_their_own_newest_edit_whoever_acted_since(store: SqlStore) -> None:
    clip = store.clip("kick")
    delete_person(store, clip, 1, ALERTS, "ana")
    name_athletes(store, clip, [0], ALERTS, "bo")
    take_back_people(store, clip, ALERTS, "ana")
    assert (store.people("kick").deleted, store.people("kick").athletes) == (frozenset(), {0})
    with pytest.raises(UsageError, match="'athlete' of clip kick was done by bo"):
        take_back_people(store, clip, ALERTS, "ana")
    take_back_people(store, clip, ALERTS, "bo")
    assert store.people("kick") == EVERYBODY


def test_the_newest_edit_is_taken_back_first_and_then_the_one_before(store: SqlStore) -> None:
    clip = store.clip("kick")
    name_athletes(store, clip, [0], ALERTS)
    delete_person(store, clip, 1, ALERTS)
    take_back_people(store, clip, ALERTS)
    assert (store.people("kick").deleted, store.people("kick").athletes) == (frozenset(), {0})
    take_back_people(store, clip, ALERTS)
    assert store.people("kick").athletes == frozenset()
    with pytest.raises(UsageError, match="there is nothing to take back"):
        take_back_people(store, clip, ALERTS)


def test_edits_that_cannot_be_name_who_is_there_and_store_nothing(store: SqlStore) -> None:
    clip = store.clip("kick")
    with pytest.raises(UsageError, match="clip kick has no person 7: there is 0, 1"):
        delete_person(store, clip, 7, ALERTS)
    with pytest.raises(UsageError, match="no person 5"):
        merge_persons(store, clip, 1, 5, ALERTS)
    with pytest.raises(UsageError, match="cannot be merged into themselves"):
        merge_persons(store, clip, 1, 1, ALERTS)
    with pytest.raises(UsageError, match="neither deleted nor merged"):
        restore_person(store, clip, 1, ALERTS)
    assert store.edits("kick") == []
    delete_person(store, clip, 1, ALERTS)
    with pytest.raises(UsageError, match="has no person 1: there is 0"):
        delete_person(store, clip, 1, ALERTS)


def test_the_editor_undoes_an_edit_of_people_and_its_lists_follow(store: SqlStore) -> None:
    editing = Editing(store, ALERTS, "ana")
    count = editing.alert_rows("kick", True, 0, 10)[0]
    assert count > 0
    stored = delete_person(store, store.clip("kick"), 0, ALERTS, "ana")
    assert editing.alert_rows("kick", True, 0, 10) == (0, [])
    assert editing.steps("kick").undo == stored.id
    editing.undo("kick")
    assert editing.alert_rows("kick", True, 0, 10)[0] == count


def test_a_process_that_died_before_the_alerts_is_made_good_when_the_clip_is_opened(store: SqlStore) -> None:
    store.append_edit(person_edit(store, store.clip("kick"), PersonAction.DELETE, [0]))
    assert people_of_alerts(store) == {0}
    assert Editing(store, ALERTS).alert_rows("kick", True, 0, 10) == (0, [])
    assert people_of_alerts(store) == set()
