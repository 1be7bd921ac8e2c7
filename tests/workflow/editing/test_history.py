from __future__ import annotations

from dataclasses import replace

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.workflow.editing.history import Steps, longer_history, read_history


def edit(number: int, kind: str = "drag", undoes: int = 0, provenance: Provenance = Provenance.HUMAN) -> Edit:
    change = JointChange(1, 0, number, 1.0, 2.0, Visibility.VISIBLE, provenance)
    return Edit("kick", kind, (change,), undoes=undoes, id=number)


def steps(edits: list[Edit], author: str = "") -> Steps:
    return read_history(edits).of(author)


def test_an_empty_journal() -> None:
    history = read_history([])
    assert (history.last, history.decided) == (0, {})
    assert history.of("ana") == Steps((), (), {}, 0)


def test_undo_redo_and_undo_again_walk_the_same_edits() -> None:
    edits = [edit(1), edit(2, "nudge")]
    assert steps(edits).done == (1, 2)
    edits.append(edit(3, "undo", 2))
    assert steps(edits) == Steps((1,), (3,), {1: "drag", 3: "nudge"}, 3)
    edits.append(edit(4, "redo", 3))
    assert steps(edits) == Steps((1, 2), (), {1: "drag", 2: "nudge"}, 4)
    edits.append(edit(5, "undo", 2))
    assert steps(edits) == Steps((1,), (5,), {1: "drag", 5: "nudge"}, 5)


def test_two_undone_edits_come_back_in_their_order() -> None:
    edits = [edit(1), edit(2), edit(3, "undo", 2), edit(4, "undo", 1)]
    assert (steps(edits).done, steps(edits).undone) == ((), (3, 4))
    assert steps([*edits, edit(5, "redo", 4)]).done == (1,)


def test_a_new_edit_ends_redo_but_an_import_does_not() -> None:
    undone = [edit(1), edit(2, "undo", 1)]
    assert steps([*undone, edit(3)]).undone == ()
    assert steps([*undone, edit(3, "import")]).undone == (2,)


def test_decided_joints_leave_out_machines_and_what_was_taken_back() -> None:
    edits = [edit(1), edit(2, provenance=Provenance.PROPAGATED), edit(3), edit(4, "undo", 3)]
    assert read_history(edits).decided == {(1, 0, 1): Provenance.HUMAN}


def signed(number: int, author: str, kind: str = "drag", undoes: int = 0) -> Edit:
    return replace(edit(number, kind, undoes), author=author)


def test_each_author_takes_back_their_own() -> None:
    history = read_history([signed(1, "ana"), signed(2, "bo"), signed(3, "ana", "undo", 1), signed(4, "bo")])
    assert (history.of("ana").done, history.of("ana").undone) == ((), (3,))
    assert (history.of("bo").done, history.of("bo").undone) == ((2, 4), ())
    assert history.of("ana").last == 4


def test_an_edit_that_another_took_back_in_an_older_version_is_passed_over() -> None:
    edits = [signed(1, "ana"), signed(2, "ana"), signed(3, "bo", "undo", 2)]
    assert steps(edits, "ana") == Steps((1,), (), {1: "drag"}, 3)
    assert steps(edits, "bo").done == steps(edits, "bo").undone == ()


def test_operations_on_runs_are_taken_back_too() -> None:
    assert steps([edit(1, "swap run"), edit(2, "add person")]).done == (1, 2)


def test_a_longer_history_is_that_of_all_edits() -> None:
    edits = [edit(1), edit(2), edit(3, "undo", 2), edit(4, "redo", 3), edit(5), edit(6, "undo", 5)]
    for cut in range(len(edits) + 1):
        whole = longer_history(read_history(edits[:cut]), edits[cut:])
        assert whole == read_history(edits)
