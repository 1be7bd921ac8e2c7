"""Quality after each action, from the log and the journal."""

from __future__ import annotations

import numpy as np
import pytest

from emc.errors import InputError
from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.study.scripted.actions import Action
from emc.study.scripted.correction_curve import curve_of, similarity, summary_of, wrong
from emc.study.scripted.klm import read_rules
from emc.study.scripted.oracle import Truth

MODEL = read_rules().model
TRUTH = Truth(np.full((2, 2, 2), 50.0), np.full((2, 2), 2), np.full(2, 100.0), np.full(2, 30.0), np.array([0.1, 0.1]))
START = np.array([[[50.0, 50.0], [90.0, 50.0]], [[50.0, 50.0], [70.0, 50.0]]])


def edit(*places: tuple[int, int, float, Provenance]) -> Edit:
    changes = (JointChange(f, 0, j, x, 50.0, Visibility.VISIBLE, by) for f, j, x, by in places)
    return Edit("clip", "place", tuple(changes))


def test_similarity_is_coco_s_and_an_error_lies_beyond_half_a_head() -> None:
    ks = similarity(TRUTH, START)
    assert ks == pytest.approx(np.array([[1.0, np.exp(-2.0)], [1.0, np.exp(-0.5)]]))
    assert wrong(TRUTH, START).tolist() == [[False, True], [False, True]]


def test_the_curve_follows_the_journal() -> None:
    actions = [
        Action("scan", glances=10),
        Action("fix_tile", 0, 1, keys=1, stores=True, corrects=True),
        Action("confirm", keys=1, stores=True),
    ]
    human, machine = Provenance.HUMAN, Provenance.PROPAGATED
    edits = [edit((0, 1, 50.0, human), (1, 1, 50.0, machine)), edit((0, 1, 50.0, Provenance.CONFIRMED))]
    curve = curve_of(TRUTH, START, actions, edits, MODEL)
    assert curve.seconds == pytest.approx([0.0, 1.5, 1.5 + 1.55, 1.5 + 1.55 + 0.2])
    before = (2.0 + np.exp(-2.0) + np.exp(-0.5)) / 4
    assert curve.oks == pytest.approx([before, before, 1.0, 1.0])
    assert curve.right.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert curve.seconds_to(0.95) == pytest.approx(3.05)
    assert curve.corrections_to(0.95) == 1
    told = summary_of(TRUTH, START, actions, curve)
    assert told["missed_errors"] == told["introduced_errors"] == 0.0
    assert told["noc95"] == told["noc95_right"] == 0.5
    assert told["corrections_per_1000_joints"] == 250.0


def test_a_machine_never_moves_what_a_person_placed() -> None:
    actions = [Action("fix_tile", stores=True, corrects=True), Action("fix_tile", stores=True, corrects=True)]
    edits = [
        edit((0, 1, 50.0, Provenance.HUMAN)),
        edit((1, 1, 50.0, Provenance.HUMAN), (0, 1, 0.0, Provenance.PROPAGATED)),
    ]
    assert curve_of(TRUTH, START, actions, edits, MODEL).oks[-1] == pytest.approx(1.0)


def test_what_a_repair_breaks_is_an_introduced_error() -> None:
    actions = [Action("fix_tile", stores=True, corrects=True)]
    edits = [edit((0, 1, 50.0, Provenance.HUMAN), (1, 0, 90.0, Provenance.PROPAGATED))]
    curve = curve_of(TRUTH, START, actions, edits, MODEL)
    told = summary_of(TRUTH, START, actions, curve)
    assert told["introduced_errors"] == 0.5
    assert told["missed_errors"] == 0.5
    assert told["noc95"] == float("inf")


def test_a_log_of_another_journal_is_refused() -> None:
    with pytest.raises(InputError, match="the log has 1 stored actions, the journal 0 edits"):
        curve_of(TRUTH, START, [Action("fix_tile", stores=True)], [], MODEL)
