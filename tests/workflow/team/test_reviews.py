from __future__ import annotations

import pytest

from emc.errors import UsageError
from emc.pose.records import Clip, Role
from emc.store import SqlStore
from emc.workflow.team import ReviewState, assign, assigned_clips, assignments, review_of, set_review


def test_clips_are_assigned_to_members_and_taken_from_them(store: SqlStore) -> None:
    assign(store, "kick", ("ana", "bo"))
    assert (assignments(store), assigned_clips(store, "bo")) == ({"kick": ("ana", "bo")}, ("kick",))
    assign(store, "kick", ())
    assert assignments(store) == {}
    with pytest.raises(UsageError, match="walk"):
        assign(store, "walk", ("ana",))


def test_a_clip_that_was_removed_is_nobodys(store: SqlStore) -> None:
    assign(store, "kick", ("ana",))
    store.remove_clip("kick")
    assert assignments(store) == {}


def test_a_run_is_done_sent_back_and_checked(store: SqlStore) -> None:
    first = review_of(store, "kick")
    assert first is not None and first.state is ReviewState.OPEN
    for state, note in (
        (ReviewState.DONE, ""),
        (ReviewState.SENT_BACK, " left knee, frame 3 "),
        (ReviewState.CHECKED, ""),
    ):
        said = set_review(store, "kick", state, "bo", note)
        assert review_of(store, "kick") == said
        assert (said.state, said.note, said.by) == (state, note.strip(), "bo")


def test_sending_back_needs_a_reason(store: SqlStore) -> None:
    with pytest.raises(UsageError, match="without a note"):
        set_review(store, "kick", ReviewState.SENT_BACK, "bo", " ")


def test_a_new_run_is_open_again(store: SqlStore) -> None:
    set_review(store, "kick", ReviewState.CHECKED, "bo")
    store.finish_run(store.start_run("kick", "other", "coco17", {}).id)
    found = review_of(store, "kick")
    assert found is not None and found.state is ReviewState.OPEN


def test_what_is_not_predicted_cannot_be_reviewed(store: SqlStore) -> None:
    store.add_clip(Clip("walk", "/media/walk.mp4", Role.COMMON, "ana", 10, 640, 480))
    assert review_of(store, "walk") is None
    with pytest.raises(UsageError, match="not predicted"):
        set_review(store, "walk", ReviewState.DONE, "ana")
