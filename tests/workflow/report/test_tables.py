from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emc.errors import InputError
from emc.stages.choose.tables import to_markdown
from emc.workflow.report.tables import file_tables, strategy_of, table_of


def population(value: float) -> dict[str, Any]:
    pckh = {part: {"value": value, "ci95": None, "n": 10} for part in ("hip", "knee", "ankle", "leg", "total")}
    return {"pckh": pckh, "head_size": "head_segment", "alpha": 0.5}


def ladder(strategy: str, value: float, base: float = 0.5, mix: tuple[int, int] = (8, 2)) -> dict[str, Any]:
    rows = [{"step": s, "target": population(v), "common": population(v)} for s, v in ((0, base), (100, value))]
    options = {"strategy": strategy, "mix": list(mix)}
    return {"ladder": rows, "chosen": {"step": 100}, "finished": True, "settings": {"calibrate": options}}


def test_strategies_stand_in_the_sources_order_with_one_base() -> None:
    table = table_of([ladder("calibration", 0.8), ladder("initial", 0.4), ladder("finetune", 0.7)])
    names = [(row.strategy, row.model) for row in table.rows]
    assert names == [("", "base"), ("initial", "step 100"), ("finetune", "step 100"), ("calibration 8:2", "step 100")]
    assert [cells[0]["value"] for cells in table.cells if cells[0]] == [0.5, 0.4, 0.7, 0.8]
    assert [column.heading for column in table.columns] == ["Hip", "Knee", "Ankle", "Leg", "Total", "Total"]


def test_mixes_are_told_apart_and_another_base_is_not_hidden() -> None:
    assert strategy_of(ladder("calibration", 0.8, mix=(5, 5))) == "calibration 5:5"
    table = table_of([ladder("calibration", 0.8), ladder("finetune", 0.7, base=0.55)], ["leg"])
    assert [row.model for row in table.rows].count("base") == 2
    assert len(to_markdown(table).splitlines()[0].split("|")) == 6


def test_files_are_written_and_unfinished_ladders_named(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "ladder.json").write_text(json.dumps(ladder("finetune", 0.7)))
    done = file_tables([tmp_path / "one"], ["leg", "total"], tmp_path / "out")
    assert done["rows"] == 2
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["scores.csv", "scores.md", "scores.tex"]
    assert (tmp_path / "out" / "scores.md").read_text() == done["markdown"]
    (tmp_path / "two.json").write_text(json.dumps({"ladder": [], "finished": False}))
    with pytest.raises(InputError, match=r"two\.json is no finished ladder"):
        file_tables([tmp_path / "two.json"], [], tmp_path)
    with pytest.raises(InputError, match=r"none/ladder\.json|none is no"):
        file_tables([tmp_path / "none"], [], tmp_path)
