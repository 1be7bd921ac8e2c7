"""Doubles of a run are merged while it is completed, and what the user should look at is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED
from tests.people_clips import PeopleClip, couple, ghosts, plant_boxes, squatter

from emc.config import Settings, read_settings
from emc.pose.records import Role
from emc.store.sql import SqlStore
from emc.workflow.predict.runs import predict_clips
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project, open_project


@pytest.fixture(scope="module")
def squat(tmp_path_factory: pytest.TempPathFactory) -> PeopleClip:
    return squatter(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    new_project(tmp_path / "p").close()
    with open_project(tmp_path / "p.emc") as opened:
        yield opened


def settings(**predict: object) -> Settings:
    return read_settings(None, EMBEDDED, predict={"estimator": "nano", "detector": "embedded", "threads": 1} | predict)


@pytest.mark.parametrize("kind", ["jitter", "upper", "lower", "large"])
def test_one_who_was_found_twice_on_all_frames_is_one_person(store: SqlStore, squat: PeopleClip, kind: str) -> None:
    add_clips(store, [squat.video], Role.TARGET)
    (clip,) = store.clips()
    own = squat.boxes[:, 0]
    plant_boxes(store, clip.id, [own, ghosts(own, kind)], [0.9, 0.6])
    (done,) = predict_clips(store, [clip], settings())
    assert (done.persons, done.doubles, done.frames, done.looked) == (1, 1, 24, 24)
    assert "on 24 of 24 frames and was taken for the same one" in done.hints[0]
    assert len({one.person for one in store.predictions(done.run)}) == 1
    # The same command again says the same of the run that is there.
    (again,) = predict_clips(store, [clip], settings())
    assert again == done
    (kept,) = predict_clips(store, [clip], settings(doubles="keep"))
    assert (kept.persons, kept.doubles) == (2, 0)
    assert "emc persons merge squat" in kept.hints[0]


def test_frames_that_only_the_double_has_are_not_lost(store: SqlStore, squat: PeopleClip) -> None:
    add_clips(store, [squat.video], Role.TARGET)
    own, ghost = squat.boxes[:, 0].copy(), ghosts(squat.boxes[:, 0], "jitter")
    own[20:], ghost[:2] = np.nan, np.nan
    plant_boxes(store, "squat", [own, ghost], [0.9, 0.6])
    (done,) = predict_clips(store, store.clips(), settings())
    assert (done.persons, done.frames) == (1, 24)


def test_two_who_dance_as_a_couple_stay_two(store: SqlStore, tmp_path: Path) -> None:
    made = couple(tmp_path)
    add_clips(store, [made.video], Role.TARGET)
    plant_boxes(store, "couple", [made.boxes[:, 0], made.boxes[:, 1]], [0.9, 0.9])
    (done,) = predict_clips(store, store.clips(), settings())
    assert (done.persons, done.doubles) == (2, 0)


def test_nobody_on_the_frames_looked_at_is_said_with_a_way_out(store: SqlStore, squat: PeopleClip) -> None:
    add_clips(store, [squat.video], Role.TARGET)
    plant_boxes(store, "squat", [np.full((24, 4), np.nan)], [0.9])
    (done,) = predict_clips(store, store.clips(), settings())
    assert (done.persons, done.frames, done.looked) == (0, 0, 24)
    assert done.hints[0].startswith("nobody found on 24 frames looked at: try another detector")
