"""A project with one clip of 100 frames."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from emc.pose.records import Clip, Edit, JointChange, Prediction, Provenance, Role, Visibility
from emc.store.sql import SqlStore


@pytest.fixture(scope="session")
def made_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "kick.emc"
    with SqlStore.create(folder) as store:
        store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
    return folder


@pytest.fixture
def project(made_project: Path, tmp_path: Path) -> Path:
    """A copy of a project that was made once."""
    return Path(shutil.copytree(made_project, tmp_path / "kick.emc"))


@pytest.fixture
def store(project: Path) -> Iterator[SqlStore]:
    with SqlStore.open(project) as opened:
        yield opened


@pytest.fixture
def predicted() -> Callable[..., Prediction]:
    def make(frame: int, person: int = 0, x: float = 1.0) -> Prediction:
        """Three joints: (x, 2), not found, (5, 6)."""
        return Prediction(
            frame,
            person,
            xy=np.array([[x, 2], [np.nan, np.nan], [5, 6]], np.float32),
            score=np.array([9, 0, 8], np.float32),
            confidence=np.array([0.9, 0, 0.8], np.float32),
            box=np.array([0, 0, 10, 20], np.float32),
        )

    return make


@pytest.fixture
def drag() -> Callable[..., Edit]:
    def make(frame: int, x: float = 7.0, joint: int = 0, clip: str = "kick", undoes: int = 0) -> Edit:
        change = JointChange(frame, 0, joint, x, 8.0, Visibility.VISIBLE, Provenance.HUMAN)
        return Edit(clip, "undo" if undoes else "drag", () if undoes else (change,), "ana", 1.5, undoes)

    return make
