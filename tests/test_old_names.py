"""What earlier versions wrote is read: settings, environment, saved models, projects, ladders and resume points.

The old names are spelled out here as those versions wrote them.
"""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

import emc.old_names as old_names
import emc.plugins as plugins
from emc.config import CalibrateSettings, read_settings, stored_settings
from emc.errors import InputError, UsageError
from emc.estimators.nano import NanoEstimator
from emc.estimators.rotation import rotation_ensemble
from emc.pose.records import Clip, Prediction, Role
from emc.pose.skeletons import COCO17
from emc.stages.calibrate.resume import fingerprint_of, pack_state, unpack_state
from emc.store import SqlStore
from emc.workflow.calibration import Populations, newest_calibration, run_ladder, shown_confidence
from emc.workflow.files import write_json
from emc.workflow.predict import read_confidence
from emc.workflow.progress import Silent
from emc.workflow.samples import ClipRequest, sparse_samples


def test_a_settings_file(tmp_path: Path) -> None:
    (tmp_path / "emc.toml").write_text('[predict]\nestimator = "turned:nano"\n\n[calibrate]\nturns = 4\ncloser = 0\n')
    settings = read_settings(tmp_path, {})
    assert (settings.calibrate.ensemble_rotations, settings.calibrate.ensemble_zooms) == (4, 0)
    assert plugins.estimator_for(settings.predict.estimator).describe().name == "rotation8z3-nano"


def test_environment_variables_and_options_stand_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "emc.toml").write_text("[calibrate]\nensemble_rotations = 4\nensemble_zooms = 1\n")
    settings = read_settings(tmp_path, {"EMC_CALIBRATE__TURNS": "6", "EMC_CALIBRATE__CLOSER": "2"})
    assert (settings.calibrate.ensemble_rotations, settings.calibrate.ensemble_zooms) == (6, 2)
    settings = read_settings(tmp_path, {"EMC_CALIBRATE__TURNS": "6"}, calibrate={"turns": 3})
    assert (settings.calibrate.ensemble_rotations, settings.calibrate.ensemble_zooms) == (3, 1)


def test_the_present_name_stands_where_one_place_gives_both() -> None:
    given = {"EMC_CALIBRATE__TURNS": "6", "EMC_CALIBRATE__ENSEMBLE_ROTATIONS": "5"}
    assert read_settings(None, given).calibrate.ensemble_rotations == 5


def test_a_bad_value_is_refused_under_the_present_name() -> None:
    with pytest.raises(UsageError, match=r"calibrate\.ensemble_rotations = 99"):
        read_settings(None, {}, calibrate={"turns": 99})


def test_settings_of_a_finished_run() -> None:
    settings = stored_settings({"calibrate": {"turns": 2, "closer": 1, "steps": 7}})
    chosen = settings.calibrate
    assert (chosen.ensemble_rotations, chosen.ensemble_zooms, chosen.steps) == (2, 1, 7)


def test_a_calibration_keeps_the_id_that_its_settings_gave_it() -> None:
    now = CalibrateSettings.model_validate({"ensemble_rotations": 2}).model_dump()
    hashed = old_names.settings_as_hashed("calibrate", now)
    assert (hashed["turns"], hashed["closer"]) == (2, 3)
    assert hashed.keys() - now.keys() == {"turns", "closer"}
    assert now.keys() - hashed.keys() == {"ensemble_rotations", "ensemble_zooms"}


@pytest.mark.parametrize(
    ("keys", "rotations", "zooms", "name"),
    [({"turns": 4, "closer": 2}, 4, 2, "rotation4z2-nano"), ({"turns": 4}, 4, 0, "rotation4-nano")],
)
def test_a_saved_model(tmp_path: Path, keys: dict[str, int], rotations: int, zooms: int, name: str) -> None:
    NanoEstimator().save(tmp_path, keys)
    model = plugins.estimator_for(str(tmp_path))
    assert (model.rotations, model.zooms, model.describe().name) == (rotations, zooms, name)


def test_an_installation_that_registered_the_old_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("turned", "emc.estimators.rotation:turned", "emc.estimators")
    monkeypatch.setattr(plugins, "_points", lambda _: (point,))
    assert plugins.plugin_names("estimators") == ["rotation"]
    assert plugins.load_plugin("estimators", "rotation") is rotation_ensemble
    assert plugins.load_plugin("estimators", "turned") is rotation_ensemble


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("turned8c3-nano-0123456789ab", "rotation8z3-nano-0123456789ab"),
        ("turned4-vitpose-b-0123456789ab", "rotation4-vitpose-b-0123456789ab"),
        ("nano-0123456789ab", "nano-0123456789ab"),
        ("turned-anything", "turned-anything"),
    ],
)
def test_model_names(old: str, now: str) -> None:
    assert old_names.model_name(old) == now
    assert old_names.model_names(now) == ((now,) if old == now else (now, old))


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    store = SqlStore.create(tmp_path / "p.emc")
    store.add_clip(Clip("kick", "kick.mp4", Role.TARGET, "anna", frames=10, width=64, height=48))
    return store


def one(frame: int) -> Prediction:
    ones = np.ones(17, np.float32)
    return Prediction(frame, 0, np.zeros((17, 2), np.float32), ones, ones, np.array([0, 0, 9, 9], np.float32))


def test_runs_of_a_project(store: SqlStore) -> None:
    finished = store.start_run("kick", "turned8c3-nano-0123456789ab", COCO17.name, {"frames": "every:1"})
    store.finish_run(finished.id)
    begun = store.start_run("kick", "turned8c3-nano-0123456789ab", COCO17.name, {"frames": "every:2"})
    store.write_predictions(begun.id, [one(0)], upto=1)
    now = "rotation8z3-nano-0123456789ab"
    assert [run.model for run in store.runs("kick")] == [now, now]
    assert store.current_run("kick", now) == store.runs("kick")[0]
    again = store.start_run("kick", now, COCO17.name, {"frames": "every:2"})
    assert (again.id, store.resume_frame(again.id)) == (begun.id, 1)


def test_a_fitted_confidence_of_a_project(store: SqlStore) -> None:
    old, now = "turned8c3-nano-0123456789ab", "rotation8z3-nano-0123456789ab"
    store.put_document("confidence", old, {"model": old, "roles": {"target": {"damaged": True}}})
    predict = read_settings(None, {}).predict
    with pytest.raises(InputError, match=f"confidence of {now}"):
        read_confidence(store, now, predict)
    assert [fit["model"] for fit in shown_confidence(store, predict)["fits"]] == [now]


def test_a_calibration_of_a_project(store: SqlStore) -> None:
    ladder = {"ladder": [], "finished": True, "turns": {"taken": 8, "tried": 8, "closer": 3, "why": "they help"}}
    store.put_document("calibration", "0123456789ab", {"folder": "models/0123456789ab", "card": {}, "ladder": ladder})
    found = newest_calibration(store).ladder
    assert found["rotations"] == {"taken": 8, "tried": 8, "zooms": 3, "why": "they help"}
    assert "turns" not in found


def test_a_calibration_that_was_interrupted_goes_on_with_its_rotations(tmp_path: Path) -> None:
    people = [sparse_samples(ClipRequest(motion, seed, 2)) for seed, motion in enumerate(("squat", "walk") * 2)]
    data = Populations(*people)
    few = {"steps": 2, "batch": 2, "ladder": 1, "shares": (0.5,), "ensemble_rotations": 2}
    settings = read_settings(None, EMBEDDED, calibrate=few, evaluate={"bootstrap": 10})
    whole = run_ladder(NanoEstimator(), data, settings, tmp_path / "whole", Silent())
    turns = {"taken": 2, "tried": 2, "closer": 1, "why": "they help"}
    begun = {"ladder": [{"step": 0, "validation": whole["ladder"][0]["validation"]}], "finished": False, "loss": []}
    write_json(tmp_path / "begun" / "ladder.json", begun | {"turns": turns})
    ladder = run_ladder(NanoEstimator(), data, settings, tmp_path / "begun", Silent())
    assert ladder["rotations"] == {"taken": 2, "tried": 2, "zooms": 1, "why": "they help"}
    saved = plugins.estimator_for(str(tmp_path / "begun" / "step_2"))
    assert (saved.rotations, saved.zooms) == (2, 1)
    assert ladder["ladder"][0]["validation"] == whole["ladder"][0]["validation"]


def test_a_resume_point() -> None:
    module, settings = NanoEstimator().module, CalibrateSettings.model_validate({})
    now = fingerprint_of(module, settings, 3, 4)
    before = json.loads(now)
    before["turns"], before["closer"] = before.pop("ensemble_rotations"), before.pop("ensemble_zooms")
    parts: dict[str, object] = {"weights": {}, "average": {}, "optimizer": {}}
    assert unpack_state(pack_state(json.dumps(before), 5, parts), now)["step"] == 5
    with pytest.raises(UsageError, match="ensemble_rotations 2 -> 8"):
        unpack_state(pack_state(json.dumps(before | {"turns": 2}), 5, parts), now)
