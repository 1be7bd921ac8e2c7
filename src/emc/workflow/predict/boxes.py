"""The boxes that a clip is predicted in: the detector's, tracked, or those of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emc.plugins as plugins
from emc.config import Settings
from emc.interfaces import Detector, Executor, Progress, Store
from emc.pose.label_frames import FrameRule
from emc.pose.records import Box, Clip
from emc.workflow.predict.concurrency import ConcurrencyControl
from emc.workflow.predict.finding import PersonFinder
from emc.workflow.predict.frames import wanted_frames
from emc.workflow.predict.spans import in_chunks
from emc.workflow.project import clip_frames

if TYPE_CHECKING:
    from emc.stages.video import MediaInfo

BLOCK = 128
"""Looks of the detector between two durable writes: what a crash can make us look at again."""
KIND = "boxes"
"""Kind of the project's documents that hold what the detector found, block by block."""


def clip_boxes(
    store: Store,
    clip: Clip,
    settings: Settings,
    info: MediaInfo,
    executor: Executor | None,
    progress: Progress,
    control: ConcurrencyControl,
) -> Iterator[tuple[int, list[Box]]]:
    """Yield the frames to predict with their tracked boxes; what the detector found is kept, so that a resume has it.

    The detector looks at every `predict.detect_every`-th frame; on those between, boxes move on straight lines. A
    long clip is tracked stretch by stretch, so that its first frames come before its last ones are looked at.
    `control` ends the search from another thread.
    """
    from emc.stages.predict import detection_frames, filled_between, tracked_by_stretches
    from emc.stages.track import keep_largest, track

    frames = wanted_frames(store, clip, settings.video)
    chosen = detection_frames(frames, settings.predict.detect_every)

    def tracker(rows: Iterable[tuple[int, list[Box]]]) -> Iterator[tuple[int, list[Box]]]:
        return keep_largest(track(rows), settings.predict.max_persons)

    found = found_boxes(store, clip, chosen, settings, info, executor, progress, control)
    return filled_between(tracked_by_stretches(found, tracker), frames)


def found_boxes(
    store: Store,
    clip: Clip,
    frames: Sequence[int],
    settings: Settings,
    info: MediaInfo,
    executor: Executor | None,
    progress: Progress,
    control: ConcurrencyControl,
) -> Iterator[tuple[int, list[Box]]]:
    """Yield the detector's boxes of `frames`, from the project where they were found before; they are not tracked."""
    name = f"{clip.id}:{settings.predict.detector}:{settings.predict.min_box_score}:{sampling_word(settings)}"
    name += f":every{settings.predict.detect_every}" + (f":{clip.accepted}" if clip.accepted else "")
    blocks = list(in_chunks(frames, BLOCK))
    known = 0
    while known < len(blocks) and (document := store.document(KIND, f"{name}:{known}")) is not None:
        yield from _unpacked(document)
        known += 1
    if known == len(blocks):
        return
    left = blocks[known:]
    detector: Detector = plugins.detector_for(settings.predict.detector)
    progress.start(f"find persons {clip.id}", sum(len(block) for block in left))
    with closing(PersonFinder(clip, info, detector, settings.predict, control)) as finder:
        finder.learn(frames)
        results = map(finder.find, left) if executor is None else executor.map(finder, left)
        for number, rows in enumerate(results, known):
            stored = {"frames": {str(frame): [_pack(box) for box in boxes] for frame, boxes in rows}}
            store.put_document(KIND, f"{name}:{number}", stored)
            progress.advance(len(rows))
            # As they are read after an interruption: numbers are rounded when they are stored.
            yield from _unpacked(stored)
    progress.finish()


def file_boxes(
    path: Path, clip: Clip, rule: FrameRule | None = None, progress: Progress | None = None
) -> dict[int, list[Box]]:
    """Return person boxes per frame from a COCO JSON or CSV file; untracked persons are tracked.

    rule : what the user says of the frames in the file; how they were found is told to `progress`.
    Where a tracked person is missing on frames of a video, its box is interpolated. Images need not be frames of one
    film: on each there are the boxes of the file, and no others.
    """
    from emc.formats.poses.boxes_csv import read_boxes
    from emc.stages.track import TrackSettings, track

    read = read_boxes(path, clip_frames(clip), rule)
    if progress is not None:
        progress.say(f"boxes of {path.name} on {clip.id}: {'; '.join(read.said)}")
    boxes = read.boxes
    if all(box.track >= 0 for found in boxes.values() for box in found):
        return boxes
    # Whoever drew the boxes was sure of them: no score is too low.
    certain = TrackSettings(start_score=0.0, sure_score=0.0, min_hits=1, reunite=False)
    tracked = dict(track(((frame, boxes.get(frame, [])) for frame in range(clip.frames)), certain))
    if clip.kind != "images":
        return tracked
    given = {frame: {box.xywh for box in found} for frame, found in boxes.items()}
    return {frame: [box for box in found if box.xywh in given.get(frame, ())] for frame, found in tracked.items()}


def sampling_word(settings: Settings) -> str:
    """Return what decides which frames are predicted, as a word."""
    video = settings.video
    value = {"every": video.every, "fps": video.fps, "uniform": video.count, "motion": video.count}[video.sample]
    return f"{video.sample}:{value}:{video.max_frames}"


def _unpacked(document: dict[str, Any]) -> Iterator[tuple[int, list[Box]]]:
    for frame, rows in sorted((int(key), rows) for key, rows in document["frames"].items()):
        yield frame, [_unpack(frame, row) for row in rows]


def _pack(box: Box) -> list[float]:
    return [*(round(float(v), 3) for v in box.xywh), round(float(box.score), 4)]


def _unpack(frame: int, row: Sequence[float]) -> Box:
    x, y, w, h, score = row[:5]
    return Box(frame, (x, y, w, h), score)
