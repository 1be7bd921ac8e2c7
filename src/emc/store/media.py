"""Media by path and hash: the user's files are read, never moved or changed."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

from emc.errors import InputError
from emc.pose.records import Clip


class MediaStatus(StrEnum):
    """What became of a clip's media since the clip was added."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"


def hash_media(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of a folder's sorted file names and their hashes, in hex.

    In a folder, hidden files and subfolders do not count. A name and its hash are joined by a zero byte, the pairs by
    a line break; names are compared as UTF-8.
    Raises `InputError` that names the file where it is missing, empty (a folder: has no file) or cannot be read.
    """
    try:
        return _hash_folder(path) if path.is_dir() else _hash_file(path)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: check the path") from error
    except OSError as error:
        raise InputError(f"{error.filename or path} cannot be read ({error.strerror}): allow reading it") from error


def media_status(clip: Clip) -> MediaStatus:
    """Return whether a clip's media are still what was added; a clip without a hash is only looked for."""
    path = Path(clip.path)
    if not path.exists():
        return MediaStatus.MISSING
    if clip.sha256 and hash_media(path) != clip.sha256:
        return MediaStatus.CHANGED
    return MediaStatus.SAME


def verify_media(clip: Clip) -> None:
    """Raise `InputError`, with what to do, where a clip's media are missing or no longer what was added."""
    status = media_status(clip)
    if status is MediaStatus.MISSING:
        raise InputError(
            f"clip {clip.id}: {clip.path} is missing: put it back, or say where it is now with "
            f"`emc add --relink {clip.id} PATH`"
        )
    if status is MediaStatus.CHANGED:
        raise InputError(
            f"clip {clip.id}: {clip.path} is not the media that was added (its content changed): put the original "
            f"back, or add it as a clip of its own with `emc add`"
        )


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not file.tell():
            raise InputError(f"{path} is empty (0 bytes): copy or export it again")
    return digest


def _hash_folder(path: Path) -> str:
    files = {file.name.encode(): file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")}
    if not files:
        raise InputError(f"{path} holds no files: choose the folder with the images")
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(name + b"\0" + _hash_file(file).encode() + b"\n")
    return digest.hexdigest()
