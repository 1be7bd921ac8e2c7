from typing import Any

import pytest

from emc.stages.report.wording import (
    duration,
    few_errors,
    interval,
    number,
    percent,
    percent_interval,
    points,
    points_interval,
    sentence,
    verdict,
)

NBSP = "\N{NO-BREAK SPACE}"


def figure(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "ci95": None if low is None else [low, high], "n": 10}


def test_numbers() -> None:
    assert number(97.46) == "97.5"
    assert number(None) == "–"
    assert number(-0.04, sign=True) == "0.0"  # neither minus nor plus
    assert number(-1.25, 2) == "−1.25"
    assert number(0.3, sign=True) == "+0.3"


def test_figures() -> None:
    assert percent(figure(0.9746)) == "97.5"
    assert percent_interval(figure(0.9, 0.85, 0.951)) == "[85.0, 95.1]"
    assert percent_interval(figure(0.9)) == ""
    assert percent(figure(None)) == "–"
    assert points(figure(-0.31)) == "−0.3"
    assert points_interval(figure(0.1, -0.3, 0.5)) == "[−0.3, +0.5]"
    assert interval(None) == ""


@pytest.mark.parametrize(("seconds", "text"), [(12.4, "12 s"), (1460, "24 min"), (9000, "2 h 30 min")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sentences() -> None:
    assert sentence("step 3: 1 -> 2") == "Step 3: 1 → 2."
    assert sentence("Done.") == "Done."


def report(step: int = 600, **changes: Any) -> dict[str, Any]:
    return {"chosen": {"step": step}, "before_after": changes}


def said(**changes: Any) -> str:
    return verdict(report(**changes)).replace(NBSP, " ")


def test_verdict_of_a_gain() -> None:
    text = said(
        leg_errors_removed=figure(0.76, 0.7, 0.81),
        total_errors_removed=figure(0.64, 0.6, 0.7),
        common_total_change=figure(-0.21, -0.6, 0.2),
    )
    assert text == (
        "Calibration removed 76.0 % [70.0, 81.0] of the leg errors on the target (64.0 % [60.0, 70.0] of all), "
        "while the score on common poses fell by 0.2 points [−0.6, +0.2]."
    )


def test_verdict_says_what_is_no_proof() -> None:
    assert said(leg_errors_removed=figure(0.1, -0.1, 0.3)).endswith("The interval includes zero: this is no proof yet.")
    assert said(leg_errors_removed=figure(0.1)).endswith("take the figure as a hint.")


def test_verdict_of_a_loss_and_of_no_change() -> None:
    text = said(leg_errors_removed=figure(-0.2, -0.3, -0.1), common_total_change=figure(0.01, -0.1, 0.1))
    assert text.startswith("Calibration added 20.0 % to the leg errors")
    assert "stayed where it was (0.0 points [−0.1, +0.1])" in text


def test_verdict_without_legs_without_errors_and_without_a_choice() -> None:
    assert said(total_errors_removed=figure(0.5, 0.4, 0.6)).startswith(
        "Calibration removed 50.0 % [40.0, 60.0] of the errors"
    )
    assert "made no error" in said(leg_errors_removed=figure(None), total_errors_removed=figure(None))
    assert verdict(report(step=0)).startswith("The base model is kept")


def one_step(right: float, n: int) -> list[dict[str, Any]]:
    return [{"step": 0, "target": {"pckh": {"leg": {"value": right, "n": n}, "total": {"value": right, "n": n}}}}]


def test_a_share_of_too_few_joints_is_no_score() -> None:
    one = figure(1.0, 1.0, 1.0) | {"n": 1}
    assert (percent(one), percent_interval(one)) == ("too few joints", "")
    assert (points(one, "persons"), points_interval(one)) == ("too few persons", "")


def test_no_share_of_a_handful_of_errors_is_told() -> None:
    # 40 joints, 97.5 % right: one was wrong, and setting it right is not "100 % removed".
    removed = figure(1.0, 1.0, 1.0)
    found = report(leg_errors_removed=removed, total_errors_removed=removed) | {"ladder": one_step(0.975, 40)}
    assert few_errors(found, "leg") == "the base had 1 of 40 leg joints wrong"
    assert verdict(found) == (
        "Step 600 was chosen; the base had 1 of 40 leg joints wrong on the target: too few to say what share was "
        "removed."
    )
    assert few_errors(found | {"ladder": one_step(0.5, 40)}, "leg") == ""
