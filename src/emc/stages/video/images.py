"""Clips made of images: a folder in natural order, or one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from emc.errors import DecodeError
from emc.stages.video.info import MediaInfo, MediaReader, check_pixels
from emc.stages.video.listing import image_names

ORIENTATION_TAG = 0x0112
READ_ERRORS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def probe_images(path: Path, max_pixels: int, names: Sequence[str] = ()) -> MediaInfo:
    """Return what a folder of images, or one image, holds; see `emc.stages.video.probe`."""
    single = not path.is_dir()
    files = [path] if single else [path / name for name in names or image_names(path)]
    sizes = [_upright_size(file, max_pixels) for file in files]
    width, height = (max(sides) for sides in zip(*sizes, strict=True))
    if single:
        read_image(path)
    indices = np.arange(len(files), dtype=np.int64)
    return MediaInfo(
        path, "images", len(files), width, height, 1.0, indices.astype(np.float64), codec=files[0].suffix[1:].lower(),
        keyframes=indices, files=tuple(file.name for file in files), pts=indices,
        sizes=tuple(sizes) if len(set(sizes)) > 1 else (),
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


def read_image(path: Path) -> np.ndarray:
    """Return an image as (H, W, 3) uint8 RGB, upright by its EXIF tag; raises `DecodeError` naming the file."""
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I;16"):
                grey = (np.asarray(upright) >> 8).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=2)
            return np.array(upright.convert("RGB"))
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error


def _upright_size(path: Path, max_pixels: int) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            width, height = image.size
            check_pixels(path, width, height, max_pixels)
            turned = image.getexif().get(ORIENTATION_TAG, 1) >= 5
    except READ_ERRORS as error:
        raise _unreadable(path, error) from error
    return (height, width) if turned else (width, height)


def _unreadable(path: Path, error: Exception) -> DecodeError:
    if path.is_file() and path.stat().st_size == 0:
        return DecodeError(f"image {path} is empty (0 bytes): copy it again, or take it out of the folder")
    if isinstance(error, UnidentifiedImageError):
        why = "no image format that is known"
    else:
        why = " ".join(str(error).split()) or type(error).__name__
    return DecodeError(f"image {path} cannot be decoded ({why}): copy or export it again, or take it out of the folder")
