"""Clips made of images: a folder in natural order, or one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.error import FFmpegError
from PIL import Image, ImageOps, UnidentifiedImageError

from emc.errors import DecodeError
from emc.stages.video.deep import is_deep, read_deep, read_other_floats
from emc.stages.video.info import MediaInfo, MediaReader, check_pixels
from emc.stages.video.listing import image_names
from emc.stages.video.pictures import PICTURE_ERRORS, PICTURES
from emc.untrusted import one_line

ORIENTATION_TAG = 0x0112
READ_ERRORS = (*PICTURE_ERRORS, FFmpegError)
TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
PAGED = frozenset({"TIFF", "WEBP", "PNG", "GIF"})
"""Formats whose further pages somebody may count on; the second picture of a phone's JPEG is its thumbnail."""


def probe_images(path: Path, max_pixels: int, names: Sequence[str] = ()) -> MediaInfo:
    """Return what a folder of images, or one image, holds; see `emc.stages.video.probe`."""
    single = not path.is_dir()
    files = [path] if single else [path / name for name in names or image_names(path)]
    headers = [_header(file, max_pixels) for file in files]
    sizes = [header.size for header in headers]
    width, height = (max(sides) for sides in zip(*sizes, strict=True))
    if single:
        read_image(path)
    indices = np.arange(len(files), dtype=np.int64)
    return MediaInfo(
        path, "images", len(files), width, height, 0.0, np.zeros(0), codec=files[0].suffix[1:].lower(),
        keyframes=indices, files=tuple(file.name for file in files), pts=indices,
        sizes=tuple(sizes) if len(set(sizes)) > 1 else (), notes=_notes(files, headers),
    )  # fmt: skip


class ImagesReader(MediaReader):
    """Reads a folder of images, or one image."""

    def read(self, frame: int) -> np.ndarray:
        """Return one image; see `MediaReader.read`."""
        self._check(frame)
        file = self._path / self._info.files[frame] if self._path.is_dir() else self._path
        image = read_image(file)
        width, height = self._info.size(frame)
        if image.shape[:2] != (height, width):
            raise DecodeError(
                f"image {file} is now {image.shape[1]} x {image.shape[0]} but was {width} x {height} when it was "
                "added: bring the old file back, or add the folder again"
            )
        return image


@one_line("copy or export it again, or take it out of the folder", DecodeError)
def read_image(path: Path) -> np.ndarray:
    """Return an image as (H, W, 3) uint8 RGB, upright by its EXIF tag; raises `DecodeError` naming the file.

    More than eight bits are brought to eight by the range that is in use (see `deep.by_range`), picture by picture.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[np.ndarray, str]:
    """Return an image and, where it has more than eight bits per channel, the range in use in words."""
    try:
        # By its name, Pillow would map a grey TIFF into memory and read its rows in the length that they have upright.
        with path.open("rb") as file, Image.open(file, formats=PICTURES) as image:
            if is_deep(path, image):
                return read_deep(path, image, image.getexif().get(ORIENTATION_TAG, 1))
            return np.array(ImageOps.exif_transpose(image).convert("RGB")), ""
    except UnidentifiedImageError as error:
        found = read_other_floats(path) if path.suffix.lower() in TIFF_SUFFIXES else None
        if found is None:
            raise _unreadable(path, error) from error
        return found
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header of an image says: its upright size, how many more pages it has, whether it is deep."""

    size: tuple[int, int]
    more: int = 0
    deep: bool = False


def _header(path: Path, max_pixels: int) -> _Header:
    try:
        with Image.open(path, formats=PICTURES) as image:
            check_pixels(path, *image.size, max_pixels)
            turned = image.getexif().get(ORIENTATION_TAG, 1) >= 5
            more = getattr(image, "n_frames", 1) - 1 if image.format in PAGED else 0
            width, height = _stored_size(image)
            return _Header((height, width) if turned else (width, height), more, is_deep(path, image))
    except UnidentifiedImageError as error:
        found = read_other_floats(path) if path.suffix.lower() in TIFF_SUFFIXES else None
        if found is None:
            raise _unreadable(path, error) from error
        return _Header((found[0].shape[1], found[0].shape[0]), deep=True)
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Return the size before any turn: of a TIFF, Pillow tells the upright one but keeps the tag that turns it."""
    tags = getattr(image, "tag_v2", {})
    return (int(tags[256]), int(tags[257])) if 256 in tags and 257 in tags else image.size


def _notes(files: Sequence[Path], headers: Sequence[_Header]) -> tuple[str, ...]:
    """Return what else to know of images, a sentence each."""
    notes: list[str] = []
    paged = [f"{file.name} ({header.more} more)" for file, header in zip(files, headers, strict=True) if header.more]
    if paged:
        rest = f" and {len(paged) - 3} other files" if len(paged) > 3 else ""
        notes.append(f"note: of files with several pages only the first is used: {', '.join(paged[:3])}{rest}")
    deep = next((file for file, header in zip(files, headers, strict=True) if header.deep), None)
    if deep is not None:
        notes.append(
            f"note: {deep.name} has more than 8 bits per channel; each such image is shown by the range that it uses "
            f"({deep.name}: {_read(deep)[1]})"
        )
    return tuple(notes)


def _unreadable(path: Path, error: Exception) -> DecodeError:
    if path.is_file() and path.stat().st_size == 0:
        return DecodeError(f"image {path} is empty (0 bytes): copy it again, or take it out of the folder")
    if isinstance(error, UnidentifiedImageError):
        why = "no image format that is known"
    else:
        why = " ".join(str(error).split()) or type(error).__name__
    return DecodeError(f"image {path} cannot be decoded ({why}): copy or export it again, or take it out of the folder")
