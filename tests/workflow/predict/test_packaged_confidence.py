"""The fits of published networks that the package brings."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path

import numpy as np
import pytest

import emc.plugins as plugins
from emc.config import read_settings
from emc.pose.records import Box, Role
from emc.pose.skeletons import COCO17
from emc.weights.published import local
from emc.workflow.predict import model_key
from emc.workflow.predict.confidence import confidence_from, packaged_confidence, read_confidence
from emc.workflow.project import new_project

FILES = sorted(
    (one for one in (importlib.resources.files("emc.assets") / "confidence").iterdir() if one.name.endswith(".json")),
    key=lambda one: one.name,
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_belongs_to_the_model_that_its_name_says_and_can_be_read(file: Path) -> None:
    document = json.loads(file.read_text())
    key = file.name.removesuffix(".json")
    assert packaged_confidence(key) == document
    assert document["model"] == key
    fits = confidence_from(document, key).roles
    assert set(fits) == set(Role)
    assert all(fit.skeleton == "coco17" and fit.about["model"] == key for fit in fits.values())


def test_other_weights_have_none() -> None:
    assert packaged_confidence("movenet-thunder-000000000000") is None
    assert packaged_confidence("nano") is None


@pytest.mark.parametrize("name", ["movenet-thunder", "movenet-lightning"])
def test_a_network_as_published_is_believed_as_it_was_fitted(name: str, tmp_path: Path) -> None:
    if local(name) is None:
        pytest.skip(f"{name} is not on this machine: `emc models get {name}`")
    estimator = plugins.estimator_for(f"{name}+rotation")
    settings = read_settings(None, {}, predict={"estimator": f"{name}+rotation"}).predict
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    found = estimator.predict([noise], [[Box(0, (20.0, 20.0, 160.0, 260.0))]])
    with new_project(tmp_path / "p") as store:
        fits = read_confidence(store, model_key(estimator), settings)
        (sure,) = fits.apply(found, Role.TARGET, COCO17)
        # Nobody is there: hardly a joint is believed, whatever the heights of the heatmaps.
        assert sure.confidence.mean() < 0.3
        raw = read_confidence(store, model_key(estimator), settings.model_copy(update={"confidence": "raw"}))
        assert raw.roles == {}
