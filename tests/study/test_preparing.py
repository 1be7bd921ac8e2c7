"""A study made of a project: reference, start, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.small_study import CLIPS, HIDDEN, WRONG, predicted, small_project, small_study, truth

from emc.errors import ProjectError, UsageError
from emc.store.sql import SqlStore
from emc.study.plan.design import read_design, stretches
from emc.study.preparing import StudyOptions, make_study, read_references

ORDER = StudyOptions("small", ("north", "south"), "practice", frames=4, training_frames=1, step=3)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_study(tmp_path_factory.mktemp("study"))


def test_reference_holds_what_a_person_decided_and_sees(study: Path):
    reference = read_references(study)["south"]
    assert reference.shape == (4, 17, 2)
    assert np.isnan(reference[:, HIDDEN]).all()
    others = [joint for joint in range(17) if joint != HIDDEN]
    assert reference[2, others] == pytest.approx(truth("south", 2)[others], abs=0.01)


def test_participants_begin_from_the_predictions_alone(study: Path):
    with SqlStore.open(study / "start" / "north.emc") as store:
        assert [clip.id for clip in store.clips()] == ["north"]
        assert store.edits("north") == []
        run = store.current_run("north")
        assert run is not None and run.complete
        found = {pose.frame: pose.xy for pose in store.poses("north", run.id)}
        assert found[3] == pytest.approx(predicted("north", 3), abs=0.01)
        assert [alert.joint for alert in store.alerts(run.id)] == list(WRONG)


def test_the_design_tells_how_wrong_the_model_is(study: Path):
    design = read_design(study)
    assert [task.clip for task in design.tasks()] == list(CLIPS)
    assert [task.wrong for task in design.clips] == [pytest.approx(2 / 16, abs=1e-4)] * 2
    assert design.training.frames == 1


def test_the_last_stretch_may_be_shorter(study: Path):
    assert stretches(read_design(study).clips[0], 3) == [(0, 2), (3, 3)]


def test_a_longer_clip_is_cut_to_its_first_frames(tmp_path: Path):
    with small_project(tmp_path) as source:
        folder, design = make_study(tmp_path / "cut", source, replace(ORDER, frames=2))
    assert design.clips[0].frames == 2
    with SqlStore.open(folder / "start" / "north.emc") as store:
        run = store.current_run("north")
        assert run is not None
        assert [p.frame for p in store.predictions(run.id)] == [0, 1]
        assert {alert.last for alert in store.alerts(run.id)} == {1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"clips": ("north", "north")}, "three different ones"),
        ({"clips": ("north", "west")}, "west"),
        ({"goal": 1.5}, "goal 1.5"),
        ({"step": 0}, "0 frames"),
        ({"idle": 0.0}, "idle 0.0"),
    ],
)
def test_an_impossible_study_is_refused_and_leaves_nothing(tmp_path: Path, change: dict[str, object], said: str):
    with small_project(tmp_path) as source, pytest.raises(UsageError, match=said):
        make_study(tmp_path / "odd", source, replace(ORDER, **change))  # type: ignore[arg-type]
    assert not list(tmp_path.glob("*odd*"))


def test_a_clip_without_corrections_has_no_reference(tmp_path: Path):
    with small_project(tmp_path) as source:
        last = source.edits("south")[-1]
        source.append_edit(replace(last, id=0, kind="undo", undoes=last.id))
        with pytest.raises(UsageError, match="south has no reference"):
            make_study(tmp_path / "odd", source, ORDER)


def test_a_folder_without_design_is_no_study(tmp_path: Path):
    with pytest.raises(ProjectError, match="is no study"):
        read_design(tmp_path)


def test_a_clip_of_rendered_people_is_known_as_one(tmp_path: Path):
    with small_project(tmp_path) as store:
        store.update_clip(replace(store.clip("north"), tags={"source": "rendered"}))
        folder, _ = make_study(tmp_path / "mixed", store, ORDER)
    assert {task.clip: task.rendered for task in read_design(folder).tasks()} == {
        "north": True, "south": False, "practice": False
    }  # fmt: skip
