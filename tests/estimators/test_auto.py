"""`auto`: MoveNet where its weights are or can be fetched, else the embedded models; told in one line."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import emc.plugins as plugins
from emc.errors import UsageError
from emc.estimators.auto import BEST, FAST, PEOPLE, choose, people_detector
from emc.plugins import ADAPTIVE


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMC_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("EMC_OFFLINE", "1")


def put(tmp_path: Path, *names: str) -> None:
    """Weights by their name alone: `choose` looks whether they are there, not into them."""
    for name in names:
        place = tmp_path / "EMC_MODELS" / name
        place.mkdir(parents=True)
        (place / "model.safetensors").write_bytes(b"")


def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads are allowed, and every source refuses at once."""
    monkeypatch.setenv("EMC_OFFLINE", "0")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("emc.weights.published.finding.CDNS", ("http://127.0.0.1:9/{reference}/{path}",))
    monkeypatch.setattr("emc.weights.published.npm_client.npm_command", lambda: None)


def test_nothing_at_hand_and_no_network_gives_the_embedded_models_and_says_what_is_missing() -> None:
    found = choose()
    assert (found.estimator, found.detector) == ("nano", "embedded")
    assert found.line == (
        "auto: nano, persons found by embedded: movenet-thunder and movenet-multipose are not on this machine; "
        "`emc models get movenet-thunder movenet-multipose` fetches them once EMC_OFFLINE is unset"
    )


def test_what_is_at_hand_is_taken_the_larger_network_first(tmp_path: Path) -> None:
    put(tmp_path, FAST)
    found = choose()
    assert (found.estimator, found.detector) == (FAST + ADAPTIVE, "embedded")
    assert "movenet-thunder and movenet-multipose are not on this machine" in found.line
    put(tmp_path, BEST, PEOPLE)
    found = choose()
    assert (found.estimator, found.detector, found.missing) == (BEST + ADAPTIVE, PEOPLE, "")
    assert found.line == f"auto: {BEST}+rotation, persons found by {PEOPLE} (others: `emc models`)"
    assert choose(fast=True).estimator == FAST + ADAPTIVE


def test_sources_that_refuse_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_answers(monkeypatch)
    found = choose()
    assert (found.estimator, found.detector) == ("nano", "embedded")
    assert "movenet-thunder could not be fetched (127.0.0.1:9" in found.line
    assert "run `emc models get movenet-thunder` where there is a network" in found.line
    assert "\n" not in found.line
    assert "are not on this machine" in choose(downloads=False).line


def test_the_detector_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert people_detector() == "embedded"
    nobody_answers(monkeypatch)
    assert people_detector() == "embedded"
    put(tmp_path, PEOPLE)
    assert people_detector() == PEOPLE


def test_it_is_the_estimator_that_it_takes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "emc"):
        made = plugins.estimator_for("auto:here")
    assert made.describe().name == "nano"
    assert caplog.messages == [choose(downloads=False).line]
    with pytest.raises(UsageError, match="auto:there is unknown: use auto, auto:fast, or auto:here"):
        plugins.estimator_for("auto:there")
