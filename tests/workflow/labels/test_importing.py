from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.integration.label_files import annotation, coco, figure, places, predicted, project

from emc.errors import InputError
from emc.pose.records import Provenance
from emc.workflow.labels import export_labels, import_labels

FRAME = [{"id": 1, "frame": 5}]


def test_joints_of_a_model_become_a_run_and_those_of_a_person_an_edit(tmp_path: Path) -> None:
    words = ["model"] * 10 + ["propagated"] * 3 + ["human"] * 3 + ["confirmed"]
    row = annotation(1, 1, figure(10), provenance=words, confidence=[0.25] * 17, person=3)
    with project(tmp_path) as store:
        (done,) = import_labels(store, coco(tmp_path / "own.json", FRAME, [row]))
        (edit,) = store.edits()
        (run,) = store.runs("kick")
        (found,) = store.predictions(run.id)
        (pose,) = store.poses("kick")
    assert [(c.joint, c.provenance.name.lower()) for c in edit.changes] == list(enumerate(words))[10:]
    assert (found.person, found.confidence.tolist()) == (3, [0.25] * 10 + [0] * 7)
    assert (run.settings["imported"], run.complete) == (str(tmp_path / "own.json"), True)
    assert (done.joints, done.predicted, done.run, done.edit) == (7, 10, run.id, edit.id)
    assert pose.provenance.tolist() == [0] * 10 + [1] * 3 + [2] * 3 + [3]
    np.testing.assert_allclose(pose.xy, figure(10))


def test_older_predictions_do_not_take_the_place_of_those_that_are_there(tmp_path: Path) -> None:
    row = annotation(1, 1, figure(12), provenance=["model"] * 16 + ["human"])
    file = coco(tmp_path / "own.json", FRAME, [row])
    with project(tmp_path) as store:
        predicted(store, "kick", {5: [figure(10)]})
        (done,) = import_labels(store, file)
        (xy,) = places(store)[5]
        assert (len(store.runs("kick")), done.run) == (1, "")
    assert "16 joints are a model's word and are left out: the clip has predictions of its own" in done.said
    np.testing.assert_allclose(xy[:16], figure(10)[:16])
    np.testing.assert_allclose(xy[16], figure(12)[16])


def test_nothing_but_a_models_word_where_there_is_one_already_is_told(tmp_path: Path) -> None:
    with project(tmp_path) as store:
        predicted(store, "kick", {5: [figure(10)]})
        export_labels(store, tmp_path / "own.json")
        with pytest.raises(InputError, match="has no joint that a person placed .*: there is nothing to import"):
            import_labels(store, tmp_path / "own.json")
        assert store.edits() == []


def test_as_model_makes_a_run_beside_those_that_are_there(tmp_path: Path) -> None:
    file = coco(tmp_path / "theirs.json", FRAME, [annotation(1, 1, figure(12))])
    with project(tmp_path) as store:
        predicted(store, "kick", {5: [figure(10), figure(110)]})
        (done,) = import_labels(store, file, taken="model")
        assert [(p.frame, p.person) for p in store.predictions(done.run)] == [(5, 0)]
        # The same file again is the same run.
        assert import_labels(store, file, taken="model")[0].run == done.run


def test_one_bad_label_of_one_clip_leaves_all_as_it_was(tmp_path: Path) -> None:
    images = [{"id": 1, "clip": "kick", "frame": 5}, {"id": 2, "clip": "run", "frame": 5}]
    people = [annotation(1, 1, figure(10)), annotation(2, 2, figure(10), provenance=["god"] * 17)]
    with project(tmp_path, "kick", "run") as store:
        with pytest.raises(InputError, match="annotation 2 has 'god' in 'provenance'"):
            import_labels(store, coco(tmp_path / "two.json", images, people))
        assert (store.edits(), store.runs(), store.documents("label_files")) == ([], [], [])


def test_new_persons_are_told_where_others_are_known(tmp_path: Path) -> None:
    with project(tmp_path) as store:
        predicted(store, "kick", {5: [figure(10)]})
        rows = [annotation(1, 1, figure(12)), annotation(2, 1, figure(150))]
        (done,) = import_labels(store, coco(tmp_path / "l.json", FRAME, rows))
        poses = {pose.person: pose.provenance[0] for pose in store.poses("kick")}
    assert poses == {0: Provenance.HUMAN, 1: Provenance.HUMAN}
    assert "1 labels overlap nobody who is known there: new persons" in done.said
