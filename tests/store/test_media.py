"""Media by path and hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from emc.errors import InputError
from emc.pose.records import Clip, Role
from emc.store.media import MediaStatus, hash_media, media_status, verify_media


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


def test_status_of_a_clip(tmp_path: Path) -> None:
    file = tmp_path / "kick.mp4"
    file.write_bytes(b"abc")
    clip = clip_of(file, hash_media(file))
    verify_media(clip)
    assert media_status(clip) is MediaStatus.SAME
    assert media_status(clip_of(file, "")) is MediaStatus.SAME
    file.write_bytes(b"abd")
    assert media_status(clip) is MediaStatus.CHANGED
    with pytest.raises(InputError, match=r"clip kick: .*kick\.mp4 is not the media that was added"):
        verify_media(clip)
    file.unlink()
    assert media_status(clip) is MediaStatus.MISSING
    with pytest.raises(InputError, match=r"clip kick: .*kick\.mp4 is missing: .* --relink kick"):
        verify_media(clip)
