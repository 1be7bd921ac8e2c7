"""One error that names the clip, what differs and both remedies."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emc.errors import InputError
from emc.store import SqlStore
from emc.workflow.media import checked_clips, media_report, stored_names

Photograph = Callable[[Path, int], None]


def test_the_error_names_the_first_files_of_each_kind(store: SqlStore, photos: Path, photograph: Photograph) -> None:
    for number in range(5):
        photograph(photos / f"new{number}.png", 9)
    (photos / "p3.png").unlink()
    with pytest.raises(InputError) as raised:
        checked_clips(store, store.clips())
    assert str(raised.value) == (
        f"clip photos: the images of {photos} are not those that were added (missing: p3.png; new: new0.png, new1.png, "
        "new2.png and 2 more): bring them back as they were, or use the folder as it is now, or another one, with "
        "`emc relink photos PATH` --changed"
    )


def test_one_clip_at_fault_leaves_the_others_unnoted(store: SqlStore, photos: Path, tmp_path: Path) -> None:
    os.utime(photos / "p1.png", ns=(1, 1))
    good = store.clip("photos")
    bad = replace(good, id="gone", path=str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"clip gone: .* is missing: bring it back, or say where it is"):
        checked_clips(store, [good, bad])
    assert store.clip("photos").files == good.files
    assert [clip.files[0].modified for clip in checked_clips(store, [good])] == [1]
    assert store.clip("photos").files[0].modified == 1


def test_a_report_raises_nothing(store: SqlStore, photos: Path) -> None:
    assert media_report(store, store.clip("photos")).status == "present"
    (photos / "p2.png").unlink()
    report = media_report(store, store.clip("photos"))
    assert (report.status, "missing: p2.png" in report.detail) == ("missing", True)


def test_names_are_those_that_were_added(store: SqlStore, photos: Path, photograph: Photograph) -> None:
    photograph(photos / "a.png", 9)
    assert stored_names(store.clip("photos")) == ("p1.png", "p2.png", "p3.png")
