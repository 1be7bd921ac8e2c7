from __future__ import annotations

from dataclasses import replace

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.workflow.editing.history import History, Steps


def edit(number: int, kind: str = "drag", undoes: int = 0, provenance: Provenance = Provenance.HUMAN) -> Edit:
    change = JointChange(1, 0, number, 1.0, 2.0, Visibility.VISIBLE, provenance)
    return Edit("kick", kind, (change,), undoes=undoes, id=number)


def steps(edits: list[Edit], author: str = "") -> Steps:
    return History(edits).of(author)


def test_an_empty_journal() -> None:
    history = History()
    assert (history.last, history.decided.keys()) == (0, {})
    assert history.of("ana") == Steps(None, None, {}, 0)


def test_undo_redo_and_undo_again_walk_the_same_edits() -> None:
    edits = [edit(1), edit(2, "nudge")]
    assert steps(edits) == Steps(2, None, {2: "nudge"}, 2)
    edits.append(edit(3, "undo", 2))
    assert steps(edits) == Steps(1, 3, {1: "drag", 3: "nudge"}, 3)
    edits.append(edit(4, "redo", 3))
    assert steps(edits) == Steps(2, None, {2: "nudge"}, 4)
    edits.append(edit(5, "undo", 2))
    assert steps(edits) == Steps(1, 5, {1: "drag", 5: "nudge"}, 5)


def test_two_undone_edits_come_back_in_their_order() -> None:
    edits = [edit(1), edit(2), edit(3, "undo", 2), edit(4, "undo", 1)]
    assert (steps(edits).undo, steps(edits).redo) == (None, 4)
    edits.append(edit(5, "redo", 4))
    assert (steps(edits).undo, steps(edits).redo) == (1, 3)


def test_a_new_edit_ends_redo_but_an_import_does_not() -> None:
    undone = [edit(1), edit(2, "undo", 1)]
    assert steps([*undone, edit(3)]).redo is None
    assert steps([*undone, edit(3, "import")]).redo == 2


def signed(number: int, author: str, kind: str = "drag", undoes: int = 0) -> Edit:
    return replace(edit(number, kind, undoes), author=author)


def test_each_author_takes_back_their_own() -> None:
    history = History([signed(1, "ana"), signed(2, "bo"), signed(3, "ana", "undo", 1), signed(4, "bo")])
    assert (history.of("ana").undo, history.of("ana").redo) == (None, 3)
    assert (history.of("bo").undo, history.of("bo").redo) == (4, None)
    assert history.of("ana").last == 4


def test_an_edit_that_another_took_back_in_an_older_version_is_passed_over() -> None:
    edits = [signed(1, "ana"), signed(2, "ana"), signed(3, "bo", "undo", 2)]
    assert steps(edits, "ana") == Steps(1, None, {1: "drag"}, 3)
    assert steps(edits, "bo") == Steps(None, None, {}, 3)


def test_an_edit_in_the_middle_that_is_taken_back_comes_back_last() -> None:
    edits = [edit(1), edit(2), edit(3, "undo", 1), edit(4, "undo", 2)]
    assert steps(edits[:3]).undo == 2
    assert steps([*edits, edit(5, "redo", 3)]).undo == 1


def test_operations_on_runs_are_taken_back_too() -> None:
    edits = [edit(1, "swap run"), edit(2, "add person")]
    assert steps(edits).undo == 2
    assert steps([*edits, edit(3, "undo", 2)]).undo == 1


def test_a_history_that_grew_is_that_of_all_edits() -> None:
    edits = [edit(1), edit(2), edit(3, "undo", 2), edit(4, "redo", 3), edit(5), edit(6, "undo", 5)]
    whole = History(edits)
    for cut in range(len(edits) + 1):
        grown = History(edits[:cut])
        grown.grow(edits[cut:])
        assert (grown.of(""), grown.last, grown.kinds) == (whole.of(""), whole.last, whole.kinds)
        assert grown.decided.keys() == whole.decided.keys()
