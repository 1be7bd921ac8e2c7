"""Finished calibrations of a project: the newest, a named one, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import UsageError
from emc.store import SqlStore
from emc.workflow.calibration.finished import newest_calibration


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore.create(tmp_path / "p.emc")


def finish(store: SqlStore, name: str) -> None:
    store.put_document("calibration", name, {"folder": f"models/{name}", "card": {"seed": 1}, "ladder": {"ladder": []}})


def test_without_one_the_way_to_it_is_said(store: SqlStore) -> None:
    with pytest.raises(UsageError, match=r"no finished calibration in .*: run `emc calibrate` first"):
        newest_calibration(store)


def test_the_newest_or_the_named_one(store: SqlStore) -> None:
    finish(store, "bbb")
    finish(store, "aaa")
    assert newest_calibration(store).id == "aaa"
    named = newest_calibration(store, "bbb")
    assert (named.id, named.folder, named.card) == ("bbb", store.folder / "models/bbb", {"seed": 1})
    with pytest.raises(UsageError, match="no calibration 'ccc' in .*: use one of bbb, aaa"):
        newest_calibration(store, "ccc")
