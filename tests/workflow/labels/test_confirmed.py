from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.label_files import annotation, coco, figure, predicted, project

from emc.errors import UsageError
from emc.pose.records import Provenance, Visibility
from emc.pose.skeletons import COCO17
from emc.stages.edits import confirm, place_joint
from emc.workflow.labels import LabelCounts, count_labels, import_labels, refuse_unconfirmed


def test_labels_that_lie_where_a_model_put_them_are_counted(tmp_path: Path) -> None:
    with project(tmp_path) as store:
        predicted(store, "kick", {5: [figure(10)]})
        clip = store.clip("kick")
        assert count_labels(store, [clip]) == LabelCounts()
        # 0.015 pixels are the rounding of a file, 0.5 pixels are somebody's word.
        xy = figure(10) + [[0.015, 0.0]] * 17
        xy[:4] += 0.5
        import_labels(store, coco(tmp_path / "l.json", [{"id": 1, "frame": 5}], [annotation(1, 1, xy)]))
        assert count_labels(store, [clip]) == LabelCounts(joints=17, imported=17, unconfirmed=13)
        (pose,) = store.poses("kick")
        store.append_edit(confirm(clip, COCO17, [pose], range(4, 10)))
        store.append_edit(place_joint(clip, COCO17, 5, 0, 10, (60.0, 60.0), Visibility.VISIBLE))
        assert count_labels(store, [clip]) == LabelCounts(joints=17, imported=10, unconfirmed=6)


def test_a_machines_word_is_no_label(tmp_path: Path) -> None:
    words = [Provenance.PROPAGATED.name.lower()] * 16 + ["human"]
    row = annotation(1, 1, figure(10), provenance=words)
    with project(tmp_path) as store:
        import_labels(store, coco(tmp_path / "l.json", [{"id": 1, "frame": 5}], [row]))
        counts = count_labels(store, store.clips())
    assert counts == LabelCounts(joints=1, imported=1, unconfirmed=0, machine=16)
    assert counts.say() == "16 joints are a machine's word and count as no labels"


def test_from_nine_tenths_on_it_is_refused() -> None:
    refuse_unconfirmed(LabelCounts(100, 100, 89), "a score")
    refuse_unconfirmed(LabelCounts(), "a score")
    with pytest.raises(UsageError, match="90 of 100 labelled joints .*: a score would measure the model by itself"):
        refuse_unconfirmed(LabelCounts(100, 100, 90), "a score")
