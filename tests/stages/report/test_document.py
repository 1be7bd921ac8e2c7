import copy
import json
from typing import Any

import pytest
from tests.stages.report.made_up import made_up

from emc.errors import InputError
from emc.stages.report import build_report, check_report, report_schema

FIGURE = {"value": 0.5, "ci95": [0.4, 0.6], "n": 40}
PARTS = {part: FIGURE for part in ("hip", "knee", "ankle", "leg", "shoulder", "elbow", "wrist", "total")}


def population(**more: Any) -> dict[str, Any]:
    return {"pckh": PARTS, "head_size": "head_segment", "alpha": 0.5, **more}


def smallest(**more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "version": "0.1.0",
        "created": "2026-01-01T00:00:00+00:00",
        "environment": {"python": "3.11"},
        "seeds": {"evaluate": 0},
        "data": {"target": {"clips": 1, "frames": 2, "persons": 2, "tags": {}}, "leaks": 0},
        "ladder": [{"step": 0, "target": population()}],
        "chosen": {"step": 0, "rule": "r", "why": "w"},
        "before_after": {},
    }
    return build_report(**{**fields, **more})


def test_the_fields_are_those_of_the_design() -> None:
    report, _ = made_up(resamples=20)
    assert {
        "emc",
        "created",
        "environment",
        "seeds",
        "data",
        "ladder",
        "chosen",
        "before_after",
        "three_d",
        "effort",
    } <= set(report)
    step = report["ladder"][3]
    assert set(step) == {"step", "target", "common"}
    assert list(step["target"]["pckh"]) == list(PARTS)
    assert set(step["target"]["pckh"]["leg"]) == {"value", "ci95", "n"}
    assert {"ap", "ap50", "ap75", "apm", "apl", "ar"} <= set(step["common"])
    assert {"leg_errors_removed", "total_errors_removed", "common_total_change", "common_ap_change"} <= set(
        report["before_after"]
    )
    assert {"mpjpe", "p_mpjpe"} <= set(report["three_d"]["after"])
    assert report["data"]["mix"] == {"asked": [8.0, 2.0], "served": [0.801, 0.199]}


def test_a_report_survives_json_and_is_checked_again() -> None:
    report, _ = made_up(resamples=20)
    again = json.loads(json.dumps(report, allow_nan=False))
    assert check_report(again) == report


def test_what_was_not_measured_is_not_there() -> None:
    report = smallest(effort=None)
    assert "effort" not in report
    assert "three_d" not in report
    assert "common" not in report["ladder"][0]


def test_a_missing_interval_stays_null() -> None:
    figure = {"value": 0.5, "ci95": None, "n": 3}
    report = smallest(before_after={"leg_errors_removed": figure})
    assert report["before_after"]["leg_errors_removed"] == figure


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("ladder.0.target.pckh.knee", lambda r: r["ladder"][0]["target"]["pckh"].pop("knee")),
        ("ladder.0.target.pckh.hip.ci95", lambda r: r["ladder"][0]["target"]["pckh"]["hip"].update(ci95=[0.1])),
        (
            "ladder.0.target.pckh.hip.value",
            lambda r: r["ladder"][0]["target"]["pckh"]["hip"].update(value=float("nan")),
        ),
        ("ladder.0.target.mAP", lambda r: r["ladder"][0]["target"].update(mAP=FIGURE)),
        ("data.target.clips", lambda r: r["data"]["target"].update(clips="many")),
        ("chosen step 7 is not on the ladder", lambda r: r["chosen"].update(step=7)),
    ],
)
def test_what_does_not_fit_is_named(where: str, change: Any) -> None:
    report = copy.deepcopy(smallest())
    change(report)
    with pytest.raises(InputError, match=where.replace(".", r"\.")):
        check_report(report)


def test_schema_names_what_is_required() -> None:
    schema = report_schema()
    assert set(schema["required"]) == {
        "emc", "created", "environment", "seeds", "data", "ladder", "chosen", "before_after"
    }  # fmt: skip
    assert schema["additionalProperties"] is False
