"""The project's witness outside its database: which edit was acknowledged last, in the file ``journal.head``.

A database whose end is cut off is a whole database of an earlier day: nothing inside it says what is gone. This file is
written after every commit, in place and of one length, so that ``kill -9`` leaves the old line or the new one; it is
not forced to the disk, so after a power cut it may name an earlier edit, never a later one.

An open project holds a shared lock on it, by which ``emc recover`` knows that nobody else has the project open.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from emc.errors import ProjectError
from emc.store.trust.links import MOST_EDITS, Link

HEAD = "journal.head"
_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Head:
    """The edit that was acknowledged last, as far as the file knows. chain : hexadecimal."""

    number: int
    edit: int
    created: str
    chain: str


class HeadFile:
    """The file ``journal.head`` of a project folder, held open; where the folder cannot be written it stays unused."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / HEAD
        self._file = _opened(self._path)
        _lock(self._file, shared=True)

    def read(self) -> Head | None:
        """Return what the file says, None where it is missing, empty or damaged."""
        return read_head(self._path.parent)

    def write(self, link: Link) -> None:
        """Note the edit that was just committed; a file that cannot be written is left as it is."""
        if self._file is None:
            return
        said = f"emc-journal 1 {link.number} {link.edit} {link.created} {link.chain.hex()}"
        line = f"{said} {zlib.crc32(said.encode()):08x}"
        # The edit is committed: whatever goes wrong here must not make it look refused.
        try:
            _write_at_start(self._file.fileno(), (line.ljust(_LENGTH - 1) + "\n").encode())
        except OSError:
            return

    def take_alone(self) -> None:
        """Lock the project for this process alone; raises `ProjectError` where another one has it open."""
        if not _lock(self._file, shared=False):
            raise ProjectError(
                f"the project {self._path.parent} is open elsewhere: close the editor and other commands"
            )

    def close(self) -> None:
        """Close the file, and with it the lock; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_head(folder: Path) -> Head | None:
    """Return what the head file of a folder says, None where it is missing, empty or damaged."""
    try:
        with (folder / HEAD).open("rb") as file:
            words = file.read(4 * _LENGTH).decode("ascii", "replace").split()
        name, version, number, edit, created, chain, check = words
        said = " ".join(words[:-1])
        if (name, version, int(check, 16)) != ("emc-journal", "1", zlib.crc32(said.encode())):
            return None
        # A number that no journal reaches is damage too, whatever its check says.
        return Head(int(number), int(edit), created, chain) if 0 <= int(number) < MOST_EDITS else None
    except (OSError, ValueError):
        return None


def _opened(path: Path) -> IO[bytes] | None:
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)
    except OSError:
        return None


def _write_at_start(descriptor: int, line: bytes) -> None:
    if hasattr(os, "pwrite"):
        os.pwrite(descriptor, line, 0)
        return
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, line)


def _lock(file: IO[bytes] | None, shared: bool) -> bool:
    """Lock the file without waiting; True where it is locked now, or where this system or folder knows no locks."""
    try:
        import fcntl
    except ImportError:
        return True
    if file is None:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
