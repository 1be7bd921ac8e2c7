"""The cost model: hand-computed seconds, frozen rules, and what hangs on its constants."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest

from emc.errors import InputError, UsageError
from emc.study.scripted.actions import Action, Move
from emc.study.scripted.klm import LABEL, by_step, read_rules, sensitivity

CLICK = Action("click", 0, 0, presses=2, moves=(Move(300.0, 20.0),))
RULES_SHA256 = "4fd7893aee830c43263b568e61cfb182632475c038d7f45b74edd8baf1a3a78e"


def test_a_click_is_a_thought_a_movement_and_a_press() -> None:
    # 1.35 + (-0.107 + 0.223 * log2(300 / 20 + 1) = 0.785) + 2 * 0.10
    assert read_rules().model.seconds(CLICK) == pytest.approx(2.335)


def test_a_drag_is_two_movements_of_which_one_is_held() -> None:
    moves = (Move(0.0, 28.0), Move(60.0, 4.0, held=True))
    # 1.35 + the least movement 0.10 + (0.135 + 0.249 * log2(16) = 1.131) + 2 * 0.10
    assert read_rules().model.seconds(Action("drag", presses=2, moves=moves)) == pytest.approx(2.781)


def test_typing_is_reading_a_place_and_eight_keys() -> None:
    typed = Action("type", keys=8, homings=2, moves=(Move(300.0, 20.0),))
    assert read_rules().model.seconds(typed) == pytest.approx(1.35 + 0.785 + 8 * 0.2 + 2 * 0.4)


def test_a_scan_is_a_glance_for_each_picture() -> None:
    assert read_rules().model.seconds(Action("scan", glances=30)) == pytest.approx(4.5)


def test_the_other_constants_of_fitts_law() -> None:
    times = {model.pointing.name.split(" (")[0]: model.seconds(CLICK) for model in read_rules().models}
    assert times["Card, English and Burr 1978"] == pytest.approx(1.55 + 1.03 + 0.096 * 3.954196310386875)
    assert times["keystroke-level model 1980"] == pytest.approx(2.65)
    assert times["throughput 3.7 bit/s"] == pytest.approx(1.55 + 4 * 0.27)


def test_the_rules_are_as_they_were_when_they_were_frozen() -> None:
    rules = files("emc.study").joinpath("klm.toml").read_bytes()
    assert hashlib.sha256(rules).hexdigest() == RULES_SHA256, "measure everything anew, then freeze the new rules"


def test_steps_come_costliest_first_with_their_parts() -> None:
    steps = by_step(read_rules().model, [Action("scan", glances=2), CLICK, CLICK])
    assert list(steps) == ["click", "scan"]
    assert steps["click"]["actions"] == 2
    assert steps["click"]["think"] == pytest.approx(2.7)
    assert steps["scan"]["seconds"] == pytest.approx(0.3)


def test_sensitivity_tells_the_ratio_under_errors_of_the_model() -> None:
    scan = Action("scan", glances=10)
    told = sensitivity(read_rules(), [scan], [CLICK])
    assert told["label"] == LABEL == "simulated"
    assert told["ratio"] == pytest.approx(1.5 / 2.335)
    assert told["model_error"] == pytest.approx([1.5 / 2.335 * 0.79 / 1.21, 1.5 / 2.335 * 1.21 / 0.79])
    assert told["glance"] == pytest.approx([1.5 * 0.79 / 2.335, 1.5 * 1.21 / 2.335])
    assert told["pointing"]["keystroke-level model 1980 (constant)"] == pytest.approx(1.5 / 2.65)


def test_an_action_without_a_rule_and_a_target_without_width_are_refused() -> None:
    with pytest.raises(UsageError, match="no rule for actions of kind 'stare'"):
        read_rules().model.seconds(Action("stare"))
    with pytest.raises(UsageError, match="0.0 px"):
        read_rules().model.seconds(Action("click", moves=(Move(10.0, 0.0),)))


def test_broken_rules_are_named() -> None:
    with pytest.raises(InputError, match="klm.toml cannot be used"):
        read_rules("frozen = 'today'")
