"""What `emc recover` brings back: all that the file and its snapshots hold, and a note of the rest."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest

from emc.errors import ProjectError, ProjectWarning, UsageError
from emc.store.sql import DATABASE, SqlStore
from emc.store.trust.snapshots import SNAPSHOTS, snapshots


def without_snapshots(folder: Path) -> None:
    shutil.rmtree(folder / SNAPSHOTS, ignore_errors=True)


def contents(folder: Path) -> list[object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProjectWarning)
        with SqlStore.open(folder) as store:
            return [store.edits(), store.clips(), store.documents("a")]


@pytest.mark.parametrize("table", ["edit", "edit_change", "edit_chain", "ux_edit_change_edit"])
def test_the_rest_of_a_file_with_a_wiped_page(written: Path, wipe, drag, table: str) -> None:
    without_snapshots(written)
    before = {edit.id: edit for edit in contents(written)[0]}  # type: ignore[attr-defined]
    without_snapshots(written)
    wipe(written, table, 1)
    damaged = (written / DATABASE).read_bytes()
    done = SqlStore.recover(written)
    lost = {number for loss in done.lost for number in range(loss.first, loss.last + 1)}
    assert done.edits == 300 - len(lost) > 0
    assert (done.kept / DATABASE).read_bytes() == damaged, "the file as it was stays"
    with SqlStore.open(written) as store:
        assert {edit.id: edit for edit in store.edits()} == {k: e for k, e in before.items() if k not in lost}
        assert store.faults == store.verify_journal().faults == ()
        assert store.check() == []
        assert store.append_edit(drag(1)).id == 301


def test_a_snapshot_gives_what_the_file_lost(written: Path, wipe) -> None:
    before = contents(written)
    assert len(snapshots(written)) == 1
    wipe(written, "edit_change", 1)
    done = SqlStore.recover(written)
    assert (done.edits, done.lost) == (300, ())
    assert done.from_snapshots > 0
    assert contents(written) == before


def test_a_file_of_which_nothing_can_be_read(written: Path) -> None:
    before = contents(written)
    (written / DATABASE).write_bytes(b"not a database at all" * 1000)
    with pytest.raises(ProjectError, match="is damaged .*`emc recover` brings back the rest"):
        SqlStore.open(written)
    SqlStore.recover(written)
    assert contents(written) == before
    without_snapshots(written)
    (written / DATABASE).write_bytes(b"not a database at all" * 1000)
    with pytest.raises(ProjectError, match="nothing can be read"):
        SqlStore.recover(written)
    assert (written / DATABASE).read_bytes().startswith(b"not a database")


def test_edits_lost_with_the_log_are_noted_and_their_numbers_never_used_again(
    project: Path, drag, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.emc"
    with SqlStore.open(project) as store:
        for frame in range(60):
            store.append_edit(drag(frame))
        shutil.copytree(project, copy)
        (copy / f"{DATABASE}-wal").unlink()
    with pytest.warns(ProjectWarning, match=r"edits \d+ to 60 of 20[0-9-]+ are missing"):
        SqlStore.open(copy).close()
    (loss,) = SqlStore.recover(copy).lost
    assert loss.last == 60
    with SqlStore.open(copy) as store:
        assert store.append_edit(drag(1)).id == 61
        state = store.verify_journal()
    assert state.faults == ()
    assert state.accepted == (loss.words,)


def test_a_copy_of_the_database_alone_while_it_is_in_use(project: Path, drag, tmp_path: Path) -> None:
    copy = tmp_path / "copy.emc"
    copy.mkdir()
    with SqlStore.open(project) as store:
        store.append_edit(drag(1))
        store.append_edit(drag(2))
        shutil.copy(project / DATABASE, copy)
    with pytest.warns(ProjectWarning, match="copied while it was in use, without its project.sqlite-wal"):
        SqlStore.open(copy).close()
    SqlStore.recover(copy)
    assert not list((copy / "snapshots").glob("damaged-*/project.sqlite-wal"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SqlStore.open(copy).close()
    whole = tmp_path / "whole.emc"
    whole.mkdir()
    shutil.copy(project / DATABASE, whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SqlStore.open(whole).close()


def test_a_file_that_is_cut_short(written: Path) -> None:
    without_snapshots(written)
    content = (written / DATABASE).read_bytes()
    (written / DATABASE).write_bytes(content[: -2 * 8192 - 100])
    done = SqlStore.recover(written)
    assert 0 < done.edits < 300
    assert done.edits == 300 - sum(1 + loss.last - loss.first for loss in done.lost)
    assert [file.name for file in done.kept.iterdir()] == [DATABASE]
    with SqlStore.open(written) as store:
        assert store.verify_journal().faults == ()


def test_one_snapshot_put_back_as_it_is(written: Path, drag) -> None:
    (snapshot,) = snapshots(written)
    with SqlStore.open(written) as store:
        store.append_edit(drag(5))
    with pytest.raises(UsageError, match=f"no snapshot 'nosuch': use one of those it has .*{snapshot.name}"):
        SqlStore.recover(written, "nosuch")
    (loss,) = SqlStore.recover(written, snapshot.name).lost
    assert (loss.first, loss.last) == (301, 301)
    assert len(contents(written)[0]) == 300  # type: ignore[arg-type]


def test_an_open_project_is_not_recovered(written: Path) -> None:
    with SqlStore.open(written), pytest.raises(ProjectError, match="is open elsewhere: close the editor"):
        SqlStore.recover(written)
