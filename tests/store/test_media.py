"""Media by path and hash."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from emc.errors import InputError
from emc.pose.records import Clip, Role
from emc.store.media import (
    Comparison,
    MediaStatus,
    compare_media,
    hash_files,
    hash_media,
    located,
    placed,
    read_files,
)


def clip_of(path: Path, sha256: str) -> Clip:
    return Clip("kick", str(path), Role.TARGET, "a", 1, 1, 1, sha256=sha256)


def test_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert hash_media(tmp_path / "a.mp4") == known


def test_hash_of_a_folder_is_of_sorted_names_and_hashes(tmp_path: Path) -> None:
    for name, content in (("b.png", b"two"), ("a.png", b"one"), (".hidden", b"x")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "sub").mkdir()
    one, two = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
    assert hash_media(tmp_path) == hashlib.sha256(f"a.png\0{one}\nb.png\0{two}\n".encode()).hexdigest()
    before = hash_media(tmp_path)
    (tmp_path / "a.png").rename(tmp_path / "c.png")
    assert hash_media(tmp_path) != before


def test_missing_and_empty_media_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist: check the path"):
        hash_media(tmp_path / "gone.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(InputError, match=r"empty\.mp4 is empty \(0 bytes\)"):
        hash_media(tmp_path / "empty.mp4")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder holds no files"):
        hash_media(tmp_path / "folder")


def noted(path: Path, names: list[str] | None = None) -> Clip:
    files = read_files(path, names or [path.name])
    return replace(clip_of(path, hash_files(files, folder=path.is_dir())), files=files)


def test_status_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "kick.mp4"
    file.write_bytes(b"abc")
    clip = noted(file)
    assert compare_media(clip, [file.name]) == Comparison(MediaStatus.SAME, clip.files)
    assert compare_media(clip_of(file, ""), [file.name]).status is MediaStatus.SAME
    file.write_bytes(b"abd")
    os.utime(file, ns=(1, 1))
    assert compare_media(clip, [file.name]) == Comparison(MediaStatus.CHANGED, changed=("kick.mp4",))
    file.unlink()
    assert compare_media(clip, [file.name]) == Comparison(MediaStatus.MISSING, missing=("kick.mp4",))


def test_size_and_time_decide_and_the_hash_only_where_they_differ(tmp_path: Path) -> None:
    file = tmp_path / "kick.mp4"
    file.write_bytes(b"abc")
    clip = noted(file)
    file.write_bytes(b"abd")
    os.utime(file, ns=(clip.files[0].modified, clip.files[0].modified))
    assert compare_media(clip, [file.name]).status is MediaStatus.SAME, "a file that says it is the same is not read"
    file.write_bytes(b"abc")
    os.utime(file, ns=(5, 5))
    found = compare_media(clip, [file.name])
    assert (found.status, found.files[0].modified) == (MediaStatus.SAME, 5)


def test_files_of_a_folder_are_told_apart(tmp_path: Path) -> None:
    for name, content in (("a.png", b"one"), ("b.png", b"two"), ("c.png", b"three")):
        (tmp_path / name).write_bytes(content)
    clip = noted(tmp_path, ["a.png", "b.png", "c.png"])
    (tmp_path / "a.png").rename(tmp_path / "z.png")
    (tmp_path / "b.png").write_bytes(b"TWO")
    os.utime(tmp_path / "b.png", ns=(1, 1))
    (tmp_path / "c.png").unlink()
    (tmp_path / "n.png").write_bytes(b"new")
    found = compare_media(clip, ["b.png", "n.png", "z.png"])
    assert found == Comparison(
        MediaStatus.CHANGED,
        changed=("b.png",),
        missing=("c.png",),
        added=("n.png",),
        renamed=(("a.png", "z.png"),),
    )


def test_images_that_are_only_gone_are_missing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"two")
    clip = noted(tmp_path, ["a.png", "b.png"])
    (tmp_path / "b.png").unlink()
    assert compare_media(clip, ["a.png"]) == Comparison(MediaStatus.MISSING, missing=("b.png",))


def test_a_clip_that_notes_no_files_is_compared_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "notes.txt").write_bytes(b"older versions counted it")
    old = clip_of(tmp_path, hash_media(tmp_path))
    assert [file.name for file in compare_media(old, ["a.png"]).files] == ["a.png"]
    (tmp_path / "b.png").write_bytes(b"two")
    assert compare_media(old, ["a.png", "b.png"]) == Comparison(MediaStatus.CHANGED)


def test_media_are_found_where_they_moved_with_the_project(tmp_path: Path) -> None:
    project, media = tmp_path / "one" / "p.emc", tmp_path / "one" / "clips"
    media.mkdir(parents=True)
    project.mkdir()
    (media / "kick.mp4").write_bytes(b"abc")
    clip = placed(noted(media / "kick.mp4"), project)
    assert clip.relative == "../clips/kick.mp4"
    assert located(clip, project).path == str(media / "kick.mp4")
    (tmp_path / "one").rename(tmp_path / "two")
    assert located(clip, tmp_path / "two" / "p.emc").path == str(tmp_path / "two" / "clips" / "kick.mp4")
    media.mkdir(parents=True)
    (media / "kick.mp4").write_bytes(b"another video")
    assert located(clip, tmp_path / "two" / "p.emc").path == str(tmp_path / "two" / "clips" / "kick.mp4"), "its size"
    (tmp_path / "two" / "clips" / "kick.mp4").unlink()
    assert located(clip, tmp_path / "two" / "p.emc").path == str(media / "kick.mp4")
