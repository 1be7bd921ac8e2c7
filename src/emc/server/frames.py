"""Frames as JPEG: exact ones, from a few readers, with pictures and decoded frames that are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from emc.errors import DecodeError
from emc.lazy import LazyLibrary
from emc.pose.geometry import crop_affine
from emc.pose.records import Clip
from emc.stages.video import MediaReader, on_canvas
from emc.workflow.media import WatchedMedia, open_clip

if TYPE_CHECKING:
    import cv2
else:
    cv2 = LazyLibrary("cv2")

QUALITY = 90
READERS = 3
KEPT_BYTES = 96 * 1024 * 1024
KEPT_IMAGES = 192 * 1024 * 1024
"""Bytes of decoded frames: the contact sheets of one joint after the other cut the same frames."""
GREY = (114, 114, 114)
PictureKey = tuple[str | int | float, ...]
"""Clip and frame, and of a crop its square and its size."""


class Frames:
    """Encoded frames of clips; safe to use from several threads (a reader serves one at a time)."""

    def __init__(self) -> None:
        self._readers: OrderedDict[str, _OneReader] = OrderedDict()
        self._pictures: OrderedDict[PictureKey, bytes] = OrderedDict()
        self._bytes = 0
        self._images: OrderedDict[tuple[str, int], np.ndarray] = OrderedDict()
        self._image_bytes = 0
        self._watched: dict[str, WatchedMedia] = {}
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
            watched = self._watched.setdefault(clip.id, WatchedMedia(clip))
        watched.check(int(key[1]))
        with self._lock:
            kept = self._pictures.get(key)
            if kept is not None:
                self._pictures.move_to_end(key)
                return kept
        image = self._image(clip, int(key[1]), keep=part is not None)
        picture = _encoded(
            on_canvas(image, clip.width, clip.height) if part is None else _cut(image, *part), clip, int(key[1])
        )
        self._keep(key, picture)
        return picture

    def _image(self, clip: Clip, frame: int, keep: bool) -> np.ndarray:
        """Return a decoded frame; `keep`: others will ask for it again."""
        key = (clip.id, frame)
        with self._lock:
            kept = self._images.get(key)
            if kept is not None:
                self._images.move_to_end(key)
                return kept
            reader = self._reader(clip)
        image = reader.read(frame)
        if keep:
            self._keep_image(key, image)
        return image

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

    def _keep_image(self, key: tuple[str, int], image: np.ndarray) -> None:
        with self._lock:
            if key not in self._images:
                self._images[key] = image
                self._image_bytes += image.nbytes
            while self._image_bytes > KEPT_IMAGES and len(self._images) > 1:
                self._image_bytes -= self._images.popitem(last=False)[1].nbytes


class _OneReader:
    """A clip's reader, opened when it is first used; a closed one opens again.

    Of several threads that wait, the one whose frame comes next in the clip is served first: going back costs a seek.
    """

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._media: MediaReader | None = None
        self._turn = threading.Condition()
        self._waiting: list[int] = []
        self._busy = False
        self._last = -1

    def read(self, frame: int) -> np.ndarray:
        """Return a frame (H, W, 3) RGB, when its turn comes."""
        with self._turn:
            self._waiting.append(frame)
            self._turn.wait_for(lambda: not self._busy and frame == self._next())
            self._waiting.remove(frame)
            self._busy = True
        try:
            if self._media is None:
                self._media = open_clip(self._clip)
            return self._media.read(frame)
        finally:
            self._done(frame)

    def close(self) -> None:
        with self._turn:
            self._turn.wait_for(lambda: not self._busy)
            if self._media is not None:
                self._media.close()
                self._media = None

    def _next(self) -> int:
        return min([frame for frame in self._waiting if frame >= self._last] or self._waiting)

    def _done(self, frame: int) -> None:
        with self._turn:
            self._busy, self._last = False, frame
            self._turn.notify_all()


def _encoded(image: np.ndarray, clip: Clip, frame: int) -> bytes:
    done, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise DecodeError(f"frame {frame} of {clip.path} cannot be encoded: copy or export the media again")
    return encoded.tobytes()


def _cut(image: np.ndarray, square: tuple[float, float, float], size: int) -> np.ndarray:
    affine = crop_affine(np.array(square), size)
    step = square[2] / size
    if step > 2:
        # A mean over what one pixel will stand for, so that thin limbs do not flicker from crop to crop.
        image = cv2.blur(image, (int(step), int(step)))
    return cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY
    )
