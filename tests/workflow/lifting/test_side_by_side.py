import numpy as np
import pytest
from tests.kicks import FPS, FRAMES, SIZE, kick_project

from emc.config import Settings
from emc.errors import UsageError
from emc.stages.overlay.drawing import write_video
from emc.stages.overlay.side_by_side import PALETTE
from emc.stages.video import open_media, probe
from emc.workflow.lifting.lift import lift_project
from emc.workflow.lifting.side_by_side import write_videos


@pytest.fixture
def store(tmp_path):
    media = tmp_path / "kick.mp4"
    write_video(media, (np.full((SIZE[1], SIZE[0], 3), 90, dtype=np.uint8) for _ in range(FRAMES)), FPS)
    with kick_project(tmp_path / "kick.emc", str(media)) as made:
        yield made


def test_the_clip_and_its_skeleton_stand_side_by_side(store, tmp_path):
    rows = lift_project(store, Settings())
    write_videos(store, rows, tmp_path / "both.mp4", Settings().alerts)
    assert rows[0]["video"] == str(tmp_path / "both.mp4")
    info = probe(tmp_path / "both.mp4")
    assert (info.frames, info.width, info.height, info.fps) == (FRAMES, SIZE[0] + 4 + SIZE[1], SIZE[1], FPS)
    with open_media(tmp_path / "both.mp4") as reader:
        image = reader.read(15).astype(int)
    left, right = image[:, : SIZE[0]], image[:, SIZE[0] + 4 :]
    assert np.abs(left[:20, :20] - 90).max() < 12
    assert right[:10, :10].min() > 235
    drawn = np.abs(right - np.array(PALETTE[0])).sum(axis=2) < 90
    assert drawn.sum() > 60


def test_a_clip_that_is_not_lifted_says_so(store, tmp_path):
    with pytest.raises(UsageError, match="not lifted yet"):
        write_videos(store, [{"clip": "kick"}], tmp_path / "both.mp4", Settings().alerts)
