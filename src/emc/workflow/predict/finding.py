"""Persons on frames of a clip: a first look that tells a detector what kind of clip it is, then every frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from emc.config import PredictSettings
from emc.engines import compute_on
from emc.executors.local import ThreadExecutor
from emc.executors.prefetch import Prefetch
from emc.interfaces import ClipAdaptive, Detector
from emc.pose.records import Box, Clip
from emc.pose.shots import cuts_between, thumb_of
from emc.workflow.compute import set_threads
from emc.workflow.predict.calls import compute_threads, concurrent_calls
from emc.workflow.predict.concurrency import ConcurrencyControl
from emc.workflow.predict.spans import ClipWork, in_chunks

if TYPE_CHECKING:
    from emc.stages.video import MediaInfo

R = TypeVar("R")

LOOKS = 4
"""Pictures that a detector is given at a time, fewer where they are large."""
CALL_BYTES = 64 * 1024 * 1024
FIRST_LOOKS = 40
"""Frames, spread over a clip, from which a detector learns what kind of clip it is."""
FIRST_PART = 16
"""How many of them are shown before it is asked whether it has seen enough."""


@dataclass(frozen=True, slots=True)
class Look:
    """What looking at rising frames brought: their boxes, and which of them begin another shot.

    thumbs : of each frame, small pictures by which cuts are found (see `emc.pose.shots`), None where there is none.
    """

    rows: list[tuple[int, list[Box]]]
    cuts: list[int]
    thumbs: list[np.ndarray | None]


class PersonFinder(ClipWork):
    """Finds persons on frames of one clip; picklable as `SpanPredictor` is.

    A detector that says that several of its calls may run at once gets one call per core: each computes alone, and none
    waits for threads that other work keeps from running.
    """

    def __init__(
        self,
        clip: Clip,
        info: MediaInfo,
        detector: Detector,
        settings: PredictSettings,
        control: ConcurrencyControl | None = None,
    ) -> None:
        super().__init__(clip, info, settings)
        self._detector, self._control = detector, control or ConcurrencyControl()
        self._calls: ThreadExecutor | None = None
        self._thumbs: dict[int, np.ndarray] = {}

    def __call__(self, frames: Sequence[int]) -> Look:
        """Look at frames elsewhere than in the project's own process."""
        set_threads(self.settings)
        return self.look(frames)

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_calls": None}

    def look(self, frames: Sequence[int]) -> Look:
        """Return the boxes of the rising `frames`, and what tells where shots begin among them."""
        rows = self.find(frames)
        thumbs = [self._thumbs.pop(frame, None) for frame in frames]
        return Look(rows, [frame for frame, cut in zip(frames, cuts_between(thumbs), strict=True) if cut], thumbs)

    def find(self, frames: Sequence[int]) -> list[tuple[int, list[Box]]]:
        """Return the boxes of each of the rising `frames` that the detector trusts enough; frames decode ahead.

        What a first look has found is not looked for again.
        """
        known: Mapping[int, list[Box]] = getattr(self._detector, "observed", {})
        found = {frame: known[frame] for frame in frames if frame in known}
        left = [frame for frame in frames if frame not in known]
        for numbers, boxes in self._looked_at(left, self._detector.detect):
            found.update(zip(numbers, boxes, strict=True))
        # After the look and not in the detector: a first look keeps what it saw, and another threshold must not need
        # another look.
        least = self.settings.min_box_score
        return [(frame, [box for box in found[frame] if box.score >= least]) for frame in frames]

    def learn(self, frames: Sequence[int]) -> None:
        """Let a detector that can learn from frames of the whole clip look at some of the rising `frames` first."""
        detector = self._detector
        if not isinstance(detector, ClipAdaptive):
            return
        # Spread evenly over the clip: the beginning alone may be an empty scene, from which nothing is learned.
        count = min(FIRST_LOOKS, len(frames))
        shown = [frames[i * len(frames) // count] for i in range(count)]
        looks: list[Any] = []
        # Whole parts, each spread over the clip: how many looks it takes does not depend on how many are under way at
        # once. Of a short clip all frames are looked at anyhow.
        parts = math.ceil(len(shown) / FIRST_PART) if len(shown) < len(frames) else 1
        for part in (shown[first::parts] for first in range(parts)):
            looks += [look for _, some in self._looked_at(part, detector.observe) for look in some]
            if detector.enough(looks, len(shown)):
                break
        self._detector = detector.adapted(looks, len(shown))

    def close(self) -> None:
        """Close the clip and stop the calls; safe to call twice."""
        if self._calls is not None:
            self._calls.close()
            self._calls = None
        super().close()

    def _looked_at(
        self, frames: Sequence[int], look: Callable[[list[np.ndarray], list[int]], Sequence[R]]
    ) -> Generator[tuple[list[int], Sequence[R]]]:
        """Yield frame numbers and what `look` says of them, chunk by chunk, in order."""

        def call(chunk: list[tuple[int, np.ndarray]]) -> tuple[list[int], Sequence[R]]:
            numbers = [number for number, _ in chunk]
            self._thumbs.update((number, thumb_of(image)) for number, image in chunk)
            return numbers, look([image for _, image in chunk], numbers)

        def chunks(shots: Prefetch[tuple[int, np.ndarray]]) -> Iterator[list[tuple[int, np.ndarray]]]:
            for chunk in in_chunks(shots, size):
                self._control.raise_if_cancelled()
                yield chunk

        frame_bytes = 3 * self.info.width * self.info.height
        # By bytes: four frames of 4K are 100 MB before the network has begun, and every call under way holds its own.
        size = max(1, min(LOOKS, CALL_BYTES // max(frame_bytes, 1)))
        if not frames:
            return
        with (
            Prefetch(self.media().chosen(frames), (size // 2) * frame_bytes, lambda shot: shot[1].nbytes) as shots,
            closing(self._map(self._control.limited(call), chunks(shots))) as results,
        ):
            yield from results

    def _map(self, call: Callable[[Any], R], chunks: Iterator[Any]) -> Generator[R]:
        threads = compute_threads(self.settings)
        workers = concurrent_calls(self._detector, threads)
        if workers == 1:
            yield from map(call, chunks)
            return
        if self._calls is None:
            self._calls = ThreadExecutor(workers, spare=0, prepare=partial(compute_on, max(1, threads // workers)))
        yield from self._calls.map(call, chunks)
