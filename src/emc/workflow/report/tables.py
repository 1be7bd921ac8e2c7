"""Tables of ladders as files: of one calibration for its report, or of several strategies side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emc.errors import InputError
from emc.interfaces import Store
from emc.stages.choose import (
    DEFAULT_PARTS,
    ScoredModel,
    ScoreTable,
    models_of,
    score_table,
    to_csv,
    to_latex,
    to_markdown,
)
from emc.workflow.calibration import LADDER_FILE, newest_calibration
from emc.workflow.files import read_json, write_bytes

STRATEGIES = ("initial", "finetune", "calibration")
"""The order in which strategies stand, as in the method's source."""


def table_of(ladders: Sequence[Mapping[str, Any]], parts: Sequence[str] = ()) -> ScoreTable:
    """Return the table of several finished ladders: the base once, then each strategy's checkpoints.

    ladders : documents as `run_ladder` returns them. parts : body parts of the target (default: hip, knee, ankle, leg,
    total). Ladders of one base only: a base that scores otherwise gets a row of its own.
    """
    rows: list[ScoredModel] = []
    bases: list[Any] = []
    for ladder in sorted(ladders, key=_place):
        models = models_of(ladder, strategy_of(ladder))
        base, rest = models[:1], models[1:]
        if base and base[0].target not in bases:
            bases.append(base[0].target)
            rows[0:0] = base
        rows += rest
    return score_table(rows, parts or DEFAULT_PARTS)


def strategy_of(ladder: Mapping[str, Any]) -> str:
    """Return the strategy that a ladder was made by, with its mix where common data took part."""
    options = (ladder.get("settings") or {}).get("calibrate") or {}
    strategy = str(options.get("strategy", "calibration"))
    mix = options.get("mix")
    return f"{strategy} {mix[0]}:{mix[1]}" if strategy == "calibration" and mix else strategy


def write_tables(out: Path, table: ScoreTable, name: str = "scores") -> dict[str, str]:
    """Write ``NAME.md``, ``NAME.tex`` and ``NAME.csv`` into `out`; returns kind -> path."""
    texts = {"md": to_markdown(table), "tex": to_latex(table), "csv": to_csv(table)}
    for kind, text in texts.items():
        write_bytes(out / f"{name}.{kind}", text.encode("utf-8"))
    return {kind: str(out / f"{name}.{kind}") for kind in texts}


def project_tables(store: Store, names: Sequence[str], parts: Sequence[str], out: Path) -> dict[str, Any]:
    """Write the tables of a project's calibrations (default: all finished ones) into `out`."""
    wanted = list(names) or store.documents("calibration") or [newest_calibration(store).id]
    return _written([newest_calibration(store, name).ladder for name in wanted], parts, out)


def file_tables(files: Sequence[Path], parts: Sequence[str], out: Path) -> dict[str, Any]:
    """Write the tables of ``ladder.json`` files, or of the folders that hold them, into `out`."""
    ladders: list[Mapping[str, Any]] = []
    for path in files:
        file = path / LADDER_FILE if path.is_dir() else path
        ladder = read_json(file)
        if ladder is None or not ladder.get("finished"):
            raise InputError(f"{file} is no finished ladder: name the ladder.json of a calibration that has ended")
        ladders.append(ladder)
    return _written(ladders, parts, out)


def _written(ladders: Sequence[Mapping[str, Any]], parts: Sequence[str], out: Path) -> dict[str, Any]:
    table = table_of(ladders, parts)
    return {"files": write_tables(out, table), "markdown": to_markdown(table), "rows": len(table.rows)}


def _place(ladder: Mapping[str, Any]) -> int:
    name = strategy_of(ladder).partition(" ")[0]
    return STRATEGIES.index(name) if name in STRATEGIES else len(STRATEGIES)
