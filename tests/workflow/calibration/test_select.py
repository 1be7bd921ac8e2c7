"""Whom to correct next, in a project with one predicted clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.kicks import FRAMES, kick_project, seen

from emc.config import read_settings
from emc.errors import UsageError
from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.workflow.calibration.select import next_to_correct

SETTINGS = read_settings(None, {})


def test_who_is_corrected_is_not_named_again_until_nobody_is_left(tmp_path: Path) -> None:
    with kick_project(tmp_path / "p.emc") as store:
        confirm(store, range(FRAMES - 3))
        found = next_to_correct(store, [], 10, "random", [], SETTINGS)
        assert (found["open"], found["done"]) == (3, FRAMES - 3)
        assert {row["frame"] for row in found["persons"]} == set(range(FRAMES - 3, FRAMES))
        confirm(store, range(FRAMES - 3, FRAMES))
        with pytest.raises(UsageError, match="every predicted person is corrected: predict more clips"):
            next_to_correct(store, [], 10, "random", [], SETTINGS)


def confirm(store, frames) -> None:
    changes = tuple(
        JointChange(frame, 0, joint, float(x), float(y), Visibility.VISIBLE, Provenance.CONFIRMED)
        for frame in frames
        for joint, (x, y) in enumerate(np.asarray(seen()[frame]))
    )
    store.append_edit(Edit("kick", "confirm", changes, author="ana"))
