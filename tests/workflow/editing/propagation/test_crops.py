from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from emc.pose.records import Clip
from emc.workflow.editing.propagation.crops import CropCache, PersonBoxes
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project
from emc.workflow.samples.rendered import ClipRequest, render_file

FRAMES = 6


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    files = render_file(ClipRequest("front_kick", 7, FRAMES, folder=str(tmp_path / "media")))
    with new_project(tmp_path / "kick") as store:
        return add_clips(store, [files.video]).clips[0]


def wanted(clip: Clip) -> PersonBoxes:
    return PersonBoxes(clip, 0, {frame: np.array([40.0, 30.0, 90.0, 180.0]) for frame in range(FRAMES)})


def test_what_was_decoded_ahead_is_there_without_decoding(clip: Clip) -> None:
    shelf = CropCache()
    assert shelf.warm(wanted(clip)) == (0, FRAMES)
    shelf._ahead.shutdown(wait=True)
    crops = shelf.crops(wanted(clip), budget=0.0)
    assert all(crop is not None for crop in crops)
    shelf.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux alone")
def test_decoding_ahead_gives_way_to_whoever_waits(clip: Clip) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    shelf = CropCache()
    shelf.warm(wanted(clip))
    (ahead,) = [thread for thread in threading.enumerate() if thread.name.startswith("emc-crops")]
    assert ahead.native_id is not None
    shelf._ahead.submit(lambda: None).result()
    assert os.getpriority(os.PRIO_PROCESS, ahead.native_id) == min(before + 10, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    shelf.close()
