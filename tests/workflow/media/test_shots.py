"""Where the shots of a clip begin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emc.errors import InputError
from emc.stages.overlay import write_video
from emc.store import SqlStore
from emc.workflow.media import clip_shots
from emc.workflow.project import add_clips


def test_of_pictures_without_a_rate_each_stands_alone(store: SqlStore) -> None:
    assert clip_shots(store, store.clip("photos")) == {1, 2}
    assert store.documents("shots") == [], "nothing had to be looked at"


def test_a_film_is_looked_at_once(store: SqlStore, tmp_path: Path) -> None:
    places = [np.random.default_rng(seed).integers(0, 255, (9, 16, 3), dtype=np.uint8) for seed in (0, 1)]
    film = [place.repeat(10, 0).repeat(10, 1) for place in places for _ in range(4)]
    write_video(tmp_path / "two.mp4", film, fps=10)
    (clip,) = add_clips(store, [tmp_path / "two.mp4"]).clips
    assert clip_shots(store, clip, look=False) == set()
    assert clip_shots(store, clip) == {4}
    assert clip_shots(store, clip, look=False) == {4}
    (tmp_path / "two.mp4").unlink()
    assert clip_shots(store, clip) == {4}
    with pytest.raises(InputError, match="is missing"):
        clip_shots(store, replace(clip, sha256="of other content"))
