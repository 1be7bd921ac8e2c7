"""Figures of the comparison against hand-made cases, and the real thing on a handful of rendered people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.errors import UsageError
from emc.pose.records import Sample
from emc.pose.skeletons.skeleton import COCO17
from emc.workflow.bench.arms import Arm
from emc.workflow.bench.compare import document_of
from emc.workflow.bench.rendered import bench_rendered

ANKLES = [15, 16]


def people(count: int) -> list[Sample]:
    """Persons whose joints lie on a line 10 pixels apart; shoulders to hips are 40 to 70 pixels, heads 20."""
    xy = np.stack([np.arange(17) * 10.0, np.zeros(17)], axis=1).astype(np.float32)
    image = np.zeros((4, 4, 3), np.uint8)
    box = np.array([0, 0, 160, 160], np.float32)
    return [Sample(image, xy, np.full(17, 2, np.int8), box, f"c{i}", f"c{i}", 0, head=20.0) for i in range(count)]


def arm(name: str, samples: list[Sample], wrong: dict[int, list[int]]) -> Arm:
    """An arm that is right everywhere but, by 100 pixels, at joints of some persons; right of all common ones."""
    true = np.stack([s.xy for s in samples])
    found = true.copy()
    for person, joints in wrong.items():
        found[person, joints] += 100
    return Arm(name, found, true, 7, 1.5)


def test_changes_are_counted_over_all_seeds() -> None:
    samples = people(6)
    base = arm("base", samples, {0: ANKLES, 1: ANKLES})
    found = {
        "base": [base, base],
        "plain 8:2": [arm("plain 8:2", samples, {0: ANKLES}), arm("plain 8:2", samples, {0: ANKLES, 5: [9]})],
        "calibration": [arm("calibration", samples, {0: [15]}), arm("calibration", samples, {})],
    }
    settings = read_settings(None, EMBEDDED, evaluate={"bootstrap": 200})
    document = document_of(found, {"target": samples, "common": samples}, COCO17, settings.evaluate)
    # 12 ankles, hips and knees of 6 persons and 2 seeds: 72 leg joints; the base misses 4 of each 36.
    assert document["models"]["base"]["target"]["pckh"]["leg"]["value"] == pytest.approx(32 / 36)
    assert document["models"]["calibration"]["target"]["pckh"]["leg"]["value"] == pytest.approx(71 / 72)
    assert document["models"]["plain 8:2"]["target"]["pckh"]["arm"]["value"] == pytest.approx(71 / 72)
    assert document["models"]["calibration"]["minutes"] == 1.5
    change = document["changes"]["base -> calibration"]
    assert change["target"]["leg"]["removed"]["value"] == pytest.approx(7 / 8)
    assert change["common"]["total"]["change"]["value"] == 0
    over = document["changes"]["plain 8:2 -> calibration"]["target"]
    assert over["leg"]["removed"]["value"] == pytest.approx(3 / 4)
    assert over["arm"]["change"]["value"] == pytest.approx(100 / 72)
    assert document["summary"]["leg_errors_removed"] == pytest.approx(7 / 8)
    assert document["summary"]["target_total_over_plain"] == pytest.approx(100 * 4 / (17 * 12))


def test_the_torso_measures_pck() -> None:
    samples = people(3)
    off = arm("base", samples, {})
    off.target[:, 15] += (0, 9)  # 0.2 torsos are 0.2 x 50 pixels (joints 6 and 11), 0.5 heads 10 pixels
    off.target[:, 16] += (0, 11)
    document = document_of(
        {"base": [off]}, {"target": samples, "common": samples}, COCO17, read_settings(None, EMBEDDED).evaluate
    )
    legs = document["models"]["base"]["target"]
    assert legs["pck"]["leg"]["value"] == legs["pckh"]["leg"]["value"] == pytest.approx(5 / 6)
    assert document["summary"] == {}


def test_a_real_run_is_kept_and_not_done_again(tmp_path: Path) -> None:
    few = {"steps": 2, "batch": 4, "ladder": 1, "ensemble_rotations": 2, "shares": (1.0,)}
    settings = read_settings(None, EMBEDDED, calibrate=few, evaluate={"bootstrap": 20}, predict={"threads": 1})
    arms = ("initial", "calibration")
    first = bench_rendered(1, tmp_path, settings, None, arms, size=0.005)
    assert list(first["models"]) == ["base", "base, rotation ensemble", *arms]
    scores = {name: model["target"]["pckh"]["total"]["value"] for name, model in first["models"].items()}
    assert scores["initial"] < 0.3 < scores["base"]  # two steps from scratch teach nothing
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("arm.json")}
    assert len(stamps) == 2
    assert bench_rendered(1, tmp_path, settings, None, arms, size=0.005)["models"] == first["models"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("arm.json")} == stamps


def test_an_unknown_arm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown model 'best'"):
        bench_rendered(1, tmp_path, read_settings(None, EMBEDDED), None, ("best",), size=0.005)
