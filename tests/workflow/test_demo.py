"""The demo keeps its own model whatever is at hand."""

from __future__ import annotations

import pytest

from emc.config import read_settings
from emc.workflow.demo import demo_settings


@pytest.mark.parametrize(("asked", "taken"), [("auto", "nano"), ("auto:here", "nano"), ("vitpose-b", "vitpose-b")])
def test_auto_is_the_embedded_model_in_the_demo(asked: str, taken: str) -> None:
    settings = read_settings(None, {}, predict={"estimator": asked})
    assert demo_settings(settings, quick=False).predict.estimator == taken
    assert demo_settings(settings, quick=True).predict.estimator == taken


def test_auto_is_the_default() -> None:
    assert read_settings(None, {}).predict.estimator == "auto"
