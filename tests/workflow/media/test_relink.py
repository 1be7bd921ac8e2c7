"""Media that lie elsewhere now."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emc.errors import InputError, UsageError
from emc.store import SqlStore
from emc.workflow.media import open_clip, relink_clip, relink_folder

Photograph = Callable[[Path, int], None]


def values(store: SqlStore) -> list[int]:
    with open_clip(store.clip("photos")) as media:
        return [int(image[0, 0, 0]) for _, image in media.frames()]


def test_images_that_swapped_names_keep_their_frames(store: SqlStore, photos: Path) -> None:
    (photos / "p1.png").rename(photos / "x.png")
    (photos / "p3.png").rename(photos / "p1.png")
    (photos / "x.png").rename(photos / "p3.png")
    with pytest.raises(InputError, match=r"changed: p1\.png, p3\.png"):
        values(store)
    assert relink_clip(store, "photos", photos)["changed"] == []
    assert values(store) == [60, 120, 180]


def test_equal_images_are_told_apart_by_name(store: SqlStore, photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "copy")
    relink_clip(store, "photos", tmp_path / "copy")
    assert [file.name for file in store.clip("photos").files] == ["p1.png", "p2.png", "p3.png"]
    assert store.clip("photos").path == str(tmp_path / "copy")
    assert store.clip("photos").earlier == ()


def test_images_that_are_gone_are_refused_even_when_changed(
    store: SqlStore, photos: Path, photograph: Photograph
) -> None:
    (photos / "p2.png").unlink()
    with pytest.raises(InputError, match=r"lacks 1 of its images \(p2\.png\): bring them back"):
        relink_clip(store, "photos", photos, changed=True)


def test_accepted_content_is_told_from_the_first(store: SqlStore, photos: Path, photograph: Photograph) -> None:
    first = store.clip("photos")
    assert first.accepted == ""
    photograph(photos / "p2.png", 99)
    assert relink_clip(store, "photos", photos, changed=True)["changed"] == ["p2.png"]
    after = store.clip("photos")
    assert (after.earlier, after.accepted) == ((first.sha256,), after.sha256[:12])
    assert values(store) == [60, 99, 180]


def test_images_of_another_size_are_refused(store: SqlStore, tmp_path: Path) -> None:
    from PIL import Image

    other = tmp_path / "other"
    other.mkdir()
    for number in (1, 2, 3):
        Image.new("RGB", (31, 20), number).save(other / f"p{number}.png")
    with pytest.raises(InputError, match="has 3 frames of 30 x 20, .* has 3 of 31 x 20: corrections would land"):
        relink_clip(store, "photos", other, changed=True)


def test_under_a_folder_what_lies_there_is_left_and_what_is_nowhere_is_said(store: SqlStore, photos: Path) -> None:
    assert relink_folder(store, photos.parent) == [{"clip": "photos", "path": str(photos), "state": "unchanged"}]
    (photos / "p1.png").unlink()
    assert relink_folder(store, photos.parent)[0]["state"] == "not found"
    with pytest.raises(UsageError, match="is no folder"):
        relink_folder(store, photos / "p2.png")
