"""Video and photos in: what a clip holds (`probe`) and its exact frames (`open_media`).

A clip is one video file, one image file, or one folder of images. Frame k is the k-th picture that decoding the file
from its start yields; `MediaReader.read` gives exactly that picture however it gets there. The
libraries that decode are loaded with the first clip.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from emc.errors import InputError
from emc.stages.video.area import Area
from emc.stages.video.info import IMAGE_SUFFIXES, MediaInfo, MediaReader, Orientation, as_stored, on_canvas
from emc.stages.video.listing import image_names
from emc.untrusted import one_line

__all__ = [
    "IMAGE_SUFFIXES",
    "Area",
    "MediaInfo",
    "MediaReader",
    "Orientation",
    "as_stored",
    "image_names",
    "on_canvas",
    "open_media",
    "probe",
]


@one_line("copy or export it again, or leave it out")
def probe(path: Path, max_pixels: int = 8192 * 8192, names: Sequence[str] = ()) -> MediaInfo:
    """Return what a clip holds, without decoding all of it.

    A video is demultiplexed once from end to end, its first frames and those from its last keyframe on are decoded:
    that finds files that are cut off and stamps that lie. Damage in the middle shows when that frame is read. Of a
    folder of images only the headers are read.

    Parameters
    ----------
    path : a video file, an image file, or a folder of images.
    max_pixels : frames of more pixels than this are refused.
    names : of the images of a folder, in the order of the frames; none: all images, in natural order.

    Raises
    ------
    InputError : `path` is missing, empty, of another kind, without pictures, or larger than `max_pixels`.
    DecodeError : the file is damaged or cut off.
    """
    from emc.stages.video.images import probe_images
    from emc.stages.video.index import probe_video

    mode = _mode(path)
    if stat.S_ISDIR(mode):
        return probe_images(path, max_pixels, names)
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is neither a file nor a folder (a device, pipe or socket): give a video or images")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes): copy or export it again, or leave it out")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return probe_images(path, max_pixels)
    return probe_video(path, max_pixels)


@one_line("copy or export it again, or leave it out")
def open_media(path: Path, info: MediaInfo | None = None, decoders: int = 0) -> MediaReader:
    """Open a clip for reading; use it as a context manager.

    `info` is what `probe` said of the same path (None: it is probed now). `decoders` is how many threads decode a video
    (0: one per core); one costs least where other work keeps all cores busy. A reader belongs to one thread. Raises
    what `probe` raises.
    """
    from emc.stages.video.images import ImagesReader
    from emc.stages.video.reader import VideoReader

    known = probe(path) if info is None else info
    return ImagesReader(path, known) if known.kind == "images" else VideoReader(path, known, decoders)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: check its spelling, or where it was moved to") from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}): check its permissions") from error
