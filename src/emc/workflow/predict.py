"""clip -> frames -> boxes + tracks -> predictions -> alerts, resumable at every arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from emc import plugins
from emc.config import Settings
from emc.interfaces import Detector, Estimator, Progress, RunRecord, Store, Trainable
from emc.pose.records import Box, Clip
from emc.workflow.clips import image_names
from emc.workflow.compute import set_threads
from emc.workflow.frames import pictures, wanted_frames
from emc.workflow.progress import Silent
from emc.workflow.trust import Trust, read_trust

CHUNK = 64
"""Frames between two durable writes of a run: what a crash can make us predict again."""
BACKGROUND_FRAMES = 40


@dataclass(frozen=True, slots=True)
class Predicted:
    """What became of one clip: its run, and its alerts."""

    clip: str
    run: str
    model: str
    frames: int
    persons: int
    alerts: int
    lost: int
    low: int


def predict_clips(
    store: Store,
    clips: Sequence[Clip],
    settings: Settings,
    boxes_file: Path | None = None,
    progress: Progress | None = None,
    again: bool = False,
) -> list[Predicted]:
    """Predict clips with the estimator that the settings name, and find alerts.

    boxes_file : person boxes (COCO JSON or CSV) instead of the detector's. A clip that the same model has predicted
    with the same settings is not predicted twice unless `again`; an interrupted one goes on where it stopped.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    estimator: Estimator = plugins.estimator_for(settings.predict.estimator)
    model = model_key(estimator)
    trust = read_trust(store, model, settings.predict)
    done: list[Predicted] = []
    for clip in clips:
        given = file_boxes(boxes_file, clip) if boxes_file else None
        run = start_run(store, clip, model, estimator, settings, boxes_file, again)
        if not run.complete:
            boxes = given if given is not None else clip_boxes(store, clip, settings, progress)
            predict_run(store, run, clip, estimator, boxes, settings, progress, trust)
        done.append(find_run_alerts(store, run, clip, estimator, settings))
    return done


def model_key(estimator: Estimator) -> str:
    """Return a name that changes with the weights: the model's name and the start of their hash."""
    name = estimator.describe().name
    if not isinstance(estimator, Trainable):
        return name
    digest = hashlib.sha256()
    for key, tensor in sorted(estimator.module.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return f"{name}-{digest.hexdigest()[:12]}"


def start_run(
    store: Store,
    clip: Clip,
    model: str,
    estimator: Estimator,
    settings: Settings,
    boxes_file: Path | None,
    again: bool,
) -> RunRecord:
    """Return the run to work on: the complete one of the same model and settings, the unfinished one, or a new one."""
    wanted: dict[str, Any] = {
        "detector": f"file:{_digest(boxes_file)}" if boxes_file else settings.predict.detector,
        "frames": _sampling(settings),
        "max_persons": settings.predict.max_persons,
        "min_box_score": settings.predict.min_box_score,
    }
    same = [run for run in store.runs(clip.id) if run.model == model and dict(run.settings) == wanted and run.complete]
    if same and not again:
        return same[-1]
    return store.start_run(clip.id, model, estimator.skeleton.name, wanted)


def predict_run(
    store: Store,
    run: RunRecord,
    clip: Clip,
    estimator: Estimator,
    boxes: Mapping[int, Sequence[Box]],
    settings: Settings,
    progress: Progress,
    trust: Trust | None = None,
) -> None:
    """Predict what is left of a run and mark it complete; `trust` : the model's fitted confidence, if it has one."""
    from emc.stages.predict import predict_clip
    from emc.stages.video import open_media

    first = store.resume_frame(run.id)
    wanted = [frame for frame in wanted_frames(store, clip, settings.video) if frame >= first]
    progress.start(f"predict {clip.id}", len(wanted))
    with open_media(Path(clip.path)) as reader:
        results = predict_clip(
            pictures(reader, wanted), {k: list(v) for k, v in boxes.items()}, estimator, settings.predict.batch
        )
        for chunk in in_chunks(results, CHUNK):
            predictions = [prediction for _, found in chunk for prediction in found]
            if trust is not None:
                predictions = trust.apply(predictions, clip.role, estimator.skeleton)
            store.write_predictions(run.id, predictions, upto=chunk[-1][0] + 1)
            progress.advance(len(chunk))
    store.finish_run(run.id)
    progress.finish()


def find_run_alerts(store: Store, run: RunRecord, clip: Clip, estimator: Estimator, settings: Settings) -> Predicted:
    """Find the alerts of a complete run, store them, and say what came out."""
    from emc.stages.alerts import find_alerts

    alerts, frames = find_alerts(clip.id, store.predictions(run.id), settings.alerts, estimator.skeleton)
    store.write_alerts(run.id, alerts, frames)
    persons = len({prediction.person for prediction in store.predictions(run.id)})
    return Predicted(
        clip=clip.id,
        run=run.id,
        model=run.model,
        frames=len(frames),
        persons=persons,
        alerts=len(alerts),
        lost=sum(frame.lost for frame in frames),
        low=sum(frame.low for frame in frames),
    )


def clip_boxes(store: Store, clip: Clip, settings: Settings, progress: Progress) -> dict[int, list[Box]]:
    """Return tracked person boxes per frame from the detector; kept in the project, so that a resume finds them."""
    from emc.stages.track import keep_largest, track

    name = f"{clip.id}:{settings.predict.detector}:{settings.predict.min_box_score}:{_sampling(settings)}"
    stored = store.document("boxes", name)
    if stored is None:
        frames = wanted_frames(store, clip, settings.video)
        detector = detector_for(clip, frames, settings)
        found = track(detected_boxes(clip, frames, detector, settings, progress))
        stored = {"frames": {str(frame): [_pack(box) for box in boxes] for frame, boxes in found}}
        store.put_document("boxes", name, stored)
    unpacked = {int(frame): [_unpack(int(frame), row) for row in rows] for frame, rows in stored["frames"].items()}
    return dict(keep_largest(sorted(unpacked.items()), settings.predict.max_persons))


def detector_for(clip: Clip, frames: Sequence[int], settings: Settings) -> Detector:
    """Return the detector of the settings; one that can learn a clip's still background is shown frames of it."""
    detector: Detector = plugins.make_plugin("detectors", settings.predict.detector)
    with_background = getattr(detector, "with_background", None)
    if with_background is None:
        return detector
    from emc.stages.video import open_media

    step = max(1, len(frames) // BACKGROUND_FRAMES)
    with open_media(Path(clip.path)) as reader:
        return with_background([image for _, image in pictures(reader, frames[::step][:BACKGROUND_FRAMES])])


def detected_boxes(
    clip: Clip, frames: Sequence[int], detector: Detector, settings: Settings, progress: Progress
) -> Iterator[tuple[int, list[Box]]]:
    """Yield the detector's boxes frame by frame."""
    from emc.stages.video import open_media

    progress.start(f"find persons {clip.id}", len(frames))
    with open_media(Path(clip.path)) as reader:
        for chunk in in_chunks(pictures(reader, frames), 16):
            numbers = [number for number, _ in chunk]
            found = detector.detect([image for _, image in chunk], numbers)
            for number, boxes in zip(numbers, found, strict=True):
                yield number, [box for box in boxes if box.score >= settings.predict.min_box_score]
            progress.advance(len(chunk))
    progress.finish()


def file_boxes(path: Path, clip: Clip) -> dict[int, list[Box]]:
    """Return person boxes per frame from a COCO JSON or CSV file; untracked persons are tracked."""
    from emc.formats.boxes_csv import read_boxes
    from emc.stages.track import TrackSettings, track

    boxes = read_boxes(path, files=image_names(clip) if clip.kind == "images" else ())
    if all(box.track >= 0 for found in boxes.values() for box in found):
        return boxes
    # Whoever drew the boxes was sure of them: no score is too low.
    certain = TrackSettings(start_score=0.0, sure_score=0.0, min_hits=1)
    return dict(track(((frame, boxes.get(frame, [])) for frame in range(clip.frames)), certain))


def in_chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _sampling(settings: Settings) -> str:
    """Return what decides which frames are predicted, as a word."""
    video = settings.video
    value = {"every": video.every, "fps": video.fps, "uniform": video.count, "motion": video.count}[video.sample]
    return f"{video.sample}:{value}:{video.max_frames}"


def _pack(box: Box) -> list[float]:
    return [*(round(float(v), 3) for v in box.xywh), round(float(box.score), 4), box.track]


def _unpack(frame: int, row: Sequence[float]) -> Box:
    x, y, w, h, score, person = row
    return Box(frame, (x, y, w, h), score, int(person))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
