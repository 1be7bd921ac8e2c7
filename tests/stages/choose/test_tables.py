from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from emc.errors import UsageError
from emc.stages.choose.tables import models_of, score_table, to_csv, to_latex, to_markdown


def share(value: float | None, half: float | None = None) -> dict[str, Any]:
    ci = None if half is None or value is None else [value - half, value + half]
    return {"value": value, "ci95": ci, "n": 100}


def population(hip: float, total: float, head: str = "head_segment", **more: Any) -> dict[str, Any]:
    pckh = {"hip": share(hip, 0.01), "total": share(total)}
    return {"pckh": pckh, "head_size": head, "alpha": 0.5, "persons": 40, **more}


LADDER: dict[str, Any] = {
    "chosen": {"step": 800},
    "ladder": [
        {"step": 0, "target": population(0.955, 0.961), "common": population(0.9, 0.93, ap=share(0.671, 0.02))},
        {"step": 800, "target": population(0.992, 0.986), "common": population(0.9, 0.94, ap=share(0.691, 0.02))},
    ],
}


def test_markdown_by_hand() -> None:
    table = score_table(models_of(LADDER, "calibration 8:2"), ["hip", "total"])
    lines = to_markdown(table).splitlines()
    assert lines[0] == "| Strategy | Model | Target Hip | Target Total | Common Total | Common AP |"
    assert lines[2] == "|   | base | 95.5 [94.5, 96.5] | 96.1 | 93.0 | 67.1 [65.1, 69.1] |"
    assert lines[3] == (
        "| calibration 8:2 | **step 800 (chosen)** | 99.2 [98.2, 100.2] | 98.6 | 94.0 | 69.1 [67.1, 71.1] |"
    )
    assert lines[5].startswith("PCKh@0.5 in % relative to the head segment")
    assert "target 40 persons, common 40 persons" in lines[5]
    assert "[" not in to_markdown(table, intervals=False).splitlines()[2]


def test_latex_has_balanced_columns_and_rules() -> None:
    text = to_latex(score_table(models_of(LADDER, "calibration 8:2"), ["hip", "total"]))
    body = [line for line in text.splitlines() if line.endswith("\\\\") and "multicolumn" not in line]
    assert {line.count("&") for line in body} == {5}
    assert "\\begin{tabular}{llrrrr}" in text
    spans = "\\multicolumn{2}{c}{Target, PCKh@0.5} & \\multicolumn{1}{c}{Common, PCKh@0.5}"
    assert spans in text
    assert "\\cmidrule(lr){3-4}\\cmidrule(lr){5-5}\\cmidrule(lr){6-6}" in text
    for rule in ("\\toprule", "\\midrule", "\\bottomrule"):
        assert text.count(rule) == 1
    assert "\\textbf{step 800} & \\textbf{99.2}" in text
    assert "in \\% relative" in text


def test_csv_has_plain_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(score_table(models_of(LADDER, "calibration 8:2"), ["hip"])))))
    assert [row["model"] for row in rows] == ["base", "step 800"]
    assert [row["chosen"] for row in rows] == ["", "yes"]
    assert float(rows[1]["target pckh hip"]) == 0.992
    assert float(rows[1]["target pckh hip low"]) == pytest.approx(0.982)
    assert rows[0]["common pckh total low"] == ""
    assert float(rows[0]["common ap ap"]) == 0.671


def test_a_model_without_common_scores_has_dashes() -> None:
    alone = {"ladder": [*LADDER["ladder"], {"step": 900, "target": population(0.5, 0.5), "common": None}]}
    table = score_table(models_of(alone, "initial"), ["hip"])
    assert to_markdown(table).splitlines()[4].count("\N{EN DASH}") == 2
    targets = {"ladder": [{"step": 0, "target": population(0.5, 0.5)}]}
    heads = to_markdown(score_table(models_of(targets, "initial"), ["hip"])).splitlines()[0]
    assert "Common" not in heads


def test_misuse_is_told() -> None:
    with pytest.raises(UsageError, match="no score of part toe: use hip, total"):
        score_table(models_of(LADDER, "x"), ["toe"])
    with pytest.raises(UsageError, match="no scored model"):
        score_table([])
    mixed = [*models_of(LADDER, "x"), *models_of({"ladder": [{"step": 1, "target": population(1, 1, "torso")}]}, "y")]
    with pytest.raises(UsageError, match="different head sizes"):
        score_table(mixed, ["hip"])


def test_a_cell_of_too_few_joints_holds_no_score() -> None:
    few = population(0.955, 0.961)
    few["pckh"]["hip"] = share(1.0, 0.01) | {"n": 1}
    table = score_table(models_of({"ladder": [{"step": 0, "target": few}]}, "x"), ["hip", "total"])
    assert to_markdown(table).splitlines()[2] == "|   | base | too few joints | 96.1 |"
    assert "too few joints & 96.1" in to_latex(table)
    assert next(csv.DictReader(io.StringIO(to_csv(table))))["target pckh hip"] == ""


def test_the_caption_says_which_persons_were_scored_and_which_chose() -> None:
    tested = score_table(models_of(LADDER | {"scored_on": "test"}, "calibration"), ["hip"])
    assert tested.caption.endswith(
        "Scored on held-out test clips. A chosen checkpoint (bold) was chosen by its scores on validation."
    )
    assert next(csv.DictReader(io.StringIO(to_csv(tested))))["scored on"] == "test"
    both = [
        *models_of(LADDER | {"scored_on": "test"}, "calibration"),
        *models_of(LADDER | {"scored_on": "validation"}, "initial", with_base=False),
    ]
    assert (
        "Not scored on the same persons: on held-out test clips: base, calibration step 800; on validation, which also "
        "chose: initial step 800."
    ) in score_table(both, ["hip"]).caption
