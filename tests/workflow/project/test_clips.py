from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.records import Role
from emc.stages.overlay.drawing import write_video
from emc.workflow.project.clips import add_clips, clip_id, parse_tags, selected_clips
from emc.workflow.project.folder import find_project, new_project, status


def video(path: Path, frames: int = 4, shade: int = 0) -> Path:
    write_video(path, (np.full((48, 64, 3), shade + 10 * i, np.uint8) for i in range(frames)), fps=10)
    return path


def test_good_files_are_added_and_bad_ones_named(tmp_path: Path) -> None:
    good, twin = video(tmp_path / "kick 1.mp4"), tmp_path / "again.mp4"
    twin.write_bytes(good.read_bytes())
    empty = tmp_path / "empty.mp4"
    empty.touch()
    before = good.read_bytes()
    with new_project(tmp_path / "p") as store:
        done = add_clips(store, [empty, tmp_path / "missing.mp4", good, twin], Role.TARGET, "anna", {"gender": "f"})
        clip = store.clip("kick_1")
        document = status(store)
    assert [c.id for c in done.clips] == ["kick_1"]
    assert [
        name in failure for name, failure in zip(("empty.mp4", "missing.mp4", "again.mp4"), done.failures, strict=True)
    ] == [True] * 3
    assert "already in the project as clip 'kick_1'" in done.failures[2]
    assert all("\n" not in failure for failure in done.failures)
    assert (clip.frames, clip.width, clip.height, clip.group, dict(clip.tags)) == (4, 64, 48, "anna", {"gender": "f"})
    assert good.read_bytes() == before
    assert document["clips"][0]["media"] == "present"


def test_ids_are_safe_and_unique(tmp_path: Path) -> None:
    path = tmp_path / "Tritt (links).mp4"
    path.touch()
    assert clip_id(path, set()) == "Tritt_links"
    assert clip_id(path, {"Tritt_links"}) == "Tritt_links-2"


def test_tags_are_key_value() -> None:
    assert parse_tags(["clothing=uniform", " gender = f "]) == {"clothing": "uniform", "gender": "f"}
    with pytest.raises(UsageError, match="tag 'uniform' is not of the form key=value"):
        parse_tags(["uniform"])


def test_a_removed_clip_no_longer_shows(tmp_path: Path) -> None:
    with new_project(tmp_path / "p") as store:
        add_clips(store, [video(tmp_path / "a.mp4"), video(tmp_path / "b.mp4", shade=100)])
        store.remove_clip("a")
        assert [clip.id for clip in selected_clips(store, [])] == ["b"]
        with pytest.raises(UsageError, match="b"):
            selected_clips(store, ["a"])


def test_the_project_meant_is_the_only_one_here(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="emc new"):
        find_project(None, tmp_path)
    new_project(tmp_path / "one").close()
    assert find_project(None, tmp_path) == tmp_path / "one.emc"
    assert find_project(tmp_path / "one", tmp_path) == tmp_path / "one.emc"
    new_project(tmp_path / "two").close()
    with pytest.raises(UsageError, match=r"one\.emc, two\.emc"):
        find_project(None, tmp_path)
