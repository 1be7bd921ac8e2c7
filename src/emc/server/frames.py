"""Frames as JPEG: exact ones, from a few readers and pictures that are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np

from emc.errors import DecodeError, InputError
from emc.pose.geometry import crop_affine
from emc.pose.records import Clip
from emc.stages.video import MediaReader, open_media

QUALITY = 90
READERS = 3
KEPT_BYTES = 96 * 1024 * 1024
GREY = (114, 114, 114)
PictureKey = tuple[str | int | float, ...]
"""Clip and frame, and of a crop its square and its size."""


class Frames:
    """Encoded frames of clips; safe to use from several threads (a reader serves one at a time)."""

    def __init__(self) -> None:
        self._readers: OrderedDict[str, _OneReader] = OrderedDict()
        self._pictures: OrderedDict[PictureKey, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def jpeg(self, clip: Clip, frame: int) -> bytes:
        """Return a frame in its own resolution as JPEG.

        Raises `InputError` where the media are missing or are not what they were when the clip was added, `DecodeError`
        where the frame is damaged.
        """
        return self._picture((clip.id, frame), clip, None)

    def crop(self, clip: Clip, frame: int, square: tuple[float, float, float], size: int) -> bytes:
        """Return a square (centre x, y and side in pixels of the frame) as a JPEG of `size` x `size` pixels.

        Beyond the frame it is grey. Raises what `jpeg` raises.
        """
        return self._picture((clip.id, frame, *square, size), clip, (square, size))

    def _picture(self, key: PictureKey, clip: Clip, part: tuple[tuple[float, float, float], int] | None) -> bytes:
        with self._lock:
            kept = self._pictures.get(key)
            if kept is not None:
                self._pictures.move_to_end(key)
                return kept
            reader = self._reader(clip)
        picture = reader.jpeg(int(key[1]), part)
        self._keep(key, picture)
        return picture

    def close(self) -> None:
        """Release all files; safe to call twice."""
        with self._lock:
            readers = list(self._readers.values())
            self._readers.clear()
        for reader in readers:
            reader.close()

    def _reader(self, clip: Clip) -> _OneReader:
        reader = self._readers.setdefault(clip.id, _OneReader(clip))
        self._readers.move_to_end(clip.id)
        while len(self._readers) > READERS:
            self._readers.popitem(last=False)[1].close()
        return reader

    def _keep(self, key: PictureKey, picture: bytes) -> None:
        with self._lock:
            if key not in self._pictures:
                self._pictures[key] = picture
                self._bytes += len(picture)
            while self._bytes > KEPT_BYTES and len(self._pictures) > 1:
                self._bytes -= len(self._pictures.popitem(last=False)[1])


class _OneReader:
    """A clip's reader, opened when it is first used; a closed one opens again."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._media: MediaReader | None = None
        self._lock = threading.Lock()

    def jpeg(self, frame: int, part: tuple[tuple[float, float, float], int] | None) -> bytes:
        with self._lock:
            if self._media is None:
                self._media = _open(self._clip)
            image = self._media.read(frame)
        if part is not None:
            image = _cut(image, *part)
        done, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            raise DecodeError(f"frame {frame} of {self._clip.path} cannot be encoded: copy or export the media again")
        return encoded.tobytes()

    def close(self) -> None:
        with self._lock:
            if self._media is not None:
                self._media.close()
                self._media = None


def _cut(image: np.ndarray, square: tuple[float, float, float], size: int) -> np.ndarray:
    affine = crop_affine(np.array(square), size)
    step = square[2] / size
    if step > 2:
        # A mean over what one pixel will stand for, so that thin limbs do not flicker from crop to crop.
        image = cv2.blur(image, (int(step), int(step)))
    return cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY
    )


def _open(clip: Clip) -> MediaReader:
    media = open_media(Path(clip.path))
    info = media.info
    if (info.frames, info.width, info.height) != (clip.frames, clip.width, clip.height):
        media.close()
        raise InputError(
            f"{clip.path} has {info.frames} frames of {info.width} x {info.height}, clip {clip.id} was added with "
            f"{clip.frames} of {clip.width} x {clip.height}: put that file back"
        )
    return media
