"""Spans of a clip, the unit that is predicted, stored and sent to other machines: the same wherever it runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from emc.config import PredictSettings
from emc.engines import compute_on
from emc.executors.local import ThreadExecutor
from emc.executors.prefetch import Prefetch
from emc.interfaces import Estimator
from emc.pose.records import Box, Clip, Prediction
from emc.workflow.compute import set_threads
from emc.workflow.predict.calls import compute_threads, concurrent_calls, decoders, persons_at_once, to_gpu
from emc.workflow.predict.concurrency import ConcurrencyControl
from emc.workflow.predict.parts import area_read, in_parts, inside, put_back, reach_of

if TYPE_CHECKING:
    from emc.stages.predict import Call, CallMap
    from emc.stages.video import Area, MediaInfo, MediaReader

T = TypeVar("T")

SPAN = 64
"""Frames between two durable writes of a run: what a crash can make us predict again."""
PART = 4
"""Spans that a worker of a cluster is given at a time: seeking to the first frame costs up to a second of decoding."""
AHEAD_BYTES = 16 * 1024 * 1024
"""Decoded pictures that wait for the network."""


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring frames of a clip, rising, and the boxes of those that have persons."""

    frames: tuple[int, ...]
    boxes: dict[int, list[Box]]

    @property
    def upto(self) -> int:
        """The frame after the last one: where a run goes on when this span is stored."""
        return self.frames[-1] + 1

    @property
    def last_seen(self) -> int | None:
        """The last frame with persons, None where there is none."""
        return max(self.boxes, default=None)


@dataclass(frozen=True, slots=True)
class PredictedSpan:
    """A span that is predicted: how many frames it had, where the run goes on, and what was found."""

    frames: int
    upto: int
    predictions: list[Prediction]

    @classmethod
    def of(cls, span: Span, predictions: list[Prediction]) -> PredictedSpan:
        """Return the result of a span."""
        return cls(len(span.frames), span.upto, predictions)


def spans_of(rows: Iterable[tuple[int, Sequence[Box]]], done_below: int, size: int = SPAN) -> Iterator[Span]:
    """Cut frames with their boxes into spans of `size`, leaving out those that end below the frame `done_below`.

    The cuts are the same however much of the clip is done: a run that goes on predicts the batches that an
    uninterrupted one would have.
    """
    for chunk in in_chunks(rows, size):
        # Whole spans from the clip's start, the finished ones dropped: cut from the resume point on, batches would hold
        # other persons together, and last digits would differ from an uninterrupted run.
        if chunk[-1][0] >= done_below:
            left = [(frame, boxes) for frame, boxes in chunk if frame >= done_below]
            yield Span(tuple(frame for frame, _ in left), {frame: list(boxes) for frame, boxes in left if boxes})


@dataclass(frozen=True, slots=True)
class FrameCrop:
    """What of a frame's picture is read, and which area of it that is."""

    frame: int
    image: np.ndarray
    area: Area


Step = tuple[Span, FrameCrop | None]
"""The start of a span (None), or one of its pictures."""


class ClipWork:
    """Opens a clip when it is first needed, and again on another machine; one thread at a time."""

    def __init__(self, clip: Clip, info: MediaInfo, settings: PredictSettings) -> None:
        self._path, self.info, self.settings = Path(clip.path), info, settings
        self._opened: MediaReader | None = None

    def close(self) -> None:
        """Close the clip; safe to call twice."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def media(self) -> MediaReader:
        """Return the clip, opened."""
        from emc.stages.video import open_media

        if self._opened is None:
            self._opened = open_media(self._path, self.info, decoders(compute_threads(self.settings)))
        return self._opened


class SpanPredictor(ClipWork):
    """Predicts spans of one clip; picklable, so that it can run in other processes and on other machines."""

    def __init__(
        self,
        clip: Clip,
        info: MediaInfo,
        estimator: Estimator,
        settings: PredictSettings,
        control: ConcurrencyControl | None = None,
    ) -> None:
        super().__init__(clip, info, settings)
        self._estimator, self._control = estimator, control or ConcurrencyControl()

    def __call__(self, spans: Sequence[Span]) -> list[PredictedSpan]:
        """Predict spans that follow each other, elsewhere than in the project's own process."""
        set_threads(self.settings)
        return list(self.stream(spans))

    def stream(self, spans: Iterable[Span]) -> Iterator[PredictedSpan]:
        """Yield each span predicted: frames are decoded ahead, calls that may run side by side do."""
        # Here, and not where the predictor is made: it is pickled for other machines, and tensors on a GPU do not
        # travel.
        to_gpu(self._estimator)
        threads = compute_threads(self.settings)
        workers = concurrent_calls(self._estimator, threads)
        prepare = partial(compute_on, max(1, threads // workers))
        executor = ThreadExecutor(workers, spare=1, prepare=prepare) if workers > 1 else None
        try:
            # By bytes: frames of 4K are 25 MB each, of 320 x 240 a quarter of one, and a number of frames that keeps
            # the network fed for the one fills the memory with the other.
            with Prefetch(self._decoded(spans), AHEAD_BYTES, _bytes) as steps:
                try:
                    yield from self._predicted(steps, partial(self._limited, map if executor is None else executor.map))
                finally:
                    # The thread that decodes may wait for boxes: whoever looks for them need not go on.
                    self._control.cancel()
        finally:
            if executor is not None:
                executor.close()
                set_threads(self.settings)

    def _limited(
        self, run: CallMap, call: Callable[[Call], list[Prediction]], calls: Iterable[Call]
    ) -> Iterator[list[Prediction]]:
        return run(self._control.limited(call), calls)

    def _predicted(self, steps: Iterable[Step], call_map: CallMap) -> Iterator[PredictedSpan]:
        """Yield spans as their last persons are predicted; calls never mix spans, and never wait for one to end."""
        from emc.stages.predict import predict_clip

        under_way: deque[Span] = deque()
        areas: dict[int, Area] = {}

        def frames() -> Iterator[tuple[int, np.ndarray]]:
            for span, shot in steps:
                if shot is None:
                    under_way.append(span)
                else:
                    areas[shot.frame] = shot.area
                    yield shot.frame, shot.image

        def boxes(frame: int) -> Sequence[Box]:
            own = under_way[-1].boxes[frame]
            return own if reader is not None else inside(own, areas[frame])

        reader = in_parts(self._estimator, areas, self.info)
        found: list[Prediction] = []
        results = predict_clip(
            frames(),
            boxes,
            reader or self._estimator,
            persons_at_once(self._estimator, self.settings.batch),
            call_map,
            ends=lambda frame: frame == under_way[-1].last_seen,
        )
        for frame, predictions in results:
            while under_way[0].last_seen is None:
                yield PredictedSpan.of(under_way.popleft(), [])
            area = areas.pop(frame)
            found += predictions if reader else put_back(predictions, under_way[0].boxes[frame], area)
            if frame == under_way[0].last_seen:
                yield PredictedSpan.of(under_way.popleft(), found)
                found = []
        for span in under_way:
            yield PredictedSpan.of(span, [])

    def _decoded(self, spans: Iterable[Span]) -> Iterator[Step]:
        """Yield the start of each span, then what is read of its pictures: of a frame without persons nothing."""
        reach = reach_of(self._estimator)
        for span in spans:
            yield span, None
            areas = {f: area_read(span.boxes[f], reach, self.info) for f in span.frames if f in span.boxes}
            for frame, image in self.media().parts(areas.items()):
                yield span, FrameCrop(frame, image, areas[frame])


def in_chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _bytes(step: Step) -> float:
    return 0.0 if step[1] is None else float(step[1].image.nbytes)
