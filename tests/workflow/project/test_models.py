"""The models of a project: chosen once, told once, kept, and changed by what is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.config import read_settings
from emc.interfaces import Store
from emc.pose.records import Clip, Role
from emc.workflow.project import keep_models, new_project, with_models


class Told:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, task: str, total: int | None) -> None: ...
    def advance(self, steps: int = 1, note: str = "") -> None: ...
    def finish(self) -> None: ...
    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models without any; no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("EMC_OFFLINE", "1")
    return tmp_path / "models"


def put(models: Path, *names: str) -> None:
    for name in names:
        (models / name).mkdir(parents=True)
        (models / name / "model.safetensors").write_bytes(b"")


def taken(store: Store, told: Told, predicts: bool = True, **predict: object) -> tuple[str, str]:
    """The estimator and detector of a command with these options on the project."""
    settings = with_models(store, read_settings(store.folder, {}, predict=predict), told)
    if predicts:
        keep_models(store, settings.predict)
    return settings.predict.estimator, settings.predict.detector


def test_the_choice_is_told_once_and_stays_whatever_comes_to_hand(tmp_path: Path, models: Path) -> None:
    told = Told()
    with new_project(tmp_path / "p") as store:
        assert taken(store, told) == ("nano", "embedded")
        assert len(told.lines) == 1
        assert "are not on this machine" in told.lines[0]
        put(models, "movenet-thunder", "movenet-multipose", "movenet-lightning")
        assert taken(store, told) == ("nano", "embedded")
        assert len(told.lines) == 1
    with new_project(tmp_path / "q") as store:
        assert taken(store, told) == ("movenet-thunder+rotation", "movenet-multipose")
        assert taken(store, told, predicts=False) == ("movenet-thunder+rotation", "movenet-multipose")
        assert told.lines[1:] == [
            "auto: movenet-thunder+rotation, persons found by movenet-multipose (others: `emc models`)"
        ]


def test_what_predicts_a_project_is_what_it_calibrates(tmp_path: Path, models: Path) -> None:
    told = Told()
    put(models, "movenet-thunder", "movenet-multipose", "movenet-lightning")
    with new_project(tmp_path / "p") as store:
        assert taken(store, told, estimator="nano")[0] == "nano"
        assert taken(store, told, predicts=False) == ("nano", "movenet-multipose")
        # Scored with another one, or predicted with a calibrated model: the project's stays.
        assert taken(store, told, predicts=False, estimator="movenet-thunder")[0] == "movenet-thunder"
        assert taken(store, told, estimator=str(tmp_path / "chosen"))[0] == str(tmp_path / "chosen")
        assert taken(store, told, predicts=False)[0] == "nano"
        assert told.lines == []


def test_the_fast_one_becomes_the_projects_and_stays_so(tmp_path: Path, models: Path) -> None:
    told = Told()
    put(models, "movenet-thunder", "movenet-multipose", "movenet-lightning")
    with new_project(tmp_path / "p") as store:
        assert taken(store, told)[0] == "movenet-thunder+rotation"
        assert taken(store, told, fast=True)[0] == "movenet-lightning+rotation"
        assert taken(store, told)[0] == "movenet-lightning+rotation"
        assert taken(store, told, fast=True)[0] == "movenet-lightning+rotation"
        assert len(told.lines) == 2


def test_a_project_of_before_keeps_its_detector(tmp_path: Path, models: Path) -> None:
    told = Told()
    put(models, "movenet-multipose")
    with new_project(tmp_path / "p") as store:
        (store.folder / "auto.toml").write_text('estimator = "nano"\n')
        assert taken(store, told) == ("nano", "movenet-multipose")
        (store.folder / "auto.toml").write_text('estimator = "nano"\n')
        store.add_clip(Clip("clip", "/nowhere.mp4", Role.TARGET, "clip", 1, 8, 8))
        store.start_run("clip", "nano-1", "coco17", {"detector": "embedded"})
        assert taken(store, told) == ("nano", "embedded")
