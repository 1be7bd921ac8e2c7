"""A joint over many frames, for contact sheets and trajectories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.kicks import FRAMES, WRIST, correct_wrist, kick_project, seen

from emc.config import AlertSettings
from emc.errors import UsageError
from emc.pose.records import Provenance
from emc.workflow.editing.session import Editing
from emc.workflow.editing.sheet import joint_track


def test_a_joint_is_shown_as_corrected_with_who_placed_it(tmp_path: Path) -> None:
    with kick_project(tmp_path / "p.emc") as store:
        correct_wrist(store)
        track = joint_track(Editing(store, AlertSettings()), "kick", 0, WRIST, 8, 12)
        np.testing.assert_allclose(track.xy, seen()[8:13, WRIST], atol=1e-3)
        by_hand = [int(who) >= Provenance.HUMAN for who in track.provenance]
        assert by_hand == [False, False, True, True, False]
        assert track.versions.tolist() == [0, 0, 1, 1, 0]


@pytest.mark.parametrize(("first", "last"), [(-1, 3), (5, 4), (0, FRAMES)])
def test_frames_that_there_are_not(tmp_path: Path, first: int, last: int) -> None:
    with kick_project(tmp_path / "p.emc") as store:
        with pytest.raises(UsageError, match=f"frames {first} to {last} of clip kick cannot be shown"):
            joint_track(Editing(store, AlertSettings()), "kick", 0, WRIST, first, last)
        with pytest.raises(UsageError, match="clip kick has no joint 17"):
            joint_track(Editing(store, AlertSettings()), "kick", 0, 17, 0, 3)
