"""One file over HTTPS: with a limit on how long an answer may take, going on where it stopped, checked at the end."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

from emc.errors import WeightsError
from emc.interfaces import Progress
from emc.version import __version__
from emc.weights.published.table import File

PATIENCE = 4.0
"""Seconds that a source may be silent for, at its start and in between, before another one is tried."""
_PART = 1 << 16


class SourceError(Exception):
    """A source could not give what was asked of it; the next one is tried."""


class SilentSource(SourceError):
    """A source did not answer at all: it is not asked for anything else either."""


def download(address: str, file: File, folder: Path, progress: Progress | None, patience: float = PATIENCE) -> Path:
    """Return the path of a file in `folder` after fetching it: whole, with the right checksum, or not at all.

    What an earlier attempt left in ``NAME.part`` is kept and only the rest is asked for. Raises `SourceError` in
    words where the source does not answer within `patience` seconds or gives something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole, part = folder / file.name, folder / f"{file.name}.part"
    with _alone(part):
        if whole.is_file() and sha256_of(whole) == file.sha256:
            return whole
        try:
            _append(address, file, part, progress, patience)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            kind = SilentSource if isinstance(reason, (TimeoutError, socket.gaierror)) else SourceError
            raise kind(f"{_host(address)}: {reason or type(error).__name__}") from error
        if sha256_of(part) != file.sha256:
            part.unlink()
            raise SourceError(f"{_host(address)}: {file.name} has another checksum than the one expected")
        part.replace(whole)
    return whole


def _append(address: str, file: File, part: Path, progress: Progress | None, patience: float) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have > file.size:
        part.unlink()
        have = 0
    if have == file.size:
        return
    _look_up(address, patience)
    headers = {"User-Agent": f"emc/{__version__}"} | ({"Range": f"bytes={have}-"} if have else {})
    # Addresses come from a table of this package and begin with https; tests alone give others.
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=patience) as answer:
        goes_on = have > 0 and answer.status == 206
        left = file.size - (have if goes_on else 0)
        length = answer.headers.get("Content-Length", "")
        if length.isdigit() and int(length) != left:  # A page that says something else, in place of the file.
            raise SourceError(f"{_host(address)}: {length} bytes instead of {left} of {file.name}")
        with part.open("ab" if goes_on else "wb") as out:
            left = _copy(answer, out, left, progress)
            out.flush()
            os.fsync(out.fileno())
    if left:
        raise SourceError(f"{_host(address)}: {file.name} broke off {left} bytes before its end")


def _look_up(address: str, patience: float) -> None:
    """Raise `SourceError` where the name of a server is not found within `patience` seconds."""
    if urllib.request.getproxies():  # Then the proxy looks names up.
        return
    parts = urllib.parse.urlsplit(address)
    failed: list[OSError] = []
    done = threading.Event()

    def look() -> None:
        try:
            socket.getaddrinfo(parts.hostname, parts.port or 443)
        except OSError as error:
            failed.append(error)
        done.set()

    # A name server that does not answer cannot be timed out: the thread is left behind.
    threading.Thread(target=look, daemon=True).start()
    if not done.wait(patience):
        raise SilentSource(f"{_host(address)}: its name was not found within {patience:.0f} s")
    if failed:
        raise failed[0]


def _copy(answer: Any, out: Any, left: int, progress: Progress | None) -> int:
    """Copy at most `left` bytes and return how many are missing."""
    while left > 0 and (got := answer.read(min(_PART, left))):
        out.write(got)
        left -= len(got)
        if progress is not None:
            progress.advance(len(got))
    return left


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _host(address: str) -> str:
    return address.split("/")[2]


@contextlib.contextmanager
def _alone(part: Path) -> Generator[None]:
    """Hold a lock that the kernel frees when this process ends: two processes never append to one file."""
    try:
        import fcntl
    except ImportError:  # Without such locks the checksum alone tells of a file written by two.
        yield
        return
    with part.with_name(part.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise WeightsError(f"{lock.name} cannot be locked ({error}): choose another cache folder") from error
        yield
