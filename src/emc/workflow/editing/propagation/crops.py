"""Grey crops of persons for optical flow, decoded ahead and kept while they are likely to be wanted again."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from emc.errors import EmcError
from emc.pose.records import Clip
from emc.stages.propagate import GreyCrop, crop_scale, grey_crop
from emc.stages.video import MediaReader
from emc.workflow.media import WatchedMedia, open_clip

KEPT_BYTES = 192 * 1024 * 1024
READERS = 2
_AROUND = 2
"""Frames to each side whose boxes a crop covers too: the point is looked for where the person goes."""

CropKey = tuple[str, int, int, float]


def _give_way() -> None:
    """Let this thread, and those of the decoders that it starts, run where nobody else wants to (Linux alone)."""
    if sys.platform == "linux":
        # Linux gives each thread a priority of its own; elsewhere this would slow the whole process down.
        with suppress(OSError):
            # Ten below what the process has: a fixed 10 would give no way in one that was itself started with `nice`.
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + 10, 19))


@dataclass(frozen=True, slots=True)
class PersonBoxes:
    """One person on some frames of a clip: frame -> (4,) xywh in pixels, frames ascending."""

    clip: Clip
    person: int
    boxes: Mapping[int, np.ndarray]

    def scale(self) -> float:
        """Return the shrinking of this person's crops."""
        return crop_scale(float(np.median([max(box[2], box[3]) for box in self.boxes.values()])))

    def around(self, frame: int) -> np.ndarray:
        """Return the box over the person's boxes on a frame and those beside it."""
        near = [self.boxes[f] for f in range(frame - _AROUND, frame + _AROUND + 1) if f in self.boxes]
        low = np.min([box[:2] for box in near], axis=0)
        high = np.max([box[:2] + box[2:] for box in near], axis=0)
        return np.concatenate([low, high - low])


class CropCache:
    """Crops by clip, person and frame; safe to use from several threads, readers serve one at a time."""

    def __init__(self) -> None:
        self._crops: OrderedDict[CropKey, GreyCrop] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._decoding = threading.Lock()
        self._readers: OrderedDict[str, MediaReader] = OrderedDict()
        self._watched: dict[str, WatchedMedia] = {}
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="emc-crops", initializer=_give_way)
        self._waiting: Future[None] | None = None
        self._turn = 0
        self._closed = False

    def crops(self, wanted: PersonBoxes, budget: float = 2.0) -> list[GreyCrop | None]:
        """Return a crop for each frame; None for those that could not be had within `budget` seconds, or at all."""
        scale = wanted.scale() if wanted.boxes else 1.0
        missing = self._missing(wanted, scale)
        if missing:
            # Somebody waits for these: what is decoded ahead gives way, and what it has done is kept.
            self._turn += 1
            self._decode(wanted, missing, scale, time.monotonic() + budget)
        with self._lock:
            return [self._crops.get((wanted.clip.id, wanted.person, frame, scale)) for frame in wanted.boxes]

    def warm(self, wanted: PersonBoxes, budget: float = 10.0) -> tuple[int, int]:
        """Begin to decode what is missing, in the background; returns how many crops there are, and how many wanted.

        A later call takes the place of one that still waits or decodes.
        """
        missing = len(self._missing(wanted, wanted.scale())) if wanted.boxes else 0
        if missing and not self._closed:
            if self._waiting is not None:
                self._waiting.cancel()
            self._turn += 1
            self._waiting = self._ahead.submit(self._fill, wanted, budget, self._turn)
        return len(wanted.boxes) - missing, len(wanted.boxes)

    def close(self) -> None:
        """Stop decoding and release the files; safe to call twice."""
        self._closed = True
        self._ahead.shutdown(wait=True, cancel_futures=True)
        with self._decoding:
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()

    def _fill(self, wanted: PersonBoxes, budget: float, turn: int) -> None:
        scale = wanted.scale()
        self._decode(wanted, self._missing(wanted, scale), scale, time.monotonic() + budget, turn)

    def _missing(self, wanted: PersonBoxes, scale: float) -> list[int]:
        with self._lock:
            for frame in wanted.boxes:
                key = (wanted.clip.id, wanted.person, frame, scale)
                if key in self._crops:
                    self._crops.move_to_end(key)
            return [f for f in wanted.boxes if (wanted.clip.id, wanted.person, f, scale) not in self._crops]

    def _decode(
        self, wanted: PersonBoxes, missing: Sequence[int], scale: float, until: float, turn: int | None = None
    ) -> None:
        """Decode what is missing; with a `turn`, only as long as nobody asks for anything else."""
        with self._decoding:
            left = set(self._missing(wanted, scale)) & set(missing)
            if not left or self._is_over(turn):
                return
            try:
                reader = self._reader(wanted.clip, min(left))
                for frame, image in reader.frames(first=min(left), last=max(left), step=1):
                    if frame in left:
                        self._keep(
                            (wanted.clip.id, wanted.person, frame, scale),
                            grey_crop(image, wanted.around(frame), scale),
                        )
                    if time.monotonic() > until or self._is_over(turn):
                        return
            except (EmcError, OSError):
                # Without pictures there is no flow; the smoother does without, and the page's own picture says why.
                return

    def _is_over(self, turn: int | None) -> bool:
        return self._closed or (turn is not None and turn != self._turn)

    def _reader(self, clip: Clip, frame: int) -> MediaReader:
        self._watched.setdefault(clip.id, WatchedMedia(clip)).check(frame)
        reader = self._readers.get(clip.id)
        if reader is None:
            reader = self._readers[clip.id] = open_clip(clip)
        self._readers.move_to_end(clip.id)
        while len(self._readers) > READERS:
            self._readers.popitem(last=False)[1].close()
        return reader

    def _keep(self, key: CropKey, crop: GreyCrop) -> None:
        with self._lock:
            if key not in self._crops:
                self._crops[key] = crop
                self._bytes += crop.image.nbytes
            while self._bytes > KEPT_BYTES and len(self._crops) > 1:
                self._bytes -= self._crops.popitem(last=False)[1].image.nbytes
