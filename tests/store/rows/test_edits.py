"""The edit journal in the database."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from emc.errors import ConflictError, UsageError
from emc.pose.journal import fold_edits, invert
from emc.pose.records import Clip, Edit, JointChange, Prediction, Provenance, Role, Visibility
from emc.store.sql import SqlStore


@pytest.fixture
def run(store: SqlStore, predicted) -> str:
    run = store.start_run("kick", "nano", "tiny", {}).id
    store.write_predictions(run, [predicted(frame) for frame in range(10)], upto=10)
    store.finish_run(run)
    return run


def x_of(store: SqlStore, frame: int) -> float:
    (pose,) = store.poses("kick", None, frame, frame)
    return float(pose.xy[0, 0])


def test_an_edit_comes_back_as_it_was(store: SqlStore) -> None:
    changes = (
        JointChange(3, 1, 2, 0.1, -5.25, Visibility.OCCLUDED, Provenance.PROPAGATED),
        JointChange(2, 0, 1, math.nan, math.nan, Visibility.ABSENT, Provenance.CONFIRMED),
    )
    stored = store.append_edit(Edit("kick", "place", changes, "ana", 2.5, created="2026-01-02T03:04:05+00:00"))
    assert stored.id == 1
    (back,) = store.edits("kick")
    assert dataclasses.replace(back, changes=()) == dataclasses.replace(stored, changes=())
    assert back.changes[0] == changes[0]
    assert (back.changes[1].frame, back.changes[1].visibility) == (2, Visibility.ABSENT)
    assert math.isnan(back.changes[1].x) and math.isnan(back.changes[1].y)
    assert type(back.changes[0].provenance) is Provenance


def test_the_journal_is_in_order_and_by_clip(store: SqlStore, drag) -> None:
    store.add_clip(Clip("walk", "w.mp4", Role.COMMON, "b", 10, 1, 1))
    clips = ["kick", "walk", "kick", "kick"]
    assert [store.append_edit(drag(0, clip=clip)).id for clip in clips] == [1, 2, 3, 4]
    assert [edit.clip for edit in store.edits()] == clips
    assert [edit.id for edit in store.edits("kick")] == [1, 3, 4]
    assert [edit.id for edit in store.edits("kick", after=1)] == [3, 4]
    assert [len(edit.changes) for edit in store.edits(after=2)] == [1, 1]


def test_undo_and_redo_through_the_store(store: SqlStore, run: str, drag) -> None:
    fix = store.append_edit(drag(3))
    assert (x_of(store, 3), x_of(store, 4)) == (7, 1)
    undo = store.append_edit(drag(3, undoes=fix.id))
    assert x_of(store, 3) == 1
    redo = store.append_edit(invert(undo, store.poses("kick")))
    assert (x_of(store, 3), redo.kind) == (7, "redo")
    store.append_edit(invert(redo, store.poses("kick")))
    assert x_of(store, 3) == 1
    assert [edit.undoes for edit in store.edits("kick")] == [0, 1, 2, 3]


def test_an_edit_that_is_taken_back_cannot_be_again(store: SqlStore, drag) -> None:
    store.append_edit(drag(3))
    store.append_edit(drag(3, undoes=1))
    with pytest.raises(ConflictError, match="edit 1 of clip kick is taken back already"):
        store.append_edit(drag(3, undoes=1))
    store.append_edit(drag(3, undoes=2))
    assert store.append_edit(drag(3, undoes=1)).id == 4


def test_only_an_edit_of_the_clip_can_be_taken_back(store: SqlStore, drag) -> None:
    store.add_clip(Clip("walk", "w.mp4", Role.COMMON, "b", 10, 1, 1))
    store.append_edit(drag(0, clip="walk"))
    for target in (1, 99):
        with pytest.raises(UsageError, match=f"clip kick has no edit {target}"):
            store.append_edit(drag(0, undoes=target))
    assert len(store.edits()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame": 100}, "frame 100, joint 0: the clip has no such frame; use 0 to 99"),
        ({"frame": -1}, "no such frame"),
        ({"joint": -1}, "no skeleton has such a joint; use 0 to 999"),
        ({"joint": 1000}, "joint 1000: no skeleton has such a joint"),
        ({"x": math.inf}, "is infinite"),
    ],
)
def test_a_change_that_cannot_be_is_refused(store: SqlStore, drag, change: dict, message: str) -> None:
    good = drag(0)
    bad = dataclasses.replace(good, changes=(*good.changes, dataclasses.replace(good.changes[0], **change)))
    with pytest.raises(UsageError, match=message):
        store.append_edit(bad)
    assert store.edits() == []


def test_a_stored_edit_is_not_stored_twice(store: SqlStore, drag) -> None:
    stored = store.append_edit(drag(0))
    with pytest.raises(UsageError, match="edit 1 of clip kick is stored already"):
        store.append_edit(stored)


def test_an_edit_sent_again_is_stored_once(store: SqlStore, drag) -> None:
    first = store.append_edit(drag(0), token="tab1-1")
    assert store.append_edit(drag(0), token="tab1-1") == first
    assert store.append_edit(drag(0), token="tab1-2").id == 2
    with pytest.raises(ConflictError, match="token 'tab1-1' belongs to edit 1"):
        store.append_edit(drag(0, undoes=1), token="tab1-1")
    assert len(store.edits()) == 2


@pytest.mark.parametrize("over", [{"frame": 1}, {"x": 7.5}, {"joint": 1}])
def test_a_token_sent_again_with_another_value_is_refused(store: SqlStore, drag, over: dict) -> None:
    store.append_edit(drag(0, **{"joint": 2}), token="tab1-1")
    with pytest.raises(ConflictError, match="asked for something else: nothing was stored"):
        store.append_edit(drag(**{"frame": 0, "joint": 2} | over), token="tab1-1")
    assert len(store.edits()) == 1


def test_a_token_stands_for_what_was_asked_whatever_was_made_of_it(store: SqlStore, drag) -> None:
    first = store.append_edit(drag(0), token="tab1-1", content="swap 0 to 9")
    assert store.append_edit(drag(0, x=99), token="tab1-1", content="swap 0 to 9") == first
    assert store.edit_sent_as("tab1-1", "swap 0 to 9") == first
    with pytest.raises(ConflictError, match="use a new token"):
        store.edit_sent_as("tab1-1", "swap 0 to 8")


def test_an_edit_that_an_older_version_stored_goes_by_its_token(store: SqlStore, drag) -> None:
    with store._database.writing() as connection:
        values = "(1, 1, 'drag', 'ana', 1.5, 0, '2026', 'tab1-1')"
        connection.execute(
            text(f"INSERT INTO edit (id, clip, kind, author, seconds, undoes, created, token) VALUES {values}")
        )
    assert store.append_edit(drag(0), token="tab1-1").id == 1


def test_an_edit_is_taken_back_by_its_author_alone(store: SqlStore, run: str, drag) -> None:
    store.append_edit(drag(3))
    undo = drag(3, undoes=1)
    with pytest.raises(ConflictError, match="edit 1 of clip kick is by ana, not by bo: each takes back their own"):
        store.append_edit(dataclasses.replace(undo, author="bo"))
    with pytest.raises(ConflictError, match="not by somebody without a name"):
        store.append_edit(dataclasses.replace(undo, author=""))
    assert (len(store.edits()), x_of(store, 3)) == (1, 7)
    store.append_edit(undo)
    with pytest.raises(ConflictError, match="edit 2 of clip kick is by ana, not by bo"):
        store.append_edit(dataclasses.replace(drag(3, undoes=2), author="bo", kind="redo"))
    assert x_of(store, 3) == 1


def test_a_joint_that_changed_since_is_a_conflict(store: SqlStore, run: str, drag) -> None:
    joint = (3, 0, 0)
    assert store.joint_versions("kick") == {}
    first = store.append_edit(drag(3), expect={joint: 0})
    assert store.joint_versions("kick") == {joint: first.id}
    with pytest.raises(ConflictError, match="joint 0 of person 0 on frame 3 of clip kick was changed by edit 1"):
        store.append_edit(drag(3, x=9), expect={joint: 0})
    assert x_of(store, 3) == 7
    store.append_edit(drag(3, joint=1), expect={(3, 0, 1): 0})
    store.append_edit(drag(3, x=9), expect={joint: first.id})
    assert x_of(store, 3) == 9


@pytest.mark.parametrize("table", ["edit", "edit_change"])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM {}", "UPDATE {} SET clip = clip", "INSERT OR REPLACE INTO {0} SELECT * FROM {0}"]
)
def test_the_journal_is_append_only(store: SqlStore, drag, table: str, statement: str) -> None:
    store.append_edit(drag(0))
    with pytest.raises(IntegrityError, match="append-only"), store._database.writing() as connection:
        connection.execute(text(statement.format(table)))
    assert len(store.edits()[0].changes) == 1


def test_poses_are_the_fold_over_the_newest_complete_run(store: SqlStore, run: str, drag, predicted) -> None:
    store.append_edit(drag(3))
    store.append_edit(drag(50))
    later = store.start_run("kick", "big", "tiny", {}).id
    store.write_predictions(later, [predicted(frame, x=2) for frame in range(5)])
    assert {pose.run for pose in store.poses("kick")} == {run, ""}
    store.finish_run(later)
    poses = {pose.frame: pose for pose in store.poses("kick")}
    assert sorted(poses) == [0, 1, 2, 3, 4, 50]
    assert [poses[frame].xy[0, 0] for frame in (2, 3, 50)] == [2, 7, 7]
    assert [poses[frame].run for frame in (2, 3, 50)] == [later, later, ""]
    assert len(poses[50].xy) == 3
    assert [pose.frame for pose in store.poses("kick", run, 8, 60)] == [8, 9, 50]


def test_poses_without_any_run_have_the_joints_that_the_clip_has_edits_of(store: SqlStore, drag) -> None:
    store.append_edit(drag(3))
    store.append_edit(drag(4, joint=16))
    (pose,) = store.poses("kick", None, 3, 3)
    assert len(pose.xy) == 17
    assert pose.run == ""
    assert store.poses("kick", None, 5, 99) == []
    assert [len(p.xy) for p in store.poses("kick", None, 3, 4, joints=21)] == [21, 21]
    assert [len(p.xy) for p in store.poses("kick", None, 3, 4, joints=3)] == [17, 17]


def test_a_run_of_another_clip_is_refused(store: SqlStore, run: str) -> None:
    store.add_clip(Clip("walk", "w.mp4", Role.COMMON, "b", 10, 1, 1))
    with pytest.raises(UsageError, match="run run-1 is not of clip walk"):
        store.poses("walk", run)


def test_a_range_sees_undos_made_on_other_frames(store: SqlStore, run: str) -> None:
    frames = tuple(JointChange(frame, 0, 0, 7, 8, Visibility.VISIBLE, Provenance.PROPAGATED) for frame in range(2, 8))
    fix = store.append_edit(Edit("kick", "propagate", frames))
    note = JointChange(2, 0, 0, 99, 99, Visibility.VISIBLE, Provenance.HUMAN)
    store.append_edit(Edit("kick", "undo", (note,), undoes=fix.id))
    assert [x_of(store, frame) for frame in (2, 7)] == [1, 1]


def test_the_store_folds_as_the_journal_does(store: SqlStore, run: str) -> None:
    """Random edits, undos and redos: any range read from the database equals the fold over the whole journal."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        edits = store.edits("kick")
        undoes = int(rng.integers(1, len(edits) + 1)) if edits and rng.random() < 0.4 else 0
        changes = tuple(
            JointChange(
                int(rng.integers(0, 12)),
                int(rng.integers(0, 2)),
                int(rng.integers(0, 3)),
                float(rng.integers(0, 50)),
                1.0,
                Visibility(int(rng.integers(0, 3))),
                Provenance(int(rng.integers(0, 4))),
            )
            for _ in range(rng.integers(0, 5))
        )
        try:
            store.append_edit(Edit("kick", "undo" if undoes else "drag", changes, undoes=undoes))
        except ConflictError:
            assert any(edit.undoes == undoes for edit in edits)
    predictions: list[Prediction] = list(store.predictions(run))
    whole = fold_edits(predictions, store.edits("kick"), run=run)
    for first, last in ((0, 99), (3, 3), (4, 11)):
        expected = [pose for pose in whole if first <= pose.frame <= last]
        got = store.poses("kick", run, first, last)
        assert [(p.frame, p.person, p.run) for p in got] == [(p.frame, p.person, p.run) for p in expected]
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_array_equal(one.xy, other.xy)
            np.testing.assert_array_equal(one.visibility, other.visibility)
            np.testing.assert_array_equal(one.provenance, other.provenance)


def test_numpy_numbers_are_stored_as_numbers(store: SqlStore, run: str, drag) -> None:
    change = dataclasses.replace(
        drag(0).changes[0], frame=np.int64(3), person=np.int32(0), joint=np.int64(1), x=np.float32(4.5), y=np.float64(2)
    )
    store.append_edit(Edit("kick", "drag", (change,), seconds=np.float32(1.5)))
    (pose,) = store.poses("kick", None, 3, 3)
    assert pose.xy[1].tolist() == [4.5, 2]


def test_an_edit_is_found_by_its_token_and_the_newest_is_known(store: SqlStore, drag: Callable[..., Edit]) -> None:
    assert store.last_edit() == 0
    assert store.edit_sent_as("a-token", "fix") is None
    stored = store.append_edit(drag(3), token="a-token", content="fix")
    assert store.edit_sent_as("a-token", "fix") == stored
    assert store.last_edit() == stored.id


def test_standing_edits_leave_out_what_was_taken_back(store: SqlStore, drag: Callable[..., Edit]) -> None:
    first, second = store.append_edit(drag(3)), store.append_edit(drag(4))
    store.append_edit(drag(0, undoes=first.id))
    assert [edit.id for edit in store.standing_edits("kick")] == [second.id]
    assert store.standing_edits("kick", 5, 9) == []


def test_the_largest_number_of_a_person_is_that_of_predictions_and_edits(
    store: SqlStore, predicted: Callable[..., Prediction]
) -> None:
    assert store.last_person("kick") == -1
    run = store.start_run("kick", "nano", "tiny", {}).id
    store.write_predictions(run, [predicted(0, 2), predicted(1, 0)])
    assert store.last_person("kick") == 2
    change = JointChange(0, 7, 0, 1.0, 2.0, Visibility.VISIBLE, Provenance.HUMAN)
    store.append_edit(Edit("kick", "add person", (change,)))
    assert store.last_person("kick") == 7


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_what_stands_is_the_same_however_it_is_asked_for(
    store: SqlStore, drag: Callable[..., Edit], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ids down the chain of undos, or by reading all undos of the clip where there are many ids."""
    monkeypatch.setattr("emc.store.rows.edits.MOST_ASKED", most)
    for joint in range(4):
        store.append_edit(drag(3, joint=joint))
    for target in (1, 5, 6, 2):
        store.append_edit(drag(3, undoes=target))
    assert [edit.id for edit in store.standing_edits("kick", 3, 3)] == [3, 4]
    assert [edit.id for edit in store.standing_edits("kick", 3, 3, without=4)] == [3]
    # As if the undo of edit 2, or the undo that a redo took back, had never been.
    assert [edit.id for edit in store.standing_edits("kick", 3, 3, without=8)] == [2, 3, 4]
    assert [edit.id for edit in store.standing_edits("kick", 3, 3, without=7)] == [1, 3, 4]


def test_one_edit_is_found_by_its_id(store: SqlStore, drag: Callable[..., Edit]) -> None:
    stored = store.append_edit(drag(3))
    assert store.edit(stored.id) == stored
    assert store.edit(2) is None


def test_only_newer_edits_of_the_clip_are_read(store: SqlStore, drag: Callable[..., Edit]) -> None:
    store.add_clip(Clip("other", "/media/other.mp4", Role.TARGET, "ana", 100, 640, 480))
    ids = [store.append_edit(drag(3, clip=clip)).id for clip in ("kick", "other", "kick", "other")]
    assert [edit.id for edit in store.edits("kick", after=ids[0])] == [ids[2]]
    assert [edit.id for edit in store.edits(None, after=ids[1])] == ids[2:]
    assert store.edits("kick", after=ids[3]) == []
