from __future__ import annotations

import random

import pytest

from emc.pose.journal import standing_edits, undone_edits
from emc.pose.people import edits_of_people, people_of
from emc.pose.records import Edit, JointChange, PersonAction, PersonChange, Provenance, Visibility
from emc.workflow.editing.decided import Decided, Standing


def edit(number: int, *joints: tuple[int, int, int], undoes: int = 0, provenance=Provenance.HUMAN, persons=()) -> Edit:
    changes = tuple(JointChange(f, p, j, 1.0, 2.0, Visibility.VISIBLE, provenance) for f, p, j in joints)
    return Edit("kick", "undo" if undoes else "place", changes, undoes=undoes, id=number, persons=persons)


def test_machines_and_what_was_taken_back_are_left_out() -> None:
    decided = Decided([edit(1, (1, 0, 1)), edit(2, (1, 0, 2), provenance=Provenance.PROPAGATED), edit(3, (1, 0, 3))])
    assert decided.grow([edit(4, (1, 0, 3), undoes=3)]) == (set(), {(1, 0, 3)})
    assert decided.keys() == {(1, 0, 1): Provenance.HUMAN}
    assert decided.grow([edit(5, undoes=4)]) == ({(1, 0, 3)}, set())


def test_frames_of_a_joint_are_counted() -> None:
    decided = Decided([edit(1, (7, 0, 5), (2, 0, 5), (4, 1, 5)), edit(2, (4, 0, 5))])
    assert list(decided.frames(0, 5)) == [2, 4, 7]
    assert [decided.count(0, 5, *span) for span in ((2, 4), (3, 6), (5, 6), (0, 9))] == [2, 1, 0, 3]
    decided.grow([edit(3, undoes=1)])
    assert (list(decided.frames(0, 5)), list(decided.frames(1, 5)), list(decided.frames(2, 5))) == ([4], [], [])


def test_a_reader_keeps_what_it_was_given_of_a_frame() -> None:
    decided = Decided([edit(1, (2, 0, 5))])
    held = decided.on(2)
    decided.grow([edit(2, (2, 0, 6))])
    assert (set(held), set(decided.on(2))) == ({(0, 5)}, {(0, 5), (0, 6)})


def random_journal(draw: random.Random, count: int) -> list[Edit]:
    edits: list[Edit] = []
    for number in range(1, count + 1):
        kind = draw.random()
        if kind < 0.35 and edits:
            # Also what is taken back already: older versions let two people do that.
            edits.append(edit(number, undoes=draw.randint(1, number - 1)))
        elif kind < 0.5:
            action = draw.choice([PersonAction.DELETE, PersonAction.MERGE, PersonAction.RESTORE])
            into = draw.randrange(4) if action is PersonAction.MERGE else -1
            edits.append(edit(number, persons=(PersonChange(draw.randrange(4), action, into),)))
        else:
            joints = {(draw.randrange(5), draw.randrange(4), draw.randrange(3)) for _ in range(3)}
            edits.append(edit(number, *sorted(joints), provenance=draw.choice(list(Provenance))))
    return edits


@pytest.mark.parametrize("seed", range(60))
def test_edit_by_edit_it_is_what_the_fold_of_the_whole_journal_says(seed: int) -> None:
    edits = random_journal(random.Random(seed), 25)
    decided = Decided()
    for cut, one in enumerate(edits, 1):
        before = decided.keys()
        gained, lost = decided.grow([one])
        standing = standing_edits(edits[:cut])
        expected = {
            (change.frame, change.person, change.joint): change.provenance
            for kept in edits_of_people(standing, people_of(standing), ())
            for change in kept.changes
            if change.provenance >= Provenance.HUMAN
        }
        assert decided.keys() == expected
        assert (gained, lost) == (expected.keys() - before.keys(), before.keys() - expected.keys())


@pytest.mark.parametrize("seed", range(20))
def test_what_stands_is_what_the_whole_journal_says(seed: int) -> None:
    draw = random.Random(seed)
    undoes = [(number, draw.choice([0, draw.randrange(number)])) for number in range(1, 40)]
    standing = Standing()
    for number, target in undoes:
        standing.add(number, target)
    assert {number for number, _ in undoes if not standing.counts(number)} == undone_edits(undoes)
