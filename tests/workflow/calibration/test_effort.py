"""What correcting cost: what a person did, what a program did in a person's place, and what came from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.embedded_models import EMBEDDED
from tests.kicks import FRAMES, correct_wrist, kick_project, seen

from emc.config import read_settings
from emc.pose.journal import invert
from emc.pose.records import SIMULATED, Edit, JointChange, Provenance, Visibility
from emc.store import SqlStore
from emc.workflow.calibration.effort import project_effort

SETTINGS = read_settings(None, EMBEDDED)


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return kick_project(tmp_path / "kick.emc")


def labels(author: str) -> Edit:
    """Return true labels of all joints on all frames, as an import gives them."""
    xy = seen()
    changes = tuple(
        JointChange(f, 0, j, float(xy[f, j, 0]), float(xy[f, j, 1]), Visibility.VISIBLE, Provenance.HUMAN)
        for f in range(FRAMES)
        for j in range(17)
    )
    return Edit("kick", "import", changes, author)


def test_nothing_corrected_is_no_effort(store: SqlStore) -> None:
    assert project_effort(store, SETTINGS) is None


def test_work_of_a_person_is_recorded(store: SqlStore) -> None:
    correct_wrist(store)
    effort = project_effort(store, SETTINGS)
    assert effort is not None
    assert (effort["simulated"], effort["how"]) == (False, "recorded")
    assert (effort["actions"], effort["joints_changed"], effort["joints_imported"]) == (1, 2, 0)


def test_labels_of_a_program_are_simulated_work(store: SqlStore) -> None:
    store.append_edit(labels(SIMULATED))
    effort = project_effort(store, SETTINGS)
    assert effort is not None
    assert (effort["simulated"], effort["how"], effort["joints_imported"]) == (True, "simulated", 0)
    # The wrist strays on frames 10 and 11: two joints are placed, 30 frames checked.
    assert (effort["actions"], effort["frames_checked"]) == (2, FRAMES)
    assert effort["seconds"] == pytest.approx(30 * 1.35 + 2 * 1.3, abs=0.05)
    assert effort["recorded"] == {"actions": 0, "seconds": 0.0, "joints_changed": 0}


def test_both_are_told_apart(store: SqlStore) -> None:
    store.append_edit(labels(SIMULATED))
    correct_wrist(store)
    effort = project_effort(store, SETTINGS)
    assert effort is not None
    assert (effort["how"], effort["actions"]) == ("partly simulated", 3)
    assert effort["recorded"] == {"actions": 1, "seconds": 0.0, "joints_changed": 2}


def test_imported_labels_are_neither_actions_nor_joints_changed_by_hand(store: SqlStore) -> None:
    before = list(store.poses("kick"))
    done = store.append_edit(labels("import"))
    effort = project_effort(store, SETTINGS)
    assert effort is not None
    assert (effort["actions"], effort["joints_changed"], effort["joints_imported"]) == (0, 0, FRAMES * 17)
    assert effort["how"] == "recorded"
    store.append_edit(invert(done, before, "import"))
    again = project_effort(store, SETTINGS)
    assert again is not None
    assert again["joints_imported"] == 0
