from __future__ import annotations

import pytest

from emc.errors import UsageError
from emc.store import SqlStore
from emc.workflow.team import Role, add_member, members_of, revoke_member, token_digest


def test_a_token_is_shown_once_and_only_its_digest_is_kept(store: SqlStore) -> None:
    token = add_member(store, "ana", Role.REVIEWER)
    (member,) = members_of(store)
    assert (member.name, member.role, member.digest, member.revoked) == ("ana", Role.REVIEWER, token_digest(token), "")
    assert token not in str(store.document("member", "ana"))


def test_a_new_token_replaces_the_old_one(store: SqlStore) -> None:
    first, second = add_member(store, "ana"), add_member(store, "ana")
    assert first != second
    assert [member.digest for member in members_of(store)] == [token_digest(second)]


def test_who_was_revoked_stays_on_the_list(store: SqlStore) -> None:
    add_member(store, "ana")
    assert revoke_member(store, "ana").revoked
    assert [bool(member.revoked) for member in members_of(store)] == [True]
    with pytest.raises(UsageError, match="'bo' is no member of kick.emc"):
        revoke_member(store, "bo")


@pytest.mark.parametrize("name", ["", " ana", "a\nb", "a" * 61])
def test_a_name_that_cannot_be_shown_is_refused(store: SqlStore, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a member's name"):
        add_member(store, name)


def test_a_role_that_is_not_known_may_do_the_least(store: SqlStore) -> None:
    store.put_document("member", "ana", {"role": "emperor", "digest": "d"})
    assert members_of(store)[0].role is Role.ANNOTATOR


def test_each_role_may_do_what_those_before_may() -> None:
    may = [[one.may(needed) for needed in Role] for one in Role]
    assert may == [[True, False, False], [True, True, False], [True, True, True]]
