"""An open project of one clip of 20 frames on which one person was predicted; its media are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.pose.records import Clip, JointChange, Prediction, Provenance, Role, Visibility
from emc.workflow.editing import EditAction, Editing
from emc.workflow.project import new_project

FRAMES = 20


@pytest.fixture
def editing(tmp_path: Path) -> Iterator[Editing]:
    with new_project(tmp_path / "kick") as store:
        store.add_clip(Clip("kick", str(tmp_path / "kick.mp4"), Role.TARGET, "ana", FRAMES, 640, 480))
        run = store.start_run("kick", "nano", "coco17", {}).id
        store.write_predictions(run, [_standing(frame) for frame in range(FRAMES)], upto=FRAMES)
        store.finish_run(run)
        opened = Editing(store, read_settings(None, EMBEDDED).alerts, "starter")
        yield opened
        opened.close()


def _standing(frame: int) -> Prediction:
    xy = np.stack([100 + 10.0 * np.arange(17), np.full(17, 200.0)], axis=1).astype(np.float32)
    return Prediction(
        frame, 0, xy, np.ones(17, np.float32), np.full(17, 0.9, np.float32), np.array([90, 100, 200, 200])
    )


@pytest.fixture
def action() -> Callable[..., EditAction]:
    def make(
        author: str = "ana", joint: int = 5, frame: int = 3, person: int = 0, x: float = 50.0, **over
    ) -> EditAction:
        change = JointChange(frame, person, joint, x, 60.0, Visibility.VISIBLE, Provenance.HUMAN)
        return EditAction("place", (change,), author=author, **over)

    return make
