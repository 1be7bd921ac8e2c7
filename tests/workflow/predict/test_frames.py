from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emc.config import VideoSettings
from emc.errors import UsageError
from emc.stages.overlay.drawing import write_video
from emc.workflow.predict.frames import sampling_of, wanted_frames
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    """Forty frames at 10 per second; nothing moves but in frames 30 to 39."""
    rng = np.random.default_rng(0)
    still = np.full((48, 64, 3), 90, np.uint8)
    frames = [still if i < 30 else rng.integers(0, 255, still.shape, dtype=np.uint8) for i in range(40)]
    path = tmp_path / "moving.mp4"
    write_video(path, frames, fps=10)
    return path


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (None, list(range(40))),
        ("every:16", [0, 16, 32]),
        ("fps:1", [0, 10, 20, 30]),
        ("uniform:4", [5, 15, 25, 35]),
    ],
)
def test_frames_that_are_asked_for(word: str | None, expected: list[int], moving: Path, tmp_path: Path) -> None:
    with new_project(tmp_path / "p") as store:
        add_clips(store, [moving])
        assert wanted_frames(store, store.clip("moving"), VideoSettings(**sampling_of(word))) == expected


def test_motion_takes_more_where_things_move(moving: Path, tmp_path: Path) -> None:
    with new_project(tmp_path / "p") as store:
        add_clips(store, [moving])
        settings = VideoSettings(**sampling_of("motion:8"))
        chosen = wanted_frames(store, store.clip("moving"), settings)
        assert len(chosen) == 8
        assert sum(frame >= 29 for frame in chosen) >= 6
        assert wanted_frames(store, store.clip("moving"), settings) == chosen


@pytest.mark.parametrize("word", ["often:3", "fps:fast", "every", "uniform:2.5"])
def test_unknown_sampling_is_named(word: str) -> None:
    with pytest.raises(UsageError, match=word):
        sampling_of(word)
