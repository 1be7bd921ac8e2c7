"""Clips in a project."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.records import Clip, MediaFile, Role
from emc.store.sql import SqlStore

WALK = Clip(
    id="walk",
    path="/media/Walk 1 ünï.mp4",
    role=Role.COMMON,
    group="ben",
    frames=3,
    width=1920,
    height=1080,
    kind="video",
    fps=29.97,
    sha256="ab" * 32,
    tags={"view": "side", "light": "dim"},
    times=np.array([0.0, 1 / 3, 0.7]),
)


def test_a_clip_comes_back_as_it_was(store: SqlStore) -> None:
    store.add_clip(WALK)
    back = store.clip("walk")
    assert back.times is not None and WALK.times is not None
    assert back.times.tobytes() == WALK.times.tobytes()
    assert dataclasses.replace(back, times=None) == dataclasses.replace(WALK, times=None)
    assert type(back.role) is Role


def test_clips_come_by_id_without_times(store: SqlStore) -> None:
    store.add_clip(WALK)
    store.add_clip(dataclasses.replace(WALK, id="dive", role=Role.TARGET))
    assert [clip.id for clip in store.clips()] == ["dive", "kick", "walk"]
    assert [clip.id for clip in store.clips("target")] == ["dive", "kick"]
    assert [clip.id for clip in store.clips(Role.COMMON)] == ["walk"]
    assert store.clips("common")[0].times is None


def test_a_taken_id_is_refused(store: SqlStore) -> None:
    with pytest.raises(
        UsageError, match=r"clip kick is in the project already \(/media/kick\.mp4\): choose another id"
    ):
        store.add_clip(dataclasses.replace(WALK, id="kick"))


def test_an_unknown_clip_names_those_that_exist(store: SqlStore) -> None:
    store.add_clip(WALK)
    with pytest.raises(UsageError, match="no clip 'kik' in the project: use one of kick, walk"):
        store.clip("kik")
    for clip in ("kick", "walk"):
        store.remove_clip(clip)
    with pytest.raises(UsageError, match="add one with `emc add`"):
        store.clip("kick")


def test_a_removed_clip_keeps_its_journal_and_can_come_back(store: SqlStore, drag, predicted) -> None:
    kick = store.clip("kick")
    run = store.start_run("kick", "nano", "tiny", {}).id
    store.write_predictions(run, [predicted(0)])
    store.finish_run(run)
    kept = store.append_edit(drag(0))
    store.remove_clip("kick")
    assert store.clips() == []
    assert store.runs() == []
    assert store.edits("kick") == store.edits() == [kept]
    for use in (store.remove_clip, store.poses, store.runs):
        with pytest.raises(UsageError, match="no clip 'kick'"):
            use("kick")
    with pytest.raises(UsageError, match="no clip 'kick'"):
        store.append_edit(drag(0))
    store.add_clip(kick)
    assert store.poses("kick")[0].xy[0].tolist() == [7, 8]


def test_the_id_of_a_removed_clip_is_not_given_to_other_media(store: SqlStore) -> None:
    store.remove_clip("kick")
    with pytest.raises(UsageError, match="clip id kick belonged to other media"):
        store.add_clip(dataclasses.replace(WALK, id="kick"))


def test_a_clip_is_updated_whole(store: SqlStore) -> None:
    files = (MediaFile("kick.mp4", 3, 1_700_000_000_000_000_001, "ab" * 32),)
    times = np.arange(100) / 50.0
    after = dataclasses.replace(
        store.clip("kick"), path="/elsewhere/kick.mp4", files=files, earlier=("cd" * 32,), times=times
    )
    store.update_clip(after)
    back = store.clip("kick")
    assert dataclasses.replace(back, times=None) == dataclasses.replace(after, times=None)
    assert back.times is not None and back.times.tolist() == times.tolist()
    with pytest.raises(UsageError, match="there is no clip 'walk'"):
        store.update_clip(WALK)


def test_removed_clips_are_told_the_last_one_first(store: SqlStore) -> None:
    store.add_clip(WALK)
    store.remove_clip("kick")
    assert [clip.id for clip in store.removed_clips()] == ["kick"]
    assert [clip.id for clip in store.clips()] == ["walk"]


def test_numpy_numbers_are_stored_as_numbers(store: SqlStore) -> None:
    numbers = {"frames": np.int64(5), "width": np.int32(6), "height": np.int16(7), "fps": np.float32(2.5)}
    store.add_clip(dataclasses.replace(WALK, **numbers))
    back = store.clip("walk")
    assert (back.frames, back.width, back.height, back.fps) == (5, 6, 7, 2.5)
