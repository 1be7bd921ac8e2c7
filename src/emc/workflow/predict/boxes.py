"""The boxes that a clip is predicted in: the detector's, tracked, or those of a file."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.interfaces import Detector, Executor, Progress, Store
from emc.pose.label_frames import FrameRule
from emc.pose.records import Box, Clip
from emc.pose.shots import THUMB, is_cut
from emc.workflow.engine import in_engine
from emc.workflow.media import keep_shots
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
    long clip is tracked stretch by stretch, so that its first frames come before its last ones are looked at. A cut
    ends every track; pictures without a rate are tracked one by one.
    `control` ends the search from another thread.
    """
    from emc.stages.predict import detection_frames, filled_between, tracked_by_shots, tracked_by_stretches
    from emc.stages.track import keep_largest, track

    frames = wanted_frames(store, clip, settings.video)
    chosen = detection_frames(frames, settings.predict.detect_every)

    cuts: set[int] = set(range(1, clip.frames)) if clip.still else set()

    def persons(rows: Iterable[tuple[int, list[Box]]]) -> Iterator[tuple[int, list[Box]]]:
        return keep_largest(track(rows), settings.predict.max_persons)

    def tracker(rows: Iterable[tuple[int, list[Box]]]) -> Iterator[tuple[int, list[Box]]]:
        return tracked_by_shots(rows, cuts, persons)

    found = found_boxes(store, clip, chosen, settings, info, executor, progress, control, cuts)
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
    cuts: set[int],
) -> Iterator[tuple[int, list[Box]]]:
    """Yield the detector's boxes of `frames`, from the project where they were found before; they are not tracked.

    A frame that begins another shot is put into `cuts` before it is yielded.
    """
    name = f"{clip.id}:{settings.predict.detector}:{settings.predict.min_box_score}:{sampling_word(settings, clip)}"
    name += f":every{settings.predict.detect_every}:shots" + (f":{clip.accepted}" if clip.accepted else "")
    blocks = list(in_chunks(frames, BLOCK))
    known = 0
    edge: np.ndarray | None = None
    while known < len(blocks) and (document := store.document(KIND, f"{name}:{known}")) is not None:
        edge = _shots_of(document, edge, cuts)
        yield from _unpacked(document)
        known += 1
    if known == len(blocks):
        return
    left = blocks[known:]
    chosen: Detector = plugins.detector_for(settings.predict.detector)
    detector = in_engine(chosen, settings.predict.engine, told=progress.say)
    progress.start(f"find persons {clip.id}", sum(len(block) for block in left))
    with closing(PersonFinder(clip, info, detector, settings.predict, control)) as finder:
        finder.learn(frames)
        results = map(finder.look, left) if executor is None else executor.map(finder, left)
        for number, look in enumerate(results, known):
            stored = {
                "frames": {str(frame): [_pack(box) for box in boxes] for frame, boxes in look.rows},
                "cuts": look.cuts,
                "edges": [None if t is None else t.tobytes().hex() for t in (look.thumbs[0], look.thumbs[-1])],
            }
            store.put_document(KIND, f"{name}:{number}", stored)
            progress.advance(len(look.rows))
            edge = _shots_of(stored, edge, cuts)
            # As they are read after an interruption: numbers are rounded when they are stored.
            yield from _unpacked(stored)
    progress.finish()
    if len(frames) == clip.frames and not clip.still:
        keep_shots(store, clip, sorted(cuts))


def file_boxes(
    path: Path,
    clip: Clip,
    rule: FrameRule | None = None,
    progress: Progress | None = None,
    cuts: Callable[[], Container[int]] = frozenset,
) -> dict[int, list[Box]]:
    """Return person boxes per frame from a COCO JSON or CSV file; untracked persons are tracked, never over a cut.

    rule : what the user says of the frames in the file; how they were found is told to `progress`.
    cuts : gives the frames that begin another shot, called where persons must be tracked. Where a tracked person is
    missing on frames of a film, its box is interpolated. Images without a rate stand alone: on each there are the
    boxes of the file, and no others.
    """
    from emc.formats.poses.boxes_csv import read_boxes
    from emc.stages.predict import tracked_by_shots
    from emc.stages.track import TrackSettings, track

    read = read_boxes(path, clip_frames(clip), rule)
    if progress is not None:
        progress.say(f"boxes of {path.name} on {clip.id}: {'; '.join(read.said)}")
    boxes = read.boxes
    if all(box.track >= 0 for found in boxes.values() for box in found):
        return boxes
    # Whoever drew the boxes was sure of them: no score is too low.
    certain = TrackSettings(start_score=0.0, sure_score=0.0, min_hits=1, reunite=False)
    rows = ((frame, boxes.get(frame, [])) for frame in range(clip.frames))
    begins = range(1, clip.frames) if clip.still else cuts()
    return dict(tracked_by_shots(rows, begins, lambda shot: track(shot, certain)))


def _shots_of(document: dict[str, Any], before: np.ndarray | None, cuts: set[int]) -> np.ndarray | None:
    """Put the frames of a block that begin a shot into `cuts`, and return its last thumb; `before`: that before it."""
    first, last = (
        None if edge is None else np.frombuffer(bytes.fromhex(edge), np.uint8).reshape(THUMB[::-1])
        for edge in document["edges"]
    )
    cuts.update(int(frame) for frame in document["cuts"])
    if before is not None and first is not None and is_cut(before, first):
        cuts.add(min(int(frame) for frame in document["frames"]))
    return last


def sampling_word(settings: Settings, clip: Clip) -> str:
    """Return what decides which frames of a clip are predicted, as a word."""
    video = settings.video
    value = {"every": video.every, "fps": video.fps, "uniform": video.count, "motion": video.count}[video.sample]
    told = f"of{clip.fps:g}" if video.sample == "fps" and (clip.file_fps or clip.film) else ""
    return f"{video.sample}:{value}{told}:{video.max_frames}"


def _unpacked(document: dict[str, Any]) -> Iterator[tuple[int, list[Box]]]:
    for frame, rows in sorted((int(key), rows) for key, rows in document["frames"].items()):
        yield frame, [_unpack(frame, row) for row in rows]


def _pack(box: Box) -> list[float]:
    return [*(round(float(v), 3) for v in box.xywh), round(float(box.score), 4)]


def _unpack(frame: int, row: Sequence[float]) -> Box:
    x, y, w, h, score = row[:5]
    return Box(frame, (x, y, w, h), score)
