from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

import emc.plugins as plugins
from emc.config import read_settings
from emc.pose.records import Box
from emc.workflow.editing.models import RunModels, heatmaps, perturbed
from emc.workflow.predict.key import model_key


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    from emc.synth.scene.scene import make_clip

    return make_clip("front_kick", 7, seconds=0.5, fps=10.0, size=(256, 256))[2].image


def test_the_peaks_of_the_maps_are_where_the_estimator_says(picture: np.ndarray) -> None:
    estimator = plugins.estimator_for("nano")
    estimator.mirror = False
    box = np.array([90.0, 40.0, 80.0, 190.0], np.float32)
    found = heatmaps(estimator, picture, box)
    assert found is not None
    chances, affine = found
    assert chances.shape == (17, 32, 32)
    np.testing.assert_allclose(chances.sum(axis=(1, 2)), 1.0)
    (prediction,) = estimator.predict([picture], [[Box(0, tuple(float(v) for v in box))]])  # type: ignore[arg-type]
    for joint in range(17):
        row, column = np.unravel_index(int(chances[joint].argmax()), (32, 32))
        place = affine[:, :2] @ np.array([column, row]) + affine[:, 2]
        # The estimator refines by at most half a cell, which is 1.25 x 190 / 31 pixels wide.
        assert np.abs(place - prediction.xy[joint]).max() < 0.5 * 1.25 * 190 / 31 + 0.2


def test_networks_that_give_more_than_maps_show_their_maps(picture: np.ndarray) -> None:
    from emc.estimators.movenet import MoveNetLightning

    found = heatmaps(MoveNetLightning.untrained(0), picture, np.array([90.0, 40.0, 80.0, 190.0], np.float32))
    assert found is not None
    chances, affine = found
    assert chances.shape == (17, 48, 48)
    # A crop of 237.5 pixels; a bump stands at the cell that its joint is in, half a cell before it on the mean.
    np.testing.assert_allclose(affine[:, :2], np.eye(2) * 237.5 / 48, atol=0.3)
    np.testing.assert_allclose(affine[:, 2], np.array([130.0, 135.0]) - 237.5 * (0.5 - 0.5 / 48), atol=6)


def test_an_estimator_without_maps_is_asked_with_shifted_boxes(picture: np.ndarray) -> None:
    estimator = plugins.estimator_for("nano")
    votes = perturbed(estimator, picture, np.array([90.0, 40.0, 80.0, 190.0]))
    assert votes.shape == (12, 17, 3)
    assert heatmaps(object(), picture, np.array([90.0, 40.0, 80.0, 190.0])) is None  # type: ignore[arg-type]


def test_a_runs_model_is_found_by_its_key(tmp_path: Path) -> None:
    folder = tmp_path
    estimator = plugins.estimator_for("nano")
    key = model_key(estimator)
    models = RunModels(folder, read_settings(None, EMBEDDED))
    assert models.estimator(key) is not None
    with __import__("torch").no_grad():
        next(iter(estimator.module.parameters())).add_(0.01)
    changed = model_key(estimator)
    assert models.estimator(changed) is None
    estimator.save(folder / "models" / "abc" / "chosen")
    found = models.estimator(changed)
    assert found is not None
    assert model_key(found) == changed


def test_a_run_is_read_by_the_estimator_that_its_key_names_whatever_the_project_uses_now(tmp_path: Path) -> None:
    key = model_key(plugins.estimator_for("nano"))
    models = RunModels(tmp_path, read_settings(None, EMBEDDED, predict={"estimator": "onnx:missing.onnx"}))
    found = models.estimator(key)
    assert found is not None
    assert model_key(found) == key


def test_a_model_that_nobody_has_is_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    make = plugins.estimator_for

    def counted(name: str) -> Any:
        asked.append(name)
        return make(name)

    monkeypatch.setattr(plugins, "estimator_for", counted)
    models = RunModels(tmp_path, read_settings(None, EMBEDDED, predict={"estimator": "nano"}))
    assert models.estimator("imported-0123456789ab") is None
    assert models.estimator("imported-0123456789ab") is None
    assert asked == ["nano"]
