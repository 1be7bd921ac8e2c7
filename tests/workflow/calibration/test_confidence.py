"""Confidence and selection on a project of rendered kicks: predicted, corrected, fitted, predicted again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

from emc.config import Settings, read_settings
from emc.errors import UsageError
from emc.pose.records import Role
from emc.store.sql import SqlStore
from emc.workflow.calibration.confidence import (
    fit_after_calibration,
    fit_project_confidence,
    random_subset,
    shown_confidence,
)
from emc.workflow.calibration.select import next_to_correct
from emc.workflow.labels import import_labels
from emc.workflow.predict.alerts import newest_run
from emc.workflow.predict.confidence import CONFIDENCE_FILE, CONFIDENCE_KIND, read_confidence
from emc.workflow.predict.runs import predict_clips
from emc.workflow.progress import Silent
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project
from emc.workflow.samples.rendered import ClipFiles, ClipRequest, render_file
from emc.workflow.samples.samples import load_samples

PLAN = (("front_kick", 1), ("side_kick", 2), ("front_kick", 3), ("side_kick", 4))


@pytest.fixture(scope="module")
def kicks(tmp_path_factory: pytest.TempPathFactory) -> list[ClipFiles]:
    folder = str(tmp_path_factory.mktemp("kicks"))
    return [render_file(ClipRequest(m, s, 6, seconds=1.0, size=(160, 160), folder=folder)) for m, s in PLAN]


@pytest.fixture
def settings() -> Settings:
    return read_settings(None, EMBEDDED, evaluate={"bootstrap": 20}, predict={"threads": 1})


@pytest.fixture
def store(tmp_path: Path, kicks: list[ClipFiles], settings: Settings) -> Iterator[SqlStore]:
    """A project of four kicks, all predicted on their labelled boxes, three of them corrected, one held out."""
    with new_project(tmp_path / "p") as found:
        for number, files in enumerate(kicks):
            tags = {"split": "test"} if number == 3 else {}
            add_clips(found, [files.video], Role.TARGET, f"athlete_{number}", tags)
            predict_clips(found, [found.clip(files.order.name)], settings, files.labels)
        for files in kicks[:2]:
            import_labels(found, files.labels, files.order.name, "coco", simulated=True)
        yield found


def confidences(store: SqlStore, clip: str) -> np.ndarray:
    return np.stack([p.confidence for p in store.predictions(newest_run(store, clip).id)])


def test_a_fit_changes_predictions_alerts_and_later_runs(
    store: SqlStore, kicks: list[ClipFiles], settings: Settings
) -> None:
    names = [files.order.name for files in kicks]
    before = {name: confidences(store, name) for name in names}
    document = fit_project_confidence(store, settings)
    about = document["scores"]["target"]["about"]
    assert about["groups"] == 2  # the held-out clip and the one without labels take no part
    assert about["persons"] == 12
    assert about["head_size"] == "head_segment"
    assert document["left_out"]["common"].startswith("no person")
    after = {name: confidences(store, name) for name in names}
    for name in names:
        assert not np.allclose(before[name], after[name])
    # (m, n) now count what the fitted confidence says.
    run = newest_run(store, names[0])
    low = (after[names[0]] < settings.alerts.low).sum(axis=1)
    lost = (after[names[0]] < settings.alerts.lost).sum(axis=1)
    told = {row.frame: (row.lost, row.low) for row in store.frame_alerts(run.id)}
    assert [told[frame] for frame in sorted(told)] == list(zip(lost.tolist(), (low - lost).tolist(), strict=True))
    # A new run of the same model has the fitted confidence at once; asked raw, it has the model's own.
    clip = store.clip(names[2])
    predict_clips(store, [clip], settings, kicks[2].labels, again=True)
    np.testing.assert_allclose(confidences(store, names[2]), after[names[2]], atol=1e-6)
    raw = settings.model_copy(update={"predict": settings.predict.model_copy(update={"confidence": "raw"})})
    predict_clips(store, [clip], raw, kicks[2].labels, again=True)
    np.testing.assert_allclose(confidences(store, names[2]), before[names[2]], atol=1e-6)
    # Fitting again gives the same fit: it never reads an earlier confidence.
    again = fit_project_confidence(store, settings)
    assert again["roles"] == document["roles"]
    shown = shown_confidence(store, settings.predict)
    assert [fit["model"] for fit in shown["fits"]] == [document["model"]]


def test_a_calibrated_models_folder_carries_its_fit(
    store: SqlStore, settings: Settings, tmp_path: Path, kicks: list[ClipFiles]
) -> None:
    from emc.estimators.nano.estimator import NanoEstimator

    base = fit_project_confidence(store, settings)
    folder = tmp_path / "calibration"
    NanoEstimator().save(folder / "chosen")
    held = {Role.TARGET: load_samples(store, [store.clip(kicks[0].order.name)], Silent()), Role.COMMON: []}
    done = fit_after_calibration(store, folder, held, base, settings, Silent())
    assert done is not None
    assert done["scores"]["target"]["about"]["near"] == base["model"]
    assert json.loads((folder / "chosen" / CONFIDENCE_FILE).read_text())["model"] == done["model"]
    with new_project(tmp_path / "other") as elsewhere:
        options = settings.predict.model_copy(update={"estimator": str(folder / "chosen")})
        assert set(read_confidence(elsewhere, "unknown", options).roles) == {Role.TARGET}
        assert read_confidence(elsewhere, "unknown", settings.predict).roles == {}
        assert elsewhere.documents(CONFIDENCE_KIND) == []


def test_too_few_corrections_are_refused_and_change_nothing(store: SqlStore, settings: Settings) -> None:
    for clip in store.clips():
        for edit in store.edits(clip.id):
            store.append_edit(replace(edit, id=0, kind="undo", undoes=edit.id))
    with pytest.raises(UsageError, match="correct or confirm whole persons"):
        fit_project_confidence(store, settings)
    assert store.documents(CONFIDENCE_KIND) == []


def test_whom_to_correct_next(store: SqlStore, settings: Settings, kicks: list[ClipFiles]) -> None:
    open_clip = kicks[2].order.name

    class Heard(Silent):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def say(self, line: str) -> None:
            self.lines.append(line)

    heard = Heard()
    found = next_to_correct(store, [], 4, "both", [], settings, heard)
    # Corrected persons are done, the held-out clip is not offered.
    assert {row["clip"] for row in found["persons"]} == {open_clip}
    assert (found["open"], found["done"], found["fitted"]) == (6, 12, False)
    assert "emc confidence fit" in heard.lines[0]
    assert len({(row["frame"], row["person"]) for row in found["persons"]}) == 4
    fit_project_confidence(store, settings)
    fitted = next_to_correct(store, [], 2, "error", ["leg"], settings)
    assert fitted["fitted"]
    assert "of 6 joints expected wrong" in fitted["persons"][0]["reason"]
    wrong = 1 - confidences(store, open_clip)[:, [11, 12, 13, 14, 15, 16]].sum(axis=1) + 5
    assert fitted["persons"][0]["expected_wrong"] == pytest.approx(float(wrong.max()), abs=2e-3)
    with pytest.raises(UsageError, match="unknown part 'tail'"):
        next_to_correct(store, [], 2, "error", ["tail"], settings)
    named = next_to_correct(store, [kicks[3].order.name], 2, "random", [], settings)
    assert {row["clip"] for row in named["persons"]} == {kicks[3].order.name}


def test_a_fit_looks_at_a_seeded_draw_of_many_people(monkeypatch: pytest.MonkeyPatch) -> None:
    people: list[Any] = list(range(20))
    assert random_subset(people, 3) == people
    monkeypatch.setattr("emc.workflow.calibration.confidence.MOST", 5)
    few = random_subset(people, 3)
    assert len(few) == 5
    assert few == sorted(few)
    assert random_subset(people, 3) == few
    assert random_subset(people, 4) != few
