from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest

from emc.errors import ConflictError
from emc.pose.records import JointChange, Provenance, Visibility
from emc.workflow.editing import EditAction, Editing

MakeAction = Callable[..., EditAction]


def test_a_person_without_predictions_is_placed_joint_by_joint(editing: Editing, action: MakeAction) -> None:
    """Joint 0 on one frame, joint 1 on the next, each to be carried along: the poses had one joint, then two."""
    for frame, joint in ((4, 0), (5, 1), (5, 16), (6, 0)):
        done = editing.apply("kick", action(person=7, frame=frame, joint=joint, x=300 + frame, propagate=True))
        assert done.fault == ""
    placed = {pose.frame: pose for pose in editing.poses("kick", 4, 6) if pose.person == 7}
    assert [len(pose.xy) for pose in placed.values()] == [17, 17, 17]
    assert placed[4].xy[0].tolist() == [304, 60]
    assert placed[5].xy[[1, 16]].tolist() == [[305, 60], [305, 60]]


def test_a_fix_is_stored_whatever_becomes_of_its_propagation(
    editing: Editing, action: MakeAction, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> list[object]:
        raise IndexError("index 1 is out of bounds for axis 0 with size 1")

    monkeypatch.setattr(editing.propagator, "spans", broken)
    with caplog.at_level(logging.ERROR):
        done = editing.apply("kick", action(propagate=True))
    assert (done.edit.id, done.spans, done.fault) == (
        1,
        (),
        "IndexError: index 1 is out of bounds for axis 0 with size 1",
    )
    assert [len(edit.changes) for edit in editing.store.edits("kick")] == [1]
    assert "clip kick" in caplog.text


@pytest.mark.parametrize("over", [{"x": 51.0}, {"joint": 6}, {"frame": 4}, {"propagate": True}])
def test_a_token_that_is_sent_with_another_action_is_refused(
    editing: Editing, action: MakeAction, over: dict[str, object]
) -> None:
    first = editing.apply("kick", action(token="token-01"))
    assert editing.apply("kick", action(token="token-01", seconds=9.0)).edit == first.edit
    with pytest.raises(ConflictError, match="token 'token-01' belongs to edit 1"):
        editing.apply("kick", action(token="token-01", **over))
    assert len(editing.store.edits("kick")) == 1


def test_an_absent_joint_without_a_place_is_sent_again_all_the_same(editing: Editing) -> None:
    gone = JointChange(3, 0, 5, float("nan"), float("nan"), Visibility.ABSENT, Provenance.HUMAN)
    twice = [editing.apply("kick", EditAction("visibility", (gone,), token="token-01")).edit.id for _ in range(2)]
    assert twice == [1, 1]


def test_poses_have_all_joints_of_the_skeleton_without_any_prediction(editing: Editing, action: MakeAction) -> None:
    editing.apply("kick", action(person=3, joint=2, frame=9))
    (mine,) = [pose for pose in editing.poses("kick", 9, 9) if pose.person == 3]
    assert mine.xy.shape == (17, 2)
    assert np.flatnonzero(np.isfinite(mine.xy).all(axis=1)).tolist() == [2]
