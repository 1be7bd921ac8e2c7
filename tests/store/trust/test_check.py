"""What is missing or damaged is named by number and date."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from emc.errors import ProjectError, ProjectWarning, StorageError
from emc.store.sql import SqlStore
from emc.store.trust.check import JournalState


def opened(folder: Path) -> SqlStore:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProjectWarning)
        return SqlStore.open(folder)


def verified(folder: Path) -> JournalState:
    with opened(folder) as store:
        return store.verify_journal()


def test_a_whole_journal(written: Path) -> None:
    assert verified(written) == JournalState(300)
    with SqlStore.open(written) as store:
        assert store.faults == ()


def test_lost_edits_are_named_by_number_and_date(written: Path, change) -> None:
    change(
        written,
        "DELETE FROM edit_change WHERE edit BETWEEN 30 AND 60",
        "DELETE FROM edit WHERE id BETWEEN 30 AND 60",
    )
    with pytest.warns(ProjectWarning, match=r"31 edits before the newest are missing.*no edit is taken"):
        store = SqlStore.open(written)
    with store:
        state = store.verify_journal()
        assert len(store.edits()) == 269, "the rest stays readable"
    assert state.lost == ((30, 60),)
    (fault,) = state.faults
    assert re.fullmatch("edits 30 to 60 of 20[0-9-]{8} are missing", fault)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE edit_change SET x = x + 1 WHERE edit = 42",
        "DELETE FROM edit_change WHERE edit = 42",
        "UPDATE edit SET author = 'eve' WHERE id = 42",
        "UPDATE edit SET undoes = 3 WHERE id = 42",
        "UPDATE edit_change SET x = 'text' WHERE edit = 42",
        "INSERT INTO edit_change SELECT clip, frame + 1, edit, place + 10, person, joint, x, y, visibility, provenance "
        "FROM edit_change WHERE edit = 42",
    ],
)
def test_an_edit_that_is_another_one_now_is_named(written: Path, change, statement: str) -> None:
    change(written, statement)
    state = verified(written)
    assert (state.edits, state.lost) == (299, ((42, 42),))
    assert state.faults[0].startswith("edit 42 of 20")
    assert state.faults[0].endswith("is damaged: what is stored is not what was acknowledged")


def test_the_newest_edits_are_compared_at_every_opening(written: Path, change, drag) -> None:
    change(written, "UPDATE edit_change SET x = 0.5 WHERE edit = 299")
    with pytest.warns(ProjectWarning, match="edit 299 of 20[0-9-]+ is damaged"):
        store = SqlStore.open(written)
    with store, pytest.raises(StorageError, match="no edit is taken"):
        store.append_edit(drag(1))


def test_an_edit_that_something_else_wrote(written: Path, change) -> None:
    change(written, "INSERT INTO edit (clip, kind, author, seconds, undoes, created) VALUES (1, 'x', '', 0, 0, '')")
    with pytest.warns(ProjectWarning, match="1 edits are not in the chain of hashes") as told:
        SqlStore.open(written).close()
    assert len(told) == 1


def test_a_link_that_was_formed_anew_breaks_the_chain(written: Path, change) -> None:
    change(written, "UPDATE edit_chain SET chain = zeroblob(32) WHERE number = 50")
    state = verified(written)
    assert [fault.split(" of ")[0] for fault in state.faults] == ["edits 50 to 51"]
    assert state.lost == (), "both edits are as they were"


@pytest.mark.parametrize("table", ["edit", "edit_change", "edit_chain", "ux_edit_change_edit"])
def test_a_wiped_page_is_read_around(written: Path, wipe, table: str) -> None:
    wipe(written, table, 1)
    try:
        state = verified(written)
    except ProjectError as error:
        pytest.fail(f"the rest is not readable: {error}")
    assert 0 < state.edits < 300
    assert sum(last - first + 1 for first, last in state.lost) == 300 - state.edits
    assert all(" of 20" in fault for fault in state.faults)
