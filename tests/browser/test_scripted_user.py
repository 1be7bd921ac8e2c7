"""The scripted user corrects a clip through the page alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page
from tests.browser.editor_page import CLIP, edits, kinds

from emc.pose.skeletons.skeleton import COCO17
from emc.study.scripted.actions import corrections
from emc.study.scripted.klm import read_rules
from emc.study.scripted.oracle import Oracle, Truth
from emc.study.scripted.policies import POLICIES
from emc.study.scripted.user import ScriptedUser
from emc.workflow.project.folder import open_project

pytestmark = pytest.mark.browser
FRAMES = 12
WRIST = COCO17.index("left_wrist")


def truth_beside(project: Path) -> tuple[Truth, np.ndarray]:
    """A truth that is what the model said, but for one wrist on four frames."""
    with open_project(project) as store:
        run = store.current_run(CLIP)
        assert run is not None
        said = np.stack([p.xy for p in store.predictions(run.id)]).astype(float)
    xy = said.copy()
    xy[4:8, WRIST] += (22.0, -14.0)
    scale = np.full(FRAMES, 80.0)
    truth = Truth(xy, np.full((FRAMES, 17), 2), scale, np.full(FRAMES, 30.0), np.array(COCO17.sigmas))
    return truth, said


def test_what_lies_off_the_screen_is_brought_there_before_it_is_clicked(page: Page, project: Path) -> None:
    truth, _ = truth_beside(project)
    user = ScriptedUser(page, Oracle(truth, read_rules().person, seed=3))
    frame = user.look().frame
    nose = truth.xy[frame, 0].copy()
    for _ in range(12):
        user.key("+", "step")
    far = int(np.linalg.norm(truth.xy[frame] - nose, axis=1).argmax())
    assert not all(user.look().shows((x, y)) for x, y in (nose, truth.xy[frame, far]))
    user.page.evaluate("(joint) => document.querySelectorAll('[data-joint]')[joint].click()", 0)
    sight = user.free(lambda: None)
    assert sight.joint == 0
    truth.xy[frame, 0] = truth.xy[frame, far]
    user.place(sight, 0, "place")
    assert np.linalg.norm(np.array(user.look().joints[0].xy) - truth.xy[frame, far]) < 5
    assert np.linalg.norm(nose - truth.xy[frame, far]) > 5
    assert [action.kind for action in user.log[12:]][-1] == "place"
    assert len(edits(project)) == 1


def test_the_log_says_of_each_action_whether_the_journal_holds_it(page: Page, project: Path) -> None:
    truth, _ = truth_beside(project)
    user = ScriptedUser(page, Oracle(truth, read_rules().person, seed=3), lambda: len(edits(project)))
    user.key("c", "confirm", stores=True)
    user.key("c", "confirm", stores=True)
    user.key(".", "step", moved=True)
    assert [action.stores for action in user.log] == [True, False, False]
    assert len(edits(project)) == 1


def test_our_way_finds_the_wrist_on_its_sheet_and_puts_it_right(page: Page, project: Path) -> None:
    truth, said = truth_beside(project)
    user = ScriptedUser(page, Oracle(truth, read_rules().person, seed=3))
    full = next(policy for policy in POLICIES if policy.name == "full")
    full.work(user)
    assert sum(action.stores for action in user.log) == len(edits(project))
    assert kinds(project).count("confirm run") >= 17
    fixed = [action for action in user.log if action.kind == "fix_tile" and action.joint == WRIST]
    assert fixed
    assert all(move.width > 0 for action in fixed for move in action.moves)
    assert corrections(user.log) < 4 + 10
    with open_project(project) as store:
        now = np.stack([pose.xy[WRIST] for pose in store.poses(CLIP)])
    off_before = np.linalg.norm(said[4:8, WRIST] - truth.xy[4:8, WRIST], axis=1)
    off_after = np.linalg.norm(now[4:8] - truth.xy[4:8, WRIST], axis=1)
    assert off_before.min() > 25
    assert np.median(off_after) < 8
