"""A project with one folder of three photos, grey 60, 120 and 180."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emc.store import SqlStore
from emc.workflow.project import add_clips, new_project


@pytest.fixture
def photograph() -> Callable[[Path, int], None]:
    def write(path: Path, value: int) -> None:
        Image.fromarray(np.full((20, 30, 3), value, np.uint8)).save(path)

    return write


@pytest.fixture
def photos(tmp_path: Path, photograph: Callable[[Path, int], None]) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2, 3):
        photograph(folder / f"p{number}.png", 60 * number)
    return folder


@pytest.fixture
def store(tmp_path: Path, photos: Path) -> Iterator[SqlStore]:
    with new_project(tmp_path / "album") as opened:
        assert add_clips(opened, [photos]).failures == ()
        yield opened
