from __future__ import annotations

from collections.abc import Callable

import pytest

from emc.errors import ConflictError, UsageError
from emc.pose.records import Edit
from emc.workflow.editing import EditAction, Editing
from emc.workflow.editing.undo import TRIES, Verb, step

MakeAction = Callable[..., EditAction]


def ids(editing: Editing) -> list[tuple[str, str, int]]:
    return [(edit.kind, edit.author, edit.undoes) for edit in editing.store.edits("kick")]


def test_undo_takes_the_authors_own_last_action_whoever_else_acted(editing: Editing, action: MakeAction) -> None:
    for author, joint in (("ana", 5), ("bo", 6), ("ana", 7), ("bo", 8)):
        editing.apply("kick", action(author, joint))
    undone = [editing.undo("kick", author=author) for author in ("ana", "ana", "ana", "bo")]
    assert [edit and edit.undoes for edit in undone] == [3, 1, None, 4]
    redone = [editing.redo("kick", author=author) for author in ("ana", "ana", "bo", "bo")]
    assert [edit and edit.undoes for edit in redone] == [6, 5, 7, None]


def test_what_a_colleague_does_does_not_end_what_can_be_brought_back(editing: Editing, action: MakeAction) -> None:
    editing.apply("kick", action("ana", 5))
    editing.undo("kick", author="ana")
    editing.apply("kick", action("bo", 5))
    redone = editing.redo("kick", author="ana")
    assert redone is not None and (redone.kind, redone.undoes) == ("redo", 2)


def test_without_a_name_it_is_who_started_the_editor(editing: Editing, action: MakeAction) -> None:
    editing.apply("kick", action(""))
    undone = editing.undo("kick")
    assert undone is not None and undone.author == "starter"


@pytest.mark.parametrize("verb", ["undo", "redo"])
def test_a_step_sent_again_is_done_once_even_where_it_was_the_last(
    editing: Editing, action: MakeAction, verb: str
) -> None:
    for joint in (5, 6):
        editing.apply("kick", action("ana", joint))
    if verb == "redo":
        editing.undo("kick", author="ana")
        editing.undo("kick", author="ana")
    step_of = getattr(editing, verb)
    first = step_of("kick", token="token-01", author="ana")
    count = len(editing.store.edits("kick"))
    assert step_of("kick", token="token-01", author="ana") == first
    step_of("kick", token="token-02", author="ana")
    assert step_of("kick", token="token-02", author="ana") is not None
    assert step_of("kick", token="token-01", author="ana") == first
    assert len(editing.store.edits("kick")) == count + 1


def test_a_token_of_an_undo_does_nothing_else(editing: Editing, action: MakeAction) -> None:
    editing.apply("kick", action("ana", token="token-00"))
    editing.undo("kick", token="token-01", author="ana")
    for again in (
        lambda: editing.redo("kick", token="token-01", author="ana"),
        lambda: editing.undo("kick", token="token-01", author="bo"),
        lambda: editing.undo("kick", token="token-00", author="ana"),
    ):
        with pytest.raises(ConflictError, match="asked for something else"):
            again()
    assert len(editing.store.edits("kick")) == 2


def test_a_target_that_is_not_the_authors_next_one_is_left_alone(editing: Editing, action: MakeAction) -> None:
    editing.apply("kick", action("ana", 5))
    editing.apply("kick", action("bo", 6))
    editing.apply("kick", action("ana", 7))
    with pytest.raises(ConflictError, match="edit 2 of clip kick is by bo: undo takes your own last action"):
        editing.undo("kick", 2, author="ana")
    with pytest.raises(ConflictError, match=r"edit 1 of clip kick is not the next one to undo \(edit 3 is\)"):
        editing.undo("kick", 1, author="ana")
    with pytest.raises(ConflictError, match=r"edit 3 of clip kick is not the next one to redo \(nothing is left\)"):
        editing.redo("kick", 3, author="ana")
    with pytest.raises(UsageError, match="clip kick has no edit 99 to undo"):
        editing.undo("kick", 99, author="ana")
    assert len(editing.store.edits("kick")) == 3
    undone = editing.undo("kick", 3, author="ana")
    assert undone is not None and undone.undoes == 3


def test_an_undo_in_another_page_of_the_same_author_is_gone_past(editing: Editing, action: MakeAction) -> None:
    """The second page read the journal before the first one's undo was in it."""
    for joint in (5, 6):
        editing.apply("kick", action("ana", joint))
    stale = editing.open_clip("kick").history
    editing.undo("kick", author="ana")
    looks = [stale, stale]

    def history():
        return looks.pop() if len(looks) > 1 else editing.open_clip("kick").history

    edit = step(editing.store, "kick", Verb.UNDO, "ana", history, None)
    assert isinstance(edit, Edit) and edit.undoes == 1
    with pytest.raises(ConflictError, match="taken back already"):
        step(editing.store, "kick", Verb.UNDO, "ana", lambda: stale, None)
    assert TRIES == 3
