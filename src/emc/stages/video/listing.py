"""Which files of a folder are the images of a clip, and in which order; loads no library that decodes."""

from __future__ import annotations

import re
from pathlib import Path

from emc.errors import InputError
from emc.stages.video.info import IMAGE_SUFFIXES


def natural_key(name: str) -> list[str | int]:
    """Return a sort key that puts img2 before img10."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", name.lower()))]


def image_names(folder: Path) -> list[str]:
    """Return the names of a folder's images in natural order; raises `InputError` where it has none."""
    try:
        names = sorted((entry.name for entry in folder.iterdir() if not entry.name.startswith(".")), key=natural_key)
    except OSError as error:
        raise InputError(f"folder {folder} cannot be read ({error.strerror}): check its permissions") from error
    images = [name for name in names if Path(name).suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise InputError(
            f"folder {folder} holds no images among its {len(names)} entries (png, jpg, bmp, tif, webp): "
            "give a folder of images, or the videos in it one by one"
        )
    return images
