"""What a clip holds, and what every reader of clips offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from emc.errors import InputError, UsageError
from emc.lazy import LazyLibrary
from emc.stages.video.area import Area

if TYPE_CHECKING:
    import cv2
else:
    cv2 = LazyLibrary("cv2")

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored picture becomes upright: swap its axes first, then mirror it across x and across y."""

    swap: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def rotation(self) -> int:
        """Counter-clockwise turn in degrees (0, 90, 180, 270) that makes a picture upright, mirroring left aside."""
        if self.swap:
            return 90 if self.mirror_y else 270
        return 180 if self.mirror_y else 0

    def upright(self, image: np.ndarray) -> np.ndarray:
        """Return the stored (H, W, 3) picture upright, contiguous; (W, H, 3) where the axes are swapped."""
        if self.swap:
            image = cv2.transpose(image)
        if self.mirror_x or self.mirror_y:
            image = cv2.flip(
                image, {(True, False): 1, (False, True): 0, (True, True): -1}[self.mirror_x, self.mirror_y]
            )
        return image


@dataclass(frozen=True, eq=False)
class MediaInfo:
    """What a clip holds.

    Attributes
    ----------
    path : as it was given.
    kind : ``video`` or ``images``.
    frames : pictures that decoding yields. width, height : those of the upright frame, pixels; of a folder of images
        of several sizes the largest width and the largest height.
    sizes : (width, height) of each frame where they differ, empty where all are `width` x `height`.
    fps : mean frames per second (images: 0, they have none).
    times : (frames,) float64, seconds from the first frame, exact for a variable rate (images: empty).
    rotation : degrees counter-clockwise by which stored frames are turned upright (images: 0, each has its own).
    codec : such as ``h264``; of images the file suffix.
    keyframes : (K,) int64 indices of the frames that decoding can start from.
    files : names of the images in the clip's order, empty for a video.
    pts : (frames,) int64 presentation stamps in units of `time_base`; None where the container's stamps are missing
        or contradict the order of decoding: frames are then counted from the start, which makes seeking slow.
    pixel_aspect : width of the file's pixels by their height, upright; where it is not 1 frames are stretched along
        their shorter pixel side until pixels are square, which `width` and `height` count. coded : (width, height) of
        a frame as the file holds it, neither upright nor square; (0, 0): of images.
    notes : what else to know of the media, one sentence each.
    orientation : how a stored frame becomes upright. seeks : (K,) int64 stamps to seek to for each keyframe.
    """

    path: Path
    kind: Literal["video", "images"]
    frames: int
    width: int
    height: int
    fps: float
    times: np.ndarray
    rotation: int = 0
    codec: str = ""
    keyframes: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    files: tuple[str, ...] = ()
    pts: np.ndarray | None = None
    time_base: Fraction = Fraction(1)
    orientation: Orientation = Orientation()
    seeks: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    pixel_aspect: float = 1.0
    coded: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()

    def size(self, frame: int) -> tuple[int, int]:
        """Return (width, height) of an upright frame in pixels."""
        return self.sizes[frame] if self.sizes else (self.width, self.height)


def as_stored(info: MediaInfo) -> MediaInfo:
    """Return what a video holds with its frames left in the file's own pixels, square or not."""
    width, height = info.coded[::-1] if info.orientation.swap else info.coded
    return replace(info, width=width, height=height, pixel_aspect=1.0)


class MediaReader(ABC):
    """Reads the frames of one clip; belongs to one thread; a context manager."""

    def __init__(self, path: Path, info: MediaInfo) -> None:
        self._path = path
        self._info = info

    @property
    def info(self) -> MediaInfo:
        """What `probe` said of the clip."""
        return self._info

    @abstractmethod
    def read(self, frame: int) -> np.ndarray:
        """Return frame `frame` as (H, W, 3) uint8 RGB, upright, the same whatever was read before.

        Raises `UsageError` for an index outside the clip, `DecodeError` naming the file and frame for damage.
        """

    def frames(self, first: int = 0, last: int | None = None, step: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (index, image) of every `step`-th frame of first..last (inclusive; None: to the end).

        Errors as in `read`; a range that ends before it starts yields nothing.
        """
        end = self._info.frames - 1 if last is None else last
        if step < 1:
            raise UsageError(f"step {step} of {self._path} cannot be taken: use 1 or more")
        for index in range(first, end + 1, step):
            yield index, self._next(index)

    def chosen(self, frames: Iterable[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (index, image) of rising `frames`; those between are decoded where they must be, and not converted.

        Errors as in `read`.
        """
        for index in frames:
            yield index, self._next(index)

    def parts(self, wanted: Iterable[tuple[int, Area]]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (index, image of the area alone) of rising frames, the same pixels as the whole has there."""
        for index, area in wanted:
            yield index, area.of(self._next(index))

    def close(self) -> None:
        """Release the file; safe to call twice."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next(self, frame: int) -> np.ndarray:
        return self.read(frame)

    def _check(self, frame: int) -> None:
        if not 0 <= frame < self._info.frames:
            raise UsageError(f"frame {frame} is outside of {self._path}: use 0 to {self._info.frames - 1}")


def on_canvas(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return an image as (height, width, 3): black to the right and below where it is smaller.

    Coordinates stay as they are. Overlays and the editor's page need frames of one size.
    """
    down, right = height - image.shape[0], width - image.shape[1]
    if down <= 0 and right <= 0:
        return image
    return cv2.copyMakeBorder(image, 0, max(down, 0), 0, max(right, 0), cv2.BORDER_CONSTANT)


def check_pixels(path: Path, width: int, height: int, max_pixels: int) -> None:
    """Raise `InputError` naming `path` and its size where a frame has more than `max_pixels` pixels."""
    if width * height > max_pixels:
        raise InputError(
            f"{path} is {width} x {height} ({width * height / 1e6:.0f} million pixels), more than the limit of "
            f"{max_pixels / 1e6:.0f} million: scale it down, or raise max_pixels"
        )
