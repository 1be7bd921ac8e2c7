"""The prediction pipeline: spans, resuming, looking less often, and workers of a Ray cluster."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emc.config import Settings, read_settings
from emc.errors import StorageError
from emc.interfaces import Store
from emc.pose.records import Box, Clip, Prediction, Role
from emc.workflow.engine import in_engine
from emc.workflow.predict.confidence import ConfidenceByRole
from emc.workflow.predict.key import model_key
from emc.workflow.predict.runs import detect_and_predict, predict_clips, predict_run, start_run
from emc.workflow.predict.spans import Span, SpanPredictor, spans_of
from emc.workflow.progress import Silent
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project, open_project
from emc.workflow.samples.rendered import ClipRequest, render_file


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = str(tmp_path_factory.mktemp("clip"))
    return render_file(ClipRequest("walk", 5, 30, seconds=1.1, size=(160, 160), folder=folder)).video


@pytest.fixture
def store(tmp_path: Path, video: Path) -> Any:
    new_project(tmp_path / "p")
    with open_project(tmp_path / "p.emc") as opened:
        assert add_clips(opened, [video], Role.TARGET).failures == ()
        yield opened


def settings(**predict: Any) -> Settings:
    return read_settings(
        None, {}, predict={"estimator": "nano", "detector": "embedded", "threads": 1, "batch": 8} | predict
    )


def found(store: Store, run: str) -> dict[tuple[int, int], list[float]]:
    return {(p.frame, p.person): p.xy.ravel().tolist() for p in store.predictions(run)}


class Watched(Silent):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def start(self, task: str, total: int | None) -> None:
        self.said.append((task, total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.said.append((steps, note))


def test_spans_are_cut_at_the_same_frames_whatever_is_done() -> None:
    rows = [(frame, [Box(frame, (0, 0, 1, 1))] if frame % 2 else []) for frame in range(10)]
    whole = list(spans_of(rows, 0, size=4))
    assert [span.frames for span in whole] == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]
    assert [sorted(span.boxes) for span in whole] == [[1, 3], [5, 7], [9]]
    assert [span.upto for span in whole] == [4, 8, 10]
    assert list(spans_of(rows, 4, size=4)) == whole[1:]
    assert [span.frames for span in spans_of(rows, 6, size=4)] == [(6, 7), (8, 9)]
    assert list(spans_of(rows, 10, size=4)) == []


def test_a_clip_is_found_predicted_and_told_of(store: Store) -> None:
    progress = Watched()
    (done,) = predict_clips(store, store.clips(), settings(), None, progress)
    assert (done.frames, done.persons) == (30, 1)
    name = store.clips()[0].id
    assert progress.said[0] == (f"find persons {name}", 30)
    assert (f"predict {name}", 30) in progress.said
    steps, note = progress.said[-1]
    assert steps == 30
    assert note.endswith(" frames/s")


def test_several_calls_at_once_find_what_one_call_finds(store: Store) -> None:
    (one,) = predict_clips(store, store.clips(), settings(threads=1))
    (several,) = predict_clips(store, store.clips(), settings(threads=2), again=True)
    first, second = found(store, one.run), found(store, several.run)
    assert one.run != several.run
    assert first.keys() == second.keys()
    assert all(np.allclose(first[key], second[key], atol=1e-3, equal_nan=True) for key in first)


def test_looking_at_every_fifth_frame_finds_the_same_person_in_nearly_the_same_place(store: Store) -> None:
    (always,) = predict_clips(store, store.clips(), settings())
    (seldom,) = predict_clips(store, store.clips(), settings(detect_every=5))
    assert seldom.run != always.run
    first, second = found(store, always.run), found(store, seldom.run)
    assert first.keys() == second.keys()
    apart = [np.linalg.norm(np.subtract(first[key], second[key]).reshape(-1, 2), axis=1) for key in first]
    assert float(np.median(apart)) < 2.0


def test_an_interrupted_run_goes_on_where_it_stopped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emc.workflow.predict.spans.spans_of.__defaults__", (8,))
    wanted = settings()
    (whole,) = predict_clips(store, store.clips(), wanted)
    clip = store.clip(store.clips()[0].id)
    boxes = {p.frame: [Box(p.frame, tuple(map(float, p.box)), track=0)] for p in store.predictions(whole.run)}
    from emc.estimators.nano.estimator import NanoEstimator

    estimator = in_engine(NanoEstimator(), "auto")
    run = store.start_run(clip.id, "again", "coco17", {})
    failing = FullDisk(store, after=2)
    with pytest.raises(StorageError, match="disk is full"):
        predict_run(failing, run, clip, estimator, boxes, wanted, Silent())  # pyright: ignore[reportArgumentType]
    assert store.resume_frame(run.id) == 16
    progress = Watched()
    predict_run(store, run, clip, estimator, boxes, wanted, progress)
    assert progress.said[0] == (f"predict {clip.id}", 14)
    assert found(store, run.id) == found(store, whole.run)


class FullDisk:
    """A store whose disk is full after some writes."""

    def __init__(self, store: Store, after: int) -> None:
        self._store, self._left = store, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write_predictions(self, run: str, predictions: Sequence[Prediction], upto: int | None = None) -> None:
        if self._left == 0:
            raise StorageError("cannot write: the disk is full; free space and run the command again")
        self._left -= 1
        self._store.write_predictions(run, predictions, upto)


def test_boxes_that_were_found_are_not_looked_for_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    predict_clips(store, store.clips(), settings())

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("emc.workflow.predict.boxes.PersonFinder", refuse)
    progress = Watched()
    (done,) = predict_clips(store, store.clips(), settings(), None, progress, again=True)
    assert done.frames == 30
    assert progress.said[0][0].startswith("predict ")


@pytest.mark.slow
def test_workers_of_a_ray_cluster_find_the_same_though_one_is_killed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    from emc.estimators.nano.estimator import NanoEstimator
    from emc.executors.ray_cluster import RayExecutor

    monkeypatch.setattr("emc.workflow.predict.spans.spans_of.__defaults__", (4,))
    monkeypatch.setattr("emc.workflow.predict.runs.PART", 1)
    monkeypatch.setattr("emc.workflow.predict.runs.SpanPredictor", DyingPredictor.at(tmp_path / "died"))
    wanted = settings()
    (here,) = predict_clips(store, store.clips(), wanted)
    assert not (tmp_path / "died").exists()
    # The workers do not have the tests' folder on their path.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        clip, estimator = store.clip(store.clips()[0].id), NanoEstimator()
        run = start_run(store, clip, model_key(estimator), estimator, wanted, None, True)
        detect_and_predict(store, run, clip, estimator, wanted, Silent(), ConfidenceByRole(), RayExecutor(2))
    finally:
        ray.shutdown()
    assert (tmp_path / "died").exists()
    assert run.id != here.run
    assert found(store, run.id) == found(store, here.run)


class DyingPredictor(SpanPredictor):
    """Kills its process once, at frame 12; in the project's own process it never does."""

    mark: Path
    home: int

    @staticmethod
    def at(mark: Path) -> Any:
        def make(clip: Clip, *rest: Any) -> DyingPredictor:
            predictor = DyingPredictor(clip, *rest)
            predictor.mark, predictor.home = mark, os.getpid()
            return predictor

        return make

    def __call__(self, spans: Sequence[Span]) -> Any:
        if os.getpid() != self.home and spans[0].frames[0] == 12 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(spans)
