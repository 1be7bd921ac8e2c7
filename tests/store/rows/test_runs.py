"""Prediction runs: writing, reading, resuming."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import emc.store.rows.runs as run_rows
from emc.errors import UsageError
from emc.pose.records import Prediction
from emc.store.sql import SqlStore


@pytest.fixture
def run(store: SqlStore) -> str:
    return store.start_run("kick", "nano", "tiny", {"batch": 32}).id


def frames_of(store: SqlStore, run: str, *span: int) -> list[tuple[int, int]]:
    return [(p.frame, p.person) for p in store.predictions(run, *span)]


def test_a_run_record(store: SqlStore) -> None:
    run = store.start_run("kick", "nano", "tiny", {"batch": 32, "threads": np.int64(2)})
    assert (run.clip, run.model, run.skeleton, run.complete) == ("kick", "nano", "tiny", False)
    assert run.settings == {"batch": 32, "threads": 2}
    assert store.runs("kick") == store.runs() == [run]
    store.finish_run(run.id)
    assert store.runs() == [dataclasses.replace(run, complete=True)]


def test_predictions_come_back_bit_exact(store: SqlStore, run: str) -> None:
    rng = np.random.default_rng(0)
    there = [
        Prediction(
            frame,
            person,
            np.where(rng.random((17, 1)) < 0.3, np.nan, rng.normal(size=(17, 2))).astype(np.float32),
            rng.random(17, np.float32),
            rng.random(17, np.float32),
            rng.random(4, np.float32),
            rng.random((17, 5), np.float32),
        )
        for frame in range(4)
        for person in (-1, 0, 3)
    ]
    store.write_predictions(run, there[::-1])
    back = list(store.predictions(run))
    assert [(p.frame, p.person) for p in back] == [(p.frame, p.person) for p in there]
    for one, other in zip(back, there, strict=True):
        for name in ("xy", "score", "confidence", "box", "features"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_a_range_is_inclusive(store: SqlStore, run: str, predicted) -> None:
    store.write_predictions(run, [predicted(frame, person) for frame in (0, 2, 4) for person in (0, 1)])
    assert frames_of(store, run, 2, 2) == [(2, 0), (2, 1)]
    assert frames_of(store, run, 1, 4) == [(2, 0), (2, 1), (4, 0), (4, 1)]
    assert frames_of(store, run, 5) == []


def test_long_reads_go_page_by_page(store: SqlStore, run: str, predicted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_rows, "PAGE", 4)
    keys = [(frame, person) for frame in range(6) for person in range(2)]
    store.write_predictions(run, [predicted(*key) for key in keys])
    assert frames_of(store, run) == keys
    assert frames_of(store, run, 1, 4) == keys[2:10]
    store.finish_run(run)
    assert [(p.frame, p.person) for p in store.poses("kick")] == keys


def test_writing_while_reading(store: SqlStore, run: str, predicted) -> None:
    store.write_predictions(run, [predicted(0), predicted(1)])
    reading = store.predictions(run)
    assert next(reading).frame == 0
    store.write_predictions(run, [predicted(2)])
    assert next(reading).frame == 1


def test_the_same_frame_and_person_is_replaced(store: SqlStore, run: str, predicted) -> None:
    store.write_predictions(run, [predicted(0, x=1), predicted(1, x=1)])
    store.write_predictions(run, [predicted(1, x=9)])
    assert [p.xy[0, 0] for p in store.predictions(run)] == [1, 9]


def test_two_of_one_person_on_a_frame_are_refused_and_nothing_is_written(store: SqlStore, run: str, predicted) -> None:
    with pytest.raises(UsageError, match="two predictions of person -1 on frame 3"):
        store.write_predictions(run, [predicted(2), predicted(3, -1), predicted(3, -1)], upto=4)
    assert frames_of(store, run) == []
    assert store.resume_frame(run) == 0


def test_resume(store: SqlStore, run: str, predicted) -> None:
    assert store.resume_frame(run) == 0
    store.write_predictions(run, [predicted(0), predicted(1)], upto=2)
    store.write_predictions(run, [], upto=3)
    store.write_predictions(run, [predicted(3), predicted(4, 5)], upto=4)
    store.write_predictions(run, [], upto=1)
    assert store.resume_frame(run) == 4
    again = store.start_run("kick", "nano", "tiny", {"batch": 32})
    assert (again.id, again.complete) == (run, False)
    assert frames_of(store, run) == [(0, 0), (1, 0), (3, 0)], "what lies beyond the resume point is predicted again"


@pytest.mark.parametrize(
    "other",
    [("kick", "big", "tiny", {"batch": 32}), ("kick", "nano", "coco17", {"batch": 32}), ("kick", "nano", "tiny", {})],
)
def test_another_model_skeleton_or_setting_is_another_run(store: SqlStore, run: str, other) -> None:
    assert store.start_run(*other).id != run
    assert len(store.runs()) == 2


def test_the_order_of_settings_does_not_matter(store: SqlStore) -> None:
    first = store.start_run("kick", "nano", "tiny", {"a": 1, "b": {"c": 2, "d": 3}})
    assert store.start_run("kick", "nano", "tiny", {"b": {"d": 3, "c": 2}, "a": 1}).id == first.id


def test_a_complete_run_is_not_resumed(store: SqlStore, run: str) -> None:
    store.finish_run(run)
    assert store.start_run("kick", "nano", "tiny", {"batch": 32}).id != run


def test_the_current_run_is_the_one_completed_last(store: SqlStore, run: str) -> None:
    assert store.current_run("kick") is None
    later = store.start_run("kick", "big", "tiny", {}).id
    store.finish_run(later)
    store.finish_run(run)
    store.finish_run(later)
    current = store.current_run("kick")
    assert current is not None and current.id == run
    of_big = store.current_run("kick", "big")
    assert of_big is not None and of_big.id == later
    assert [record.id for record in store.runs()] == [run, later]


@pytest.mark.parametrize("name", ["", "run-", "run-99", "run-01", "1", "run-٣", "run-1x", "run-" + "9" * 40])
def test_an_unknown_run_is_refused(store: SqlStore, run: str, name: str) -> None:
    for use in (store.resume_frame, store.finish_run, store.predictions, store.alerts):
        with pytest.raises(UsageError, match="no prediction run"):
            use(name)


def test_settings_that_are_not_json_are_refused(store: SqlStore) -> None:
    with pytest.raises(UsageError, match="settings of model nano cannot be stored as JSON"):
        store.start_run("kick", "nano", "tiny", {"a": object()})


def test_numpy_indices_are_stored_as_numbers(store: SqlStore, run: str, predicted) -> None:
    store.write_predictions(
        run, [dataclasses.replace(predicted(0), frame=np.int64(5), person=np.int32(2))], np.int64(6)
    )
    assert frames_of(store, run, 5, 5) == [(5, 2)]
    assert store.resume_frame(run) == 6


def test_persons_of_a_run_get_other_numbers_all_at_once(store: SqlStore, run: str) -> None:
    def one(frame: int, person: int, x: float) -> Prediction:
        row = np.full(3, x, np.float32)
        return Prediction(frame, person, np.full((3, 2), x, np.float32), row, row, np.zeros(4, np.float32))

    there = [one(0, 0, 0.25), one(0, 1, 0.5), one(1, 1, 0.5), one(2, 0, 0.25), one(2, 5, 0.75), one(3, 5, 0.75)]
    store.write_predictions(run, there)
    other = store.start_run("kick", "other", "tiny", {}).id
    store.write_predictions(other, there)
    # 0 and 1 change places; 5 becomes who was 1: where both are, 1 stays.
    store.renumber_persons(run, {0: 1, 1: 0, 5: 0})
    found = [(p.frame, p.person, float(p.score[0])) for p in store.predictions(run)]
    assert found == [(0, 0, 0.5), (0, 1, 0.25), (1, 0, 0.5), (2, 0, 0.75), (2, 1, 0.25), (3, 0, 0.75)]
    store.renumber_persons(run, {0: 1})
    found = [(p.frame, p.person, float(p.score[0])) for p in store.predictions(run)]
    assert found == [(0, 1, 0.25), (1, 1, 0.5), (2, 1, 0.25), (3, 1, 0.75)]
    assert frames_of(store, other) == [(p.frame, p.person) for p in there]
