"""clip -> frames -> boxes + tracks -> predictions -> alerts, resumable at every arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emc.config import PredictSettings, Settings
from emc.executors.prefetch import Prefetch, WriteBehind
from emc.interfaces import Estimator, Executor, Progress, RunRecord, Store
from emc.pose.label_frames import FrameRule
from emc.pose.records import Box, Clip
from emc.workflow.compute import set_threads
from emc.workflow.engine import in_engine
from emc.workflow.media import checked_clips, clip_shots, known_info
from emc.workflow.predict.boxes import clip_boxes, file_boxes, sampling_word
from emc.workflow.predict.calls import compute_threads
from emc.workflow.predict.concurrency import ConcurrencyControl, cancelling
from emc.workflow.predict.confidence import ConfidenceByRole, read_confidence
from emc.workflow.predict.found import Predicted, find_run_alerts
from emc.workflow.predict.frames import wanted_frames
from emc.workflow.predict.key import model_key
from emc.workflow.predict.spans import PART, PredictedSpan, Span, SpanPredictor, in_chunks, spans_of
from emc.workflow.predict.writer import PredictionWriter, PreparationProgress
from emc.workflow.progress import Silent
from emc.workflow.project import estimator_in, keep_models, with_models

if TYPE_CHECKING:
    from emc.stages.video import MediaInfo

BOXES_AHEAD = 512
"""Frames whose boxes are known before they are predicted."""
WAITING = 4
"""Predicted spans that wait to be stored."""


def predict_clips(
    store: Store,
    clips: Sequence[Clip],
    settings: Settings,
    boxes_file: Path | None = None,
    progress: Progress | None = None,
    again: bool = False,
    frame_rule: FrameRule | None = None,
) -> list[Predicted]:
    """Predict clips with the estimator that the settings name, and find alerts.

    boxes_file : person boxes (COCO JSON or CSV) instead of the detector's; frame_rule : what the user says of the
    frames in it. A clip that the same model has predicted
    with the same settings is not predicted twice unless `again`; an interrupted one goes on where it stopped.
    """
    progress = progress or Silent()
    clips = checked_clips(store, clips)
    set_threads(settings.predict)
    settings = with_models(store, settings, progress)
    estimator = estimator_in(store, settings.predict.estimator)
    model = model_key(estimator)
    keep_models(store, settings.predict)
    confidence = read_confidence(store, model, settings.predict)
    estimator = in_engine(estimator, settings.predict.engine, told=progress.say)
    done: list[Predicted] = []
    with executor_of(settings.predict) as executor:
        for clip in clips:
            shots = partial(clip_shots, store, clip)
            given = file_boxes(boxes_file, clip, frame_rule, progress, shots) if boxes_file else None
            run = start_run(store, clip, model, estimator, settings, boxes_file, again, frame_rule)
            if run.complete:
                pass
            elif given is not None:
                predict_run(store, run, clip, estimator, given, settings, progress, confidence, executor)
            else:
                detect_and_predict(store, run, clip, estimator, settings, progress, confidence, executor)
            done.append(find_run_alerts(store, run, clip, estimator, settings))
    return done


def start_run(
    store: Store,
    clip: Clip,
    model: str,
    estimator: Estimator,
    settings: Settings,
    boxes_file: Path | None,
    again: bool,
    frame_rule: FrameRule | None = None,
) -> RunRecord:
    """Return the run to work on: the complete one of the same model and settings, the unfinished one, or a new one."""
    wanted: dict[str, Any] = {
        "detector": f"file:{_digest(boxes_file)}" if boxes_file else settings.predict.detector,
        "frames": sampling_word(settings, clip),
        "max_persons": settings.predict.max_persons,
        "min_box_score": settings.predict.min_box_score,
    }
    if boxes_file and frame_rule is not None and frame_rule != FrameRule():
        wanted["box_frames"] = f"{frame_rule.by}:{frame_rule.first}"
    if not boxes_file and settings.predict.detect_every > 1:
        wanted["detect_every"] = settings.predict.detect_every
    if clip.accepted:
        wanted["media"] = clip.accepted
    if not boxes_file and settings.predict.doubles != "merge":
        wanted["doubles"] = settings.predict.doubles
    if clip.film:
        wanted["film"] = True
    # Compared after the read of old names, by value: a key that is left out where it has its default keeps runs of
    # earlier versions valid when a setting is added.
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
    confidence: ConfidenceByRole | None = None,
    executor: Executor | None = None,
) -> None:
    """Predict what is left of a run in given boxes and mark it complete.

    confidence : the model's fitted confidence, if it has one. executor : where to predict (None: in this process).
    """
    frames = wanted_frames(store, clip, settings.video)
    rows = ((frame, boxes.get(frame, ())) for frame in frames)
    writer = PredictionWriter(store, run, clip, estimator, confidence, progress, frames)
    predict_rows(writer, rows, known_info(clip, settings.video.max_pixels), settings, executor)


def detect_and_predict(
    store: Store,
    run: RunRecord,
    clip: Clip,
    estimator: Estimator,
    settings: Settings,
    progress: Progress,
    confidence: ConfidenceByRole,
    executor: Executor | None,
) -> None:
    """Find persons and predict what is left of a run, both at the same time where a clip is long."""
    info, before = known_info(clip, settings.video.max_pixels), PreparationProgress(progress)
    control = ConcurrencyControl(compute_threads(settings.predict))
    frames = wanted_frames(store, clip, settings.video)
    doubles = settings.predict.doubles == "merge" and not clip.still
    found = clip_boxes(store, clip, settings, info, executor, before, control)
    writer = PredictionWriter(store, run, clip, estimator, confidence, progress, frames)
    if executor is not None:
        # Workers that look for persons would keep those that predict from starting: one after the other.
        predict_rows(writer, list(found), info, settings, executor, found=True, doubles=doubles)
        return
    with Prefetch(found, BOXES_AHEAD) as rows, cancelling(control):
        # One row before the bar of the prediction begins: until it is there the detector's own first look is what the
        # user waits for.
        first = list(islice(rows, 1))
        before.mute()
        predict_rows(writer, chain(first, rows), info, settings, None, control, True, doubles)


def predict_rows(
    writer: PredictionWriter,
    rows: Iterable[tuple[int, Sequence[Box]]],
    info: MediaInfo,
    settings: Settings,
    executor: Executor | None,
    control: ConcurrencyControl | None = None,
    found: bool = False,
    doubles: bool = False,
) -> None:
    """Predict frames with their boxes, store what comes while the next are predicted, and mark the run complete.

    control : shared with the threads that make the rows; it is cancelled when this ends early. found : whether the
    persons were looked for again; doubles : whether boxes may follow one person twice: see `PredictionWriter.finish`.
    """
    spans = spans_of(rows, writer.begin())
    predictor = SpanPredictor(writer.clip, info, writer.estimator, settings.predict, control)
    results = _results(predictor, spans, executor)
    # In this order the writer ends first, with all that was handed over stored, before the threads that feed it are
    # stopped.
    with closing(predictor), closing(results), WriteBehind(writer.write, WAITING) as behind:
        for done in results:
            behind.put(done)
    writer.finish(doubles, found)


def _results(predictor: SpanPredictor, spans: Iterator[Span], executor: Executor | None) -> Generator[PredictedSpan]:
    if executor is None:
        yield from predictor.stream(spans)
        return
    for part in executor.map(predictor, in_chunks(spans, PART)):
        yield from part


@contextmanager
def executor_of(settings: PredictSettings) -> Iterator[Executor | None]:
    """Yield where the settings say to predict, None for this process; raises `PluginError` where Ray is missing."""
    if settings.executor == "local":
        yield None
        return
    from emc.executors.ray_cluster import RayExecutor

    executor = RayExecutor(settings.workers)
    try:
        yield executor
    finally:
        executor.close()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
