"""Cut-out persons in a file, mapped into memory: a clip is decoded once, and memory does not grow with its persons."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import StorageError
from emc.pose.records import Pose, Sample
from emc.workflow.files import read_json, write_json
from emc.workflow.media import open_clip
from emc.workflow.samples.cut import (
    CUT_FACTOR,
    CUT_LIMIT,
    Cuts,
    cut_clip,
    cut_sample,
    sample_box,
    uncut_sample,
    windowed,
)
from emc.workflow.samples.eligible import label_visibility
from emc.workflow.samples.extras import LabelExtra

FOLDER = Path("cache") / "crops"
"""Below the project's folder; may be deleted at any time, at the price of decoding again."""
VERSION = 1


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One labelled person of a clip, in the order of the file."""

    pose: Pose
    extra: LabelExtra


def mapped_clip(cuts: Cuts, folder: Path) -> tuple[list[Sample], str]:
    """Return every labelled person of a clip, cut out of its frames, and a note where the file could not be written.

    The same samples as `cut_clip` gives, but their images are read-only views of a file in `folder` that lies in the
    system's memory as far as there is room. The file is made where there is none for the same clip and boxes: labels
    may change without a frame being decoded again. Where it cannot be written (a full disk) memory keeps the images.
    """
    wanted = list(_in_order(cuts))
    if not wanted:
        return [], ""
    place = folder / f"{_prefix(cuts)}-{_key(cuts, wanted)}.crops"
    if not _complete(place):
        try:
            _write(place, cuts)
        except StorageError as error:
            return cut_clip(cuts), f"cut-out persons of clip {cuts.clip.id} are kept in memory: {error}"
    return _mapped(place, cuts, wanted), ""


def _in_order(cuts: Cuts) -> Iterator[_Wanted]:
    for frame in sorted(cuts.by_frame):
        for pose in cuts.by_frame[frame]:
            yield _Wanted(pose, cuts.extras.get((frame, pose.person), LabelExtra()))


def _prefix(cuts: Cuts) -> str:
    return hashlib.sha256(cuts.clip.id.encode()).hexdigest()[:12]


def _key(cuts: Cuts, wanted: Sequence[_Wanted]) -> str:
    """Return what is equal where the same pixels are cut out: the media, and every person's place and box."""
    digest = hashlib.sha256(f"{VERSION} {CUT_FACTOR} {CUT_LIMIT} {cuts.clip.path} {cuts.clip.sha256}".encode())
    for one in wanted:
        box = sample_box(one.pose, label_visibility(one.pose), one.extra)
        digest.update(f"{one.pose.frame} {one.pose.person} ".encode() + np.asarray(box, np.float32).tobytes())
    return digest.hexdigest()[:20]


def _index(place: Path) -> Path:
    return place.with_suffix(".json")


def _complete(place: Path) -> bool:
    try:
        index = read_json(_index(place))
        return index is not None and place.stat().st_size == index["bytes"]
    except (OSError, ValueError, KeyError):
        return False


def _write(place: Path, cuts: Cuts) -> None:
    """Decode a clip once and write its persons one after the other; raises `StorageError`, leaving nothing."""
    part = place.with_name(place.name + f".{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            rows, end = _streamed(file, cuts)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        why = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise StorageError(f"cannot write {place} ({why}): free space, or set calibrate.cache = 'memory'") from error
    write_json(_index(place), {"persons": rows, "bytes": end})
    for old in place.parent.glob(f"{_prefix(cuts)}-*"):
        if old.stem != place.stem and not old.name.endswith(".part"):
            with suppress(OSError):
                old.unlink()


def _streamed(file: Any, cuts: Cuts) -> tuple[list[list[int]], int]:
    """Write the crops and return (frame, person, first byte, height, width, height and width of the frame) of each."""
    rows: list[list[int]] = []
    end = 0
    with open_clip(cuts.clip) as reader:
        for number, image in reader.frames(first=min(cuts.by_frame), last=max(cuts.by_frame), step=1):
            for pose in cuts.by_frame.get(number, ()):
                extra = cuts.extras.get((number, pose.person), LabelExtra())
                crop = np.ascontiguousarray(cut_sample(image, pose, cuts.clip, extra).image)
                file.write(crop.data)
                rows.append([number, pose.person, end, *crop.shape[:2], *image.shape[:2]])
                end += crop.nbytes
    return rows, end


def _mapped(place: Path, cuts: Cuts, wanted: Sequence[_Wanted]) -> list[Sample]:
    index = read_json(_index(place)) or {"persons": []}
    known = {(row[0], row[1]): row[2:] for row in index["persons"]}
    pixels = np.memmap(place, dtype=np.uint8, mode="r")
    samples: list[Sample] = []
    for one in wanted:
        row = known.get((one.pose.frame, one.pose.person))
        # A frame that the file lists but cannot decode is in neither list.
        if row is not None:
            first, height, width, frame_height, frame_width = row
            image = np.asarray(pixels[first : first + 3 * height * width]).reshape(height, width, 3)
            sample = uncut_sample(image, one.pose, cuts.clip, one.extra)
            samples.append(replace(windowed(sample, (frame_height, frame_width)), image=image))
    return samples
