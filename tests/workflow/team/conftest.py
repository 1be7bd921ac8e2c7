"""An empty project with one predicted clip of ten frames and one person, in a box of 100 by 100 px."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emc.pose.records import Clip, Prediction, Role
from emc.store import SqlStore
from emc.workflow.project import new_project


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with new_project(tmp_path / "kick") as made:
        made.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 10, 640, 480))
        run = made.start_run("kick", "nano", "coco17", {}).id
        ones = np.ones(17, np.float32)
        box = np.array([100, 100, 100, 100], np.float32)
        xy = np.full((17, 2), 150, np.float32)
        made.write_predictions(run, [Prediction(f, 0, xy, ones, ones, box) for f in range(10)], upto=10)
        made.finish_run(run)
        yield made
