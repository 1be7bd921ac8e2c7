from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

from emc.config import Settings, read_settings
from emc.pose.records import Clip, Edit, JointChange, Prediction, Provenance, Role, Visibility
from emc.pose.skeletons.skeleton import COCO17
from emc.store.sql import SqlStore
from emc.workflow.calibration.readiness import calibration_readiness

LEGS = COCO17.parts["leg"]
EVERY = range(17)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """Return a project of two target clips of two groups, ten frames each."""
    with SqlStore.create(tmp_path / "kick.emc") as made:
        for name, group in (("one", "ana"), ("two", "bo")):
            made.add_clip(Clip(name, f"/media/{name}.mp4", Role.TARGET, group, 10, 640, 480, sha256=name * 8))
        yield made


def decide(store: SqlStore, clip: str, frames: range, joints: range | tuple[int, ...]) -> None:
    changes = tuple(
        JointChange(f, 0, j, 10.0 + j, 20.0 + 3 * j, Visibility.VISIBLE, Provenance.HUMAN)
        for f in frames
        for j in joints
    )
    store.append_edit(Edit(clip, "place", changes))


def predict(store: SqlStore, clip: str) -> None:
    run = store.start_run(clip, "nano", "coco17", {})
    xy = np.stack([np.arange(17.0), np.arange(17.0) * 5], axis=1).astype(np.float32)
    sure = np.full(17, 0.9, np.float32)
    box = np.array([0, 0, 20, 90], np.float32)
    store.write_predictions(run.id, [Prediction(f, 0, xy, sure, sure, box) for f in range(10)], upto=10)
    store.finish_run(run.id)


def settings() -> Settings:
    return read_settings(None, EMBEDDED)


def test_nothing_is_corrected(store: SqlStore) -> None:
    found = calibration_readiness(store, settings())
    assert found.persons == 0
    assert "nothing is corrected yet" in found.problems[0]


def test_one_nudged_joint_is_too_little_to_hold_anything_out(store: SqlStore) -> None:
    decide(store, "one", range(3, 4), (13,))
    found = calibration_readiness(store, settings())
    assert (found.persons, found.joints, found.groups) == (1, 1, 1)
    assert found.problems[0].startswith("1 joints of 1 persons on 1 frames are decided: ")
    assert "too few to hold out validation" in found.problems[0]


def test_enough_is_ready_with_notes_on_how_little_it_is(store: SqlStore) -> None:
    for clip in ("one", "two"):
        decide(store, clip, range(10), EVERY)
    found = calibration_readiness(store, settings())
    assert found.problems == ()
    assert (found.persons, found.frames, found.clips, found.groups, found.joints) == (20, 20, 2, 2, 340)
    assert (found.train, found.validation) == (10, 10)
    assert found.notes == ("only 10 persons train: correct about 20 for a result to trust",)


def test_the_joints_that_choose_the_model_are_named_where_they_are_missing(store: SqlStore) -> None:
    predict(store, "one")
    predict(store, "two")
    for clip in ("one", "two"):
        decide(store, clip, range(10), (9, 10))
    (problem,) = calibration_readiness(store, settings()).problems
    assert "by its leg joints, of which none is decided there" in problem
    assert "left hip" in problem


def test_a_torso_neither_placed_nor_predicted_is_named(store: SqlStore) -> None:
    for clip in ("one", "two"):
        decide(store, clip, range(10), (13, 14))
    (problem,) = calibration_readiness(store, settings()).problems
    assert "place these two joints" in problem
    predict(store, "one")
    predict(store, "two")
    found = calibration_readiness(store, settings())
    assert found.problems == ()
    assert any("20 of 20 persons have fewer than half" in note for note in found.notes)


def test_what_was_taken_back_is_not_counted_and_neither_are_held_out_clips(store: SqlStore) -> None:
    store.add_clip(Clip("three", "/media/three.mp4", Role.TARGET, "eva", 10, 640, 480, tags={"split": "test"}))
    decide(store, "three", range(10), EVERY)
    decide(store, "one", range(1), EVERY)
    store.append_edit(Edit("one", "undo", (), undoes=store.last_edit()))
    assert calibration_readiness(store, settings()).persons == 0
