"""Media by path and hash: the user's files are read, never moved or changed.

Size and time of change say at every use whether a file may have changed; where they differ, its SHA-256 decides.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from emc.errors import InputError
from emc.pose.records import Clip, MediaFile


class MediaStatus(StrEnum):
    """What became of a clip's media since the clip was added."""

    SAME = "present"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A clip's media beside what was added.

    files : as they are now, by frame, where all have the content that was added. changed, missing, added : names of
    files. renamed : (name that was added, name now) of files whose content is the same. Of a clip that remembers no
    files, none of them can be named.
    """

    status: MediaStatus
    files: tuple[MediaFile, ...] = ()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


def hash_media(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of a folder's sorted file names and their hashes, in hex.

    In a folder, hidden files and subfolders do not count. A name and its hash are joined by a zero byte, the pairs by
    a line break; names are compared as UTF-8.
    Raises `InputError` that names the file where it is missing, empty (a folder: has no file) or cannot be read.
    """
    try:
        if not path.is_dir():
            return read_files(path, [path.name])[0].sha256
        names = [file.name for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
    except OSError as error:
        raise _unreadable(path, error) from error
    if not names:
        raise InputError(f"{path} holds no files: choose the folder with the images")
    return hash_files(read_files(path, names), folder=True)


def hash_files(files: Iterable[MediaFile], folder: bool) -> str:
    """Return the SHA-256 of a clip whose media are `files`; see `hash_media`."""
    if not folder:
        return next(iter(files)).sha256
    digest = hashlib.sha256()
    for name, sha256 in sorted((file.name.encode(), file.sha256) for file in files):
        digest.update(name + b"\0" + sha256.encode() + b"\n")
    return digest.hexdigest()


def is_folder(path: Path) -> bool:
    """Return whether a folder lies at `path`; raises `InputError` that names it where this user may not look there."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def is_there(path: Path) -> bool:
    """Return whether something lies at `path`, as far as this user may look."""
    try:
        return _mode(path) is not None
    except InputError:
        return False


def read_files(path: Path, names: Sequence[str]) -> tuple[MediaFile, ...]:
    """Return the named files of the folder `path`, or the file `path` itself, with their hashes.

    Raises `InputError` that names the file where it is missing, empty or cannot be read.
    """
    places = [path / name for name in names] if is_folder(path) else [path]
    return tuple(_read_file(place) for place in places)


def compare_media(clip: Clip, names: Sequence[str]) -> Comparison:
    """Say whether a clip's media are still what was added; of a clip without a hash nothing can be said: the same.

    names : the images that lie in the folder now; of a file its own name. A file whose size and time of change are
    those that were noted is not read. Raises `InputError` where a file cannot be read.
    """
    path = Path(clip.path)
    if not clip.sha256:
        return Comparison(MediaStatus.SAME)
    if _mode(path) is None:
        return Comparison(MediaStatus.MISSING, missing=tuple(file.name for file in clip.files))
    if not clip.files:
        return _compare_unnoted(clip, path, names)
    if not path.is_dir():
        # A file is known by its content: what it is called now does not matter.
        now = _as_noted(path, replace(clip.files[0], name=path.name)) if len(clip.files) == 1 else None
        return Comparison(MediaStatus.CHANGED, changed=(path.name,)) if now is None else _same([now])
    return _compare_folder(clip.files, path, names)


def placed(clip: Clip, folder: Path) -> Clip:
    """Return a clip that notes where its media lie as seen from the project's folder."""
    try:
        return replace(clip, relative=Path(os.path.relpath(clip.path, folder)).as_posix())
    except ValueError:
        # Another drive: then the media cannot move with the project.
        return replace(clip, relative="")


def located(clip: Clip, folder: Path) -> Clip:
    """Return a clip whose `path` is where its media are found: where they were added, else as seen from the project.

    A place where a file of another size lies comes after one where the size is right.
    """
    if not clip.relative:
        return clip
    places = [Path(clip.path), Path(os.path.normpath(folder / clip.relative))]
    found = next((place for place in places if _may_be(clip, place)), None)
    found = found or next((place for place in places if is_there(place)), places[0])
    return clip if str(found) == clip.path else replace(clip, path=str(found))


def _may_be(clip: Clip, place: Path) -> bool:
    if not clip.files:
        return is_there(place)
    try:
        state = (place / clip.files[0].name if place.is_dir() else place).stat()
    except OSError:
        return False
    return state.st_size == clip.files[0].size


def _same(files: Iterable[MediaFile]) -> Comparison:
    return Comparison(MediaStatus.SAME, tuple(files))


def _compare_unnoted(clip: Clip, path: Path, names: Sequence[str]) -> Comparison:
    """Compare a clip that remembers no files; where it is the same, its files are those that are there now."""
    files = read_files(path, names)
    of_images = hash_files(files, folder=path.is_dir())
    # Older versions counted files that are no images too.
    return _same(files) if clip.sha256 in (of_images, hash_media(path)) else Comparison(MediaStatus.CHANGED)


def _compare_folder(noted: Sequence[MediaFile], path: Path, names: Sequence[str]) -> Comparison:
    here = set(names)
    now = {file.name: _as_noted(path / file.name, file) for file in noted if file.name in here}
    changed = tuple(name for name, file in now.items() if file is None)
    gone = [file for file in noted if file.name not in here]
    fresh = [name for name in names if name not in now]
    moved = _moved(gone, fresh, path) if gone else {}
    missing = tuple(file.name for file in gone if file.name not in moved)
    taken = set(moved.values())
    added = tuple(name for name in fresh if name not in taken)
    if not (changed or gone or added):
        return _same(file for file in now.values() if file is not None)
    status = MediaStatus.MISSING if missing and not (changed or added) else MediaStatus.CHANGED
    return Comparison(status, (), changed, missing, added, tuple(moved.items()))


def _moved(gone: Sequence[MediaFile], fresh: Sequence[str], path: Path) -> dict[str, str]:
    """Return name that was noted -> name now, of files that are elsewhere in the folder with the same content."""
    sizes = {file.size for file in gone}
    left = [file for name in fresh if (path / name).stat().st_size in sizes for file in read_files(path, [name])]
    moved: dict[str, str] = {}
    for file in gone:
        twin = next((other for other in left if other.sha256 == file.sha256), None)
        if twin is not None:
            moved[file.name] = twin.name
            left.remove(twin)
    return moved


def _as_noted(place: Path, noted: MediaFile) -> MediaFile | None:
    """Return a file as it is now where its content is the noted one, else None."""
    try:
        state = place.stat()
    except OSError as error:
        raise _unreadable(place, error) from error
    if (state.st_size, state.st_mtime_ns) == (noted.size, noted.modified):
        return noted
    if state.st_size != noted.size:
        return None
    now = _read_file(place)
    return now if now.sha256 == noted.sha256 else None


def _read_file(place: Path) -> MediaFile:
    try:
        state = place.stat()
        if not state.st_size:
            raise InputError(f"{place} is empty (0 bytes): copy or export it again")
        return MediaFile(
            place.name, state.st_size, state.st_mtime_ns, _sha256(str(place), state.st_size, state.st_mtime_ns)
        )
    except OSError as error:
        raise _unreadable(place, error) from error


@functools.lru_cache(maxsize=65536)
def _sha256(path: str, size: int, modified: int) -> str:
    """Return a file's SHA-256, once as long as its size and time of change stay: others may ask again."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mode(path: Path) -> int | None:
    """Return what lies at `path` as `os.stat` tells it, None: nothing."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{error.filename or path} does not exist: check the path")
    return InputError(f"{error.filename or path} cannot be read ({error.strerror}): allow reading it")
