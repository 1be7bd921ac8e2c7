from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from emc.errors import EmcError
from emc.pose.records import Clip
from emc.server.frames import Frames, _OneReader
from emc.workflow.project.folder import open_project

WHOLE = (120.0, 120.0, 80.0)


@pytest.fixture
def clip(project: Path) -> Clip:
    with open_project(project) as store:
        return store.clips()[0]


def test_frames_asked_for_at_once_are_each_the_right_one(clip: Clip) -> None:
    one, many = Frames(), Frames()
    order = [7, 1, 9, 1, 0, 8, 3, 2]
    expected = [one.jpeg(clip, frame) for frame in order]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda frame: many.jpeg(clip, frame), order)) == expected
    assert len(set(expected)) == 7
    one.close()
    many.close()


def test_who_waits_for_the_next_frame_of_the_clip_is_served_first(clip: Clip) -> None:
    reader = _OneReader(clip)
    reader._waiting, served = [5, 2, 8, 3], []
    reader._done(3)
    while reader._waiting:
        served.append(reader._next())
        reader._waiting.remove(served[-1])
        reader._done(served[-1])
    assert served == [3, 5, 8, 2]


def test_another_cut_of_a_frame_needs_no_decoding(clip: Clip) -> None:
    frames = Frames()
    first = frames.crop(clip, 4, WHOLE, 64)
    gone = replace(clip, path=clip.path + ".gone")
    frames.close()
    assert frames.crop(gone, 4, (90.0, 100.0, 60.0), 64) != first
    with pytest.raises(EmcError):
        frames.crop(gone, 5, WHOLE, 64)
    frames.close()
