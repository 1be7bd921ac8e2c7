"""A picture of each person of a clip: a square around them on the frame where they are best seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emc.errors import StorageError
from emc.lazy import LazyLibrary
from emc.pose.geometry import box_to_square, crop_affine
from emc.pose.records import Clip
from emc.workflow.media import open_clip
from emc.workflow.people.listing import ClipPeople, ListedPerson

if TYPE_CHECKING:
    import cv2
else:
    cv2 = LazyLibrary("cv2")

SIDE = 256
"""Pixels of a picture's side."""
AROUND = 1.15


def person_square(person: ListedPerson) -> tuple[float, float, float]:
    """Return centre x, centre y and side, pixels, of the square that shows a person on their frame `seen`."""
    x, y, side = (float(v) for v in box_to_square(np.array(person.box), AROUND))
    return x, y, side


def write_pictures(clip: Clip, people: ClipPeople, folder: Path) -> dict[int, Path]:
    """Write ``CLIP_person_N.jpg`` for each person; returns number -> file.

    Raises `StorageError` where the folder cannot be written, `InputError` where the clip's media are not there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write pictures to {folder} ({error.strerror}): choose another folder") from error
    files: dict[int, Path] = {}
    with open_clip(clip) as reader:
        for person in (one for one in people.people if one.frames):
            picture = _cut(reader.read(person.seen), person)
            files[person.person] = folder / f"{clip.id}_person_{person.person}.jpg"
            if not cv2.imwrite(str(files[person.person]), picture[:, :, ::-1]):
                raise StorageError(f"cannot write {files[person.person]}: choose another folder")
    return files


def _cut(image: np.ndarray, person: ListedPerson) -> np.ndarray:
    affine = crop_affine(np.array(person_square(person)), SIDE)
    return cv2.warpAffine(image, affine, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
