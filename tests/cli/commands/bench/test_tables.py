"""What `emc bench` prints of few joints, few errors, and of rendered people."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from emc.cli.commands.bench.tables import interval, print_lspe


def share(value: float, n: int, ci95: list[float] | None = None) -> dict[str, Any]:
    return {"value": value, "ci95": ci95, "n": n}


def test_a_share_without_interval_has_none_and_one_of_few_joints_is_a_count() -> None:
    assert interval(share(0.5, 40, [0.4, 0.6])) == "50.0 (40.0 to 60.0)"
    assert interval(share(0.5, 40)) == "50.0"
    assert interval(share(1.0, 1, [1.0, 1.0])) == "too few joints (1)"


def test_rendered_people_are_no_photos_and_one_error_is_no_share() -> None:
    scores = {"pckh": {part: share(0.975, 40) for part in ("leg", "arm", "total")}, "pck": {"total": share(0.9, 40)}}
    change = {part: {"removed": share(1.0, 40), "change": share(2.5, 40)} for part in ("leg", "total")}
    model = {"target": scores, "common": scores, "steps": 0, "minutes": 0.0, "choices": []}
    document = {
        "seeds": 1, "people": "rendered people", "models": {"base": model, "calibration": model},
        "changes": {"base -> calibration": {"target": change, "common": change}},
    }  # fmt: skip
    out = io.StringIO()
    print_lspe(Console(file=out, width=200), document)
    assert "right joints in %, rendered people, with 95 % intervals over them" in out.getvalue()
    assert "target leg errors removed too few errors (1 of 40 joints wrong before)" in out.getvalue()
