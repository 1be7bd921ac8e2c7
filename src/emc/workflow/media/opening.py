"""Clips opened for their pictures: never before their media were compared with what was added."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from emc.errors import InputError
from emc.pose.records import Clip, MediaFile
from emc.store import is_folder
from emc.workflow.media.check import check_clip, stored_names

if TYPE_CHECKING:
    from emc.stages.video import MediaInfo, MediaReader

MOST_PIXELS = 8192 * 8192


def open_clip(clip: Clip, decoders: int = 0, max_pixels: int = MOST_PIXELS) -> MediaReader:
    """Open a clip for reading, frame k the picture that was frame k when it was added; use it as a context manager.

    decoders : threads that decode (0: one per core). Raises `InputError` where the media are missing or are not what
    was added, `DecodeError` where they are damaged.
    """
    from emc.stages.video import open_media

    return open_media(Path(clip.path), known_info(clip, max_pixels), decoders)


def known_info(clip: Clip, max_pixels: int = MOST_PIXELS) -> MediaInfo:
    """Return what a clip's media hold after comparing them, once for all who open them while the files stay.

    To look costs as much as to decode a second of video: its end is decoded to see that it is whole. Raises what
    `open_clip` raises.
    """
    from emc.stages.video import as_stored

    files = check_clip(clip).files or clip.files
    info = _looked_at(clip.path, files, stored_names(clip), max_pixels) if files else _look(clip.path, (), max_pixels)
    if info.coded != (0, 0) and (info.width, info.height) != (clip.width, clip.height):
        # A clip of a version that left pixels as they are stored: its corrections stand in those.
        info = as_stored(info)
    if (info.frames, info.width, info.height) != (clip.frames, clip.width, clip.height):
        raise InputError(
            f"clip {clip.id}: {clip.path} has {info.frames} frames of {info.width} x {info.height}, it was added with "
            f"{clip.frames} of {clip.width} x {clip.height}: bring that file back, or say where it is with "
            f"`emc relink {clip.id} PATH`"
        )
    return info


class WatchedMedia:
    """Says before every picture whether a clip's media are still what was added, at the price of one or two looks.

    Belongs to one clip; safe to use from several threads.
    """

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._path = Path(clip.path)
        self._files = clip.files
        self._seen: dict[Path, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def check(self, frame: int) -> None:
        """Raise `InputError` where the media are missing or changed; see `check_clip`."""
        places = [self._path]
        if is_folder(self._path) and frame < len(self._files):
            # A folder's own time of change tells of files that came, went or got another name; not of their content.
            places.append(self._path / self._files[frame].name)
        now = {place: _state(place) for place in places}
        with self._lock:
            if all(state is not None and self._seen.get(place) == state for place, state in now.items()):
                return
            self._files = check_clip(self._clip).files or self._files
            self._seen.update({place: state for place, state in now.items() if state is not None})


def _state(place: Path) -> tuple[int, int] | None:
    try:
        state = place.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


@functools.lru_cache(maxsize=64)
def _looked_at(path: str, files: tuple[MediaFile, ...], names: tuple[str, ...], max_pixels: int) -> MediaInfo:
    return _look(path, names, max_pixels)


def _look(path: str, names: tuple[str, ...], max_pixels: int) -> MediaInfo:
    from emc.stages.video import probe

    return probe(Path(path), max_pixels, names)
