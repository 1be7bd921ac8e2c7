from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.errors import UsageError
from emc.store.sql import SqlStore
from emc.workflow.calibration.forecast import history_forecast, nested_parts, step_of
from emc.workflow.samples.rendered import ClipRequest, sparse_samples

SETTINGS = read_settings(None, EMBEDDED, evaluate={"bootstrap": 100})


def interval(value: float, half: float) -> dict[str, object]:
    return {"value": value, "ci95": [value - half, value + half], "n": 600}


def put_calibration(store: SqlStore, name: str, joints: int, right: float, seconds: float | None = 2.0) -> None:
    """Store a finished calibration as `calibrate_project` does."""
    rows = [
        {"step": step, "validation": {"target": {"pckh": {"leg": interval(score, 0.02)}}}}
        for step, score in ((0, 0.5), (100, right))
    ]
    card = {"corrected": {"persons": joints // 10, "joints": joints, "seconds_per_joint": seconds, "simulated": False}}
    store.put_document("calibration", name, {"card": card, "ladder": {"ladder": rows, "chosen": {"step": 100}}})


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore.create(tmp_path / "jump.emc")


def test_earlier_calibrations_are_continued(store: SqlStore) -> None:
    for name, joints in (("a", 100), ("b", 200), ("c", 400)):
        put_calibration(store, name, joints, 1 - (0.05 + 2.0 * joints**-0.5))
    # One without a record of what it learned from, as older versions made them.
    store.put_document("calibration", "old", {"card": {}, "ladder": {}})
    told = history_forecast(store, SETTINGS)
    assert [(point["persons"], point["joints"]) for point in told["points"]] == [(10, 100), (20, 200), (40, 400)]
    assert told["points"][0]["error"] == pytest.approx(0.25)
    # 20 minutes at 2 seconds a joint are 600 joints: 200 x (1 / 20 - 1 / sqrt(1000)) = 3.68 points.
    assert told["gain_points"]["value"] == pytest.approx(3.68, abs=0.05)
    low, high = told["gain_points"]["ci95"]
    assert low < 3.68 < high
    assert "points more per 20 minutes of correcting" in told["words"]
    assert "2.00 seconds per joint, recorded" in told["notes"]


def test_two_calibrations_are_too_little_and_it_is_said(store: SqlStore) -> None:
    put_calibration(store, "a", 100, 0.7)
    put_calibration(store, "b", 200, 0.8)
    told = history_forecast(store, SETTINGS)
    assert told["curve"] is None
    assert told["gain_points"] is None
    assert told["words"].endswith("too little for a forecast")


def test_without_recorded_time_the_step_is_in_joints() -> None:
    assert step_of({"seconds_per_joint": None}).words == "100 corrected joints"
    step = step_of({"seconds_per_joint": 4.0})
    assert (step.joints, step.words) == (300.0, "20 minutes of correcting")


def test_parts_are_nested_and_each_is_half_of_the_next() -> None:
    four = sparse_samples(ClipRequest("side_kick", 1, 4))
    people = [replace(four[number % len(four)], frame=number) for number in range(16)]
    parts = nested_parts(people, 4, 0)
    frames = [{sample.frame for sample in part} for part in parts]
    assert [len(part) for part in parts] == [4, 8, 16]
    assert frames[0] < frames[1] < frames[2]
    assert [{s.frame for s in part} for part in nested_parts(people, 3, 0)] == frames
    with pytest.raises(UsageError, match=r"8 corrected persons train, which makes 2 parts of at least 4"):
        nested_parts(people[:8], 4, 0)


def test_simulated_minutes_are_called_so_in_the_step_and_in_the_notes(store: SqlStore) -> None:
    effort = {"seconds_per_joint": 4.0, "simulated": True, "how": "simulated"}
    assert step_of(effort).words == "20 minutes of correcting (simulated)"
    # Cards of older versions say only that some of it is.
    assert step_of({"seconds_per_joint": 4.0, "simulated": True}).words == "20 minutes of correcting (simulated)"
    assert step_of(effort | {"how": "partly simulated"}).words == "20 minutes of correcting (partly simulated)"
    for name, joints in (("a", 100), ("b", 200), ("c", 400)):
        put_calibration(store, name, joints, 1 - (0.05 + 2.0 * joints**-0.5))
        document = store.document("calibration", name) or {}
        document["card"]["corrected"] |= {"simulated": True, "how": "simulated"}
        store.put_document("calibration", name, document)
    told = history_forecast(store, SETTINGS)
    assert "points more per 20 minutes of correcting (simulated)" in told["words"]
    assert "2.00 seconds per joint, simulated: a program gave the labels, nobody was timed" in told["notes"]
