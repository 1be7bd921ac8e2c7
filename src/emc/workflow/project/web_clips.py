"""Clips from addresses: fetched once by yt-dlp into the project's folder, with their origin, licence and checksum."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emc.config import VideoSettings
from emc.errors import EmcError, InputError, PluginError, StorageError
from emc.interfaces import Progress, Store
from emc.pose.records import Clip, Role
from emc.workflow.progress import Silent
from emc.workflow.project.clips import Added, add_clips

ORIGIN = "origin"
"""Kind of the documents that say where a clip is from; named after the clip."""
UNSTATED = "not stated: ask whoever published it before you pass it on"
INSTALL = "pip install 'emc-pose[web]'"
# Pictures alone where they can be had so: no sound is needed, and none must be merged in by another program.
FORMAT = "bestvideo[ext=mp4]/best[ext=mp4]/bestvideo/best"
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came from an address, and what its publisher says of it."""

    path: Path
    address: str
    page: str
    title: str
    author: str
    licence: str

    def document(self, clip: Clip, note: str) -> dict[str, Any]:
        """Return what the project keeps of it; `note` is the user's own word on the licence."""
        return {
            "address": self.address, "page": self.page, "title": self.title, "author": self.author,
            "licence": note or self.licence or UNSTATED, "sha256": clip.sha256, "file": str(self.path),
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip


def is_address(word: str) -> bool:
    """Return whether a word is an http or https address, not a path."""
    return _ADDRESS.fullmatch(word) is not None


def add_sources(
    store: Store,
    words: Sequence[str],
    role: Role | None = None,
    group: str = "",
    tags: Mapping[str, str] | None = None,
    settings: VideoSettings | None = None,
    licence: str = "",
    progress: Progress | None = None,
    fps: float = 0.0,
) -> Added:
    """Add videos and folders by path or address; one that cannot be used is reported and the others go on.

    licence : a note kept with the clips that come from addresses, in place of what their publisher states. An
    interrupted download goes on where it stopped when the same address is added again.
    Raises `PluginError` where an address is given and yt-dlp is not installed, `StorageError` for a full disk.
    """
    progress = progress or Silent()
    addresses = [word for word in words if is_address(word)]
    if addresses:
        load_yt_dlp()
    paths = [Path(word) for word in words if not is_address(word)]
    done = add_clips(store, paths, role, group, tags, settings, progress, fps) if paths else Added((), ())
    clips, failures, notes = list(done.clips), list(done.failures), list(done.notes)
    for address in addresses:
        try:
            fetched = fetch(address, store.folder / "media", progress)
        except StorageError:
            raise
        except EmcError as error:
            failures.append(str(error))
            progress.say(f"left out: {error}")
            continue
        added = add_clips(store, [fetched.path], role, group, tags, settings, progress, fps)
        for clip in added.clips:
            store.put_document(ORIGIN, clip.id, fetched.document(clip, licence))
        clips += added.clips
        failures += added.failures
        notes += added.notes
    return Added(tuple(clips), tuple(failures), tuple(notes))


def fetch(address: str, folder: Path, progress: Progress | None = None) -> Fetched:
    """Fetch the video behind an address into `folder`; what is there of it already is not fetched again.

    Raises `InputError` where the address cannot be reached or has no video, `PluginError` without yt-dlp,
    `StorageError` where the file cannot be written.
    """
    library = load_yt_dlp()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make {folder} ({error.strerror}): choose another project folder") from error
    bar = _Bar(progress or Silent(), address)
    try:
        with library.YoutubeDL(_options(folder, bar)) as loader:
            info = loader.extract_info(address, download=True)
            entries = (info or {}).get("entries")
            info = next(iter(entries), None) if entries is not None else info
            path = Path(loader.prepare_filename(info)) if info else None
    except OSError as error:
        raise StorageError(f"cannot write into {folder} ({error}): free space and add {address} again") from error
    except library.utils.YoutubeDLError as error:
        raise _told(library, address, error) from error
    finally:
        bar.finish()
    if info is None or path is None or not path.is_file():
        raise InputError(f"{address} has no video: give the address of a page or file with one")
    said = {name: str(info.get(name) or "") for name in ("webpage_url", "title", "uploader", "license")}
    return Fetched(path, address, said["webpage_url"] or address, said["title"], said["uploader"], said["license"])


def load_yt_dlp() -> Any:
    """Return the module `yt_dlp`; raises `PluginError` that says how to get it."""
    try:
        import yt_dlp
    except ImportError as error:
        raise PluginError(
            f"addresses are fetched with the package yt-dlp, which is not installed: {INSTALL}"
        ) from error
    return yt_dlp


def _options(folder: Path, bar: _Bar) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "outtmpl": {"default": str(folder / "%(extractor_key)s-%(id).80s.%(ext)s")},
        "restrictfilenames": True,
        "noplaylist": True,
        "playlist_items": "1",
        "continuedl": True,
        "overwrites": False,
        "retries": 3,
        "extractor_retries": 1,
        "socket_timeout": 20,
        "quiet": True,
        "noprogress": True,
        "no_warnings": True,
        "cachedir": False,
        "fixup": "never",
        "logger": _Quiet(),
        "progress_hooks": [bar.moved],
    }


def _told(library: Any, address: str, error: Exception) -> EmcError:
    """Return an error of yt-dlp as one of ours."""
    cause = (getattr(error, "exc_info", None) or (None, None, None))[1] or error
    lines = _COLOUR.sub("", str(error)).removeprefix("ERROR: ").strip().splitlines() or [type(error).__name__]
    errno = getattr(getattr(cause, "cause", None) or cause, "errno", None)
    if isinstance(cause, OSError) and errno in (27, 28, 30, 122):
        return StorageError(f"cannot store {address} ({lines[0]}): free space and add it again")
    if isinstance(cause, library.utils.UnsupportedError):
        return InputError(f"{address} has no video: give the address of a page or file with one")
    return InputError(f"{address} could not be fetched ({lines[0]}): check address and network, then add it again")


class _Bar:
    """Turns yt-dlp's reports into a progress bar, counted in kilobytes."""

    def __init__(self, progress: Progress, address: str) -> None:
        self._progress = progress
        self._name = address
        self._done = -1

    def moved(self, report: Mapping[str, Any]) -> None:
        """Take one report of the downloader."""
        size = report.get("total_bytes") or report.get("total_bytes_estimate")
        if self._done < 0:
            self._progress.start(f"fetch {self._name}", int(size // 1024) if size else None)
            self._done = 0
        now = int((report.get("downloaded_bytes") or 0) // 1024)
        if now > self._done:
            self._progress.advance(now - self._done)
            self._done = now

    def finish(self) -> None:
        """End the bar, if one began."""
        if self._done >= 0:
            self._progress.finish()


class _Quiet:
    """Takes what yt-dlp would print; what matters comes as an exception."""

    def debug(self, message: str) -> None:
        """Drop a note."""

    info = warning = error = debug
