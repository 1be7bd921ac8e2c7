"""Which edits stand against each other, on a real project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emc.pose.records import Clip, Edit, JointChange, Provenance, Role, Visibility
from emc.store import SqlStore
from emc.workflow.editing.conflicts import JointConflicts, changed_since, checked_versions

H, P = Provenance.HUMAN, Provenance.PROPAGATED


def change(x: float, joint: int = 0, who: Provenance = H) -> JointChange:
    return JointChange(0, 0, joint, x, 2.0, Visibility.VISIBLE, who)


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    made = SqlStore.create(tmp_path / "two.emc")
    for name in ("kick", "other"):
        made.add_clip(Clip(name, str(tmp_path / f"{name}.mp4"), Role.TARGET, name, 10, 64, 64))
    return made


def placed(store: SqlStore, author: str, *changes: JointChange, clip: str = "kick") -> int:
    return store.append_edit(Edit(clip, "drag", tuple(changes), author=author)).id


def test_one_conflict_names_author_and_joint(store: SqlStore) -> None:
    placed(store, "ana", change(1.0, joint=3))
    with pytest.raises(JointConflicts) as caught:
        checked_versions(store, "kick", [change(5.0, joint=3)], {(0, 0, 3): 0})
    assert str(caught.value) == (
        "joint 3 of person 0 on frame 0 of clip kick was changed by ana since: choose one of the two values"
    )
    (conflict,) = caught.value.conflicts
    assert (conflict.seen, conflict.theirs.x, conflict.yours.x, conflict.by.author) == (0, 1.0, 5.0, "ana")


@pytest.mark.parametrize(("joints", "more"), [(2, "1 more joint"), (3, "2 more joints")])
def test_several_conflicts_say_how_many_more(store: SqlStore, joints: int, more: str) -> None:
    placed(store, "ana", *(change(1.0, joint) for joint in range(joints)))
    with pytest.raises(JointConflicts, match=rf"since \(and {more}\): choose"):
        checked_versions(store, "kick", [change(5.0, j) for j in range(joints)], {(0, 0, j): 0 for j in range(joints)})


def test_the_same_value_and_a_machines_value_are_no_conflict(store: SqlStore) -> None:
    first = placed(store, "ana", change(1.0, 0), change(1.0, 1, P))
    assert checked_versions(store, "kick", [change(1.0, 0), change(5.0, 1)], {(0, 0, 0): 0, (0, 0, 1): 0}) == {
        (0, 0, 0): first,
        (0, 0, 1): first,
    }


def test_an_operation_meets_only_what_others_decided_since_on_its_own_clip(store: SqlStore) -> None:
    base = placed(store, "ana", change(1.0))
    # Edits of other clips carry other ids; they say nothing about this clip's authors.
    placed(store, "ben", change(9.0), clip="other")
    mine = placed(store, "ana", change(2.0))
    assert changed_since(store, "kick", [change(3.0)], base, "ana") == {(0, 0, 0): mine}
    with pytest.raises(JointConflicts, match="was changed by ana since"):
        changed_since(store, "kick", [change(3.0)], base, "ben")


def test_what_a_machine_does_not_know_is_no_other_value(store: SqlStore) -> None:
    absent = JointChange(0, 0, 0, float("nan"), float("nan"), Visibility.ABSENT, H)
    held = placed(store, "ana", absent)
    assert checked_versions(store, "kick", [absent], {(0, 0, 0): 0}) == {(0, 0, 0): held}
    assert np.isnan(absent.x)


def at(frame: int, joint: int, x: float, who: Provenance = H) -> JointChange:
    return JointChange(frame, 0, joint, x, 2.0, Visibility.VISIBLE, who)


def test_a_person_stands_where_a_machine_came_later(store: SqlStore) -> None:
    placed(store, "ana", at(2, 0, 1.0))
    placed(store, "ana", at(2, 0, 9.0, P))
    with pytest.raises(JointConflicts) as caught:
        checked_versions(store, "kick", [at(2, 0, 5.0)], {(2, 0, 0): 0})
    assert caught.value.conflicts[0].theirs.x == 1.0


def test_the_later_of_two_people_stands(store: SqlStore) -> None:
    placed(store, "ana", at(2, 0, 1.0))
    later = placed(store, "ben", at(2, 0, 3.0))
    with pytest.raises(JointConflicts) as caught:
        checked_versions(store, "kick", [at(2, 0, 5.0)], {(2, 0, 0): 0})
    assert (caught.value.conflicts[0].theirs.x, caught.value.conflicts[0].by.id) == (3.0, later)


def test_frames_between_those_asked_for_do_not_count(store: SqlStore) -> None:
    first = placed(store, "ana", at(1, 0, 1.0))
    placed(store, "ana", at(2, 0, 1.0), at(1, 5, 1.0))
    last = placed(store, "ana", at(3, 0, 1.0))
    wanted = {(1, 0, 0): first, (3, 0, 0): last, (3, 0, 1): 0}
    # The third joint is still as predicted: version 0.
    assert checked_versions(store, "kick", [at(1, 0, 4.0), at(3, 0, 4.0), at(3, 1, 4.0)], wanted) == wanted


def test_a_place_against_none_is_a_conflict(store: SqlStore) -> None:
    placed(store, "ana", JointChange(0, 0, 0, float("nan"), float("nan"), Visibility.VISIBLE, H))
    with pytest.raises(JointConflicts):
        checked_versions(
            store, "kick", [JointChange(0, 0, 0, 4.0, float("nan"), Visibility.VISIBLE, H)], {(0, 0, 0): 0}
        )


def test_edits_of_before_the_operation_are_no_news(store: SqlStore) -> None:
    first = placed(store, "ben", at(0, 0, 1.0))
    assert changed_since(store, "kick", [at(0, 0, 3.0)], first, "ana") == {(0, 0, 0): first}
    assert changed_since(store, "kick", [at(0, 1, 3.0)], first, "ana") == {}


def test_the_first_edit_of_a_project_stands_against_an_operation_too(store: SqlStore) -> None:
    assert placed(store, "ben", at(0, 0, 1.0)) == 1
    with pytest.raises(JointConflicts, match="was changed by ben since"):
        changed_since(store, "kick", [at(0, 0, 3.0)], 0, "ana")
