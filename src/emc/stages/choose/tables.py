"""Tables of scores as papers print them: one row per model, PCKh by part and COCO AP, as Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emc.errors import UsageError
from emc.pose.metrics import too_few

AP_WORDS: Mapping[str, str] = {"ap": "AP", "ap50": "AP50", "ap75": "AP75", "apm": "APm", "apl": "APl", "ar": "AR"}
DEFAULT_PARTS = ("hip", "knee", "ankle", "leg", "total")
DASH = "\N{EN DASH}"
FEW = "too few joints"
SCORED_ON: Mapping[str, str] = {"test": "held-out test clips", "validation": "validation, which also chose"}


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """One row: a model of a strategy with its two populations as the ladder holds them (None: not scored).

    scored_on : ``test`` or ``validation``, "" where that is not known.
    """

    strategy: str
    model: str
    target: Mapping[str, Any] | None
    common: Mapping[str, Any] | None
    chosen: bool = False
    scored_on: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, whose population it is of (``target`` or ``common``), and the figure's name in it."""

    group: str
    heading: str
    population: str
    figure: str
    unit: str = "%"


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Rows by columns of figures; a cell is None where the model has no such figure."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[ScoredModel, ...]
    cells: tuple[tuple[Mapping[str, Any] | None, ...], ...]


def models_of(ladder: Mapping[str, Any], strategy: str, with_base: bool = True) -> list[ScoredModel]:
    """Return the rows of a finished ladder's document: the base, then each checkpoint."""
    chosen = ladder.get("chosen", {}).get("step")
    return [
        ScoredModel(
            "" if row["step"] == 0 else strategy,
            "base" if row["step"] == 0 else f"step {row['step']}",
            row.get("target"),
            row.get("common"),
            row["step"] == chosen and row["step"] != 0,
            str(ladder.get("scored_on", "")),
        )
        for row in ladder["ladder"]
        if with_base or row["step"] != 0
    ]


def score_table(rows: Sequence[ScoredModel], parts: Sequence[str] = DEFAULT_PARTS) -> ScoreTable:
    """Return the table of some models: PCKh by part on the target, total PCKh and every AP figure on the common data.

    A column that no row has a figure for is left out. Raises `UsageError` where there is no row, where no row has an
    asked part, or where the rows were scored with different head sizes (they cannot stand in one table).
    """
    if not rows:
        raise UsageError("there is no scored model for a table: run `emc calibrate` first")
    known: list[str] = [part for row in rows if row.target is not None for part in row.target["pckh"]]
    missing = [part for part in parts if part not in known]
    if missing:
        raise UsageError(f"no score of part {', '.join(missing)}: use {', '.join(dict.fromkeys(known))}")
    metric = _metric(rows)
    columns = [Column(f"Target, {metric}", part.capitalize(), "target", part) for part in parts]
    columns.append(Column(f"Common, {metric}", "Total", "common", "total"))
    columns += [Column("Common, COCO AP", word, "common", name) for name, word in AP_WORDS.items()]
    columns = [c for c in columns if any(_figure(row, c) is not None for row in rows)]
    cells = tuple(tuple(_figure(row, column) for column in columns) for row in rows)
    return ScoreTable(_caption(rows, metric), tuple(columns), tuple(rows), cells)


def to_markdown(table: ScoreTable, intervals: bool = True) -> str:
    """Return the table as GitHub Markdown, shares in percent, 95 % intervals in brackets; the chosen model is bold."""
    heads = ["Strategy", "Model", *(_plain_heading(column) for column in table.columns)]
    lines = [f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * len(table.columns)]
    for row, cells in zip(table.rows, table.cells, strict=True):
        name = f"**{row.model} (chosen)**" if row.chosen else row.model
        values = [_text(cell, intervals) for cell in cells]
        lines.append(f"| {' | '.join([row.strategy or ' ', name, *values])} |")
    return "\n".join([*lines, "", table.caption]) + "\n"


def to_latex(table: ScoreTable, intervals: bool = True, label: str = "tab:calibration") -> str:
    """Return the table for LaTeX with the package ``booktabs``; intervals stand small below their figures."""
    groups = _groups(table.columns)
    spans = " & ".join(f"\\multicolumn{{{n}}}{{c}}{{{_escape(name)}}}" for name, n in groups)
    rules, first = "", 3
    for _, n in groups:
        rules += f"\\cmidrule(lr){{{first}-{first + n - 1}}}"
        first += n
    lines = [
        "\\begin{table}", "\\centering", "\\small", "\\setlength{\\tabcolsep}{3pt}",
        f"\\begin{{tabular}}{{ll{'r' * len(table.columns)}}}", "\\toprule",
        f" & & {spans} \\\\", rules,
        " & ".join(["Strategy", "Model", *(_escape(c.heading) for c in table.columns)]) + " \\\\", "\\midrule",
    ]  # fmt: skip
    last = table.rows[0].strategy
    for row, cells in zip(table.rows, table.cells, strict=True):
        if row.strategy != last:
            lines.append("\\addlinespace")
            last = row.strategy
        values = [_text(cell, False).replace(DASH, "--") for cell in cells]
        name = _escape(row.model)
        if row.chosen:
            values, name = [f"\\textbf{{{v}}}" for v in values], f"\\textbf{{{name}}}"
        lines.append(" & ".join([_escape(row.strategy), name, *values]) + " \\\\")
        if intervals and any(_has_range(cell) for cell in cells):
            ranges = (f"{{\\scriptsize {_range(cell)}}}" if cell and _has_range(cell) else "" for cell in cells)
            lines.append(" & ".join(["", "", *ranges]) + " \\\\")
    end = ["\\bottomrule", "\\end{tabular}", f"\\caption{{{_escape(table.caption)}}}", f"\\label{{{label}}}"]
    return "\n".join([*lines, *end, "\\end{table}"]) + "\n"


def to_csv(table: ScoreTable) -> str:
    """Return the table as CSV with plain shares: ``<column>``, ``<column> low`` and ``<column> high`` per figure.

    A cell is empty where there is no figure, or one of too few joints.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [name for c in table.columns for name in (_csv_name(c), f"{_csv_name(c)} low", f"{_csv_name(c)} high")]
    writer.writerow(["strategy", "model", "chosen", "scored on", *heads])
    for row, cells in zip(table.rows, table.cells, strict=True):
        values: list[str] = []
        for cell in (None if too_few(cell) else cell for cell in cells):
            low, high = (cell.get("ci95") if cell else None) or ("", "")
            values += [_number(None if cell is None else cell["value"]), _number(low), _number(high)]
        writer.writerow([row.strategy, row.model, "yes" if row.chosen else "", row.scored_on, *values])
    return out.getvalue()


def _figure(row: ScoredModel, column: Column) -> Mapping[str, Any] | None:
    population = row.target if column.population == "target" else row.common
    if population is None:
        return None
    held = population["pckh"] if column.figure not in AP_WORDS else population
    figure = held.get(column.figure)
    return figure if figure is not None and figure["value"] is not None else None


def _metric(rows: Sequence[ScoredModel]) -> str:
    kinds = {(p["head_size"], p["alpha"]) for row in rows for p in (row.target, row.common) if p is not None}
    targets = {(row.target["head_size"], row.target["alpha"]) for row in rows if row.target is not None}
    if len(targets) > 1:
        told = ", ".join(f"{alpha:g} x {head}" for head, alpha in sorted(targets))
        raise UsageError(f"the models were scored with different head sizes ({told}): score them alike first")
    head, alpha = sorted(targets or kinds)[0]
    return f"PCK{'' if head in ('torso', 'bbox') else 'h'}@{alpha:g}"


def _caption(rows: Sequence[ScoredModel], metric: str) -> str:
    populations = [p for row in rows for p in (row.target,) if p is not None]
    head = populations[0]["head_size"].replace("_", " ") if populations else "head size"
    counts = [
        f"{name} {p['persons']} persons"
        for name, p in (("target", rows[0].target), ("common", rows[0].common))
        if p is not None and p.get("persons")
    ]
    told = f" ({', '.join(counts)})" if counts else ""
    return (
        f"{metric} in % relative to the {head}, COCO AP in % on given boxes{told}; higher is better; brackets: 95 % "
        f"bootstrap intervals.{_scored(rows)}"
    )


def _scored(rows: Sequence[ScoredModel]) -> str:
    """Return the sentences that say which persons the rows were scored on, and which ones chose a checkpoint."""
    by_place: dict[str, list[str]] = {}
    for row in rows:
        by_place.setdefault(SCORED_ON.get(row.scored_on, ""), []).append(f"{row.strategy} {row.model}".strip())
    if set(by_place) == {""}:
        return ""
    if len(by_place) == 1:
        said = f" Scored on {next(iter(by_place))}."
    else:
        places = (f"on {place or 'unknown persons'}: {', '.join(names)}" for place, names in by_place.items())
        said = f" Not scored on the same persons: {'; '.join(places)}."
    chosen = any(row.chosen for row in rows)
    return said + (" A chosen checkpoint (bold) was chosen by its scores on validation." if chosen else "")


def _groups(columns: Sequence[Column]) -> list[tuple[str, int]]:
    groups: list[tuple[str, int]] = []
    for column in columns:
        if groups and groups[-1][0] == column.group:
            groups[-1] = (column.group, groups[-1][1] + 1)
        else:
            groups.append((column.group, 1))
    return groups


def _plain_heading(column: Column) -> str:
    return f"{column.population.capitalize()} {column.heading}"


def _csv_name(column: Column) -> str:
    return f"{column.population} {'ap' if column.figure in AP_WORDS else 'pckh'} {column.figure}"


def _text(cell: Mapping[str, Any] | None, intervals: bool) -> str:
    if cell is None:
        return DASH
    if too_few(cell):
        return FEW
    value = f"{100 * cell['value']:.1f}"
    return f"{value} {_range(cell)}" if intervals and cell.get("ci95") else value


def _has_range(cell: Mapping[str, Any] | None) -> bool:
    return bool(cell and cell.get("ci95")) and not too_few(cell)


def _range(cell: Mapping[str, Any]) -> str:
    low, high = cell["ci95"]
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def _number(value: float | str | None) -> str:
    return "" if value is None or value == "" else f"{float(value):.6f}"


def _escape(text: str) -> str:
    special = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$", "{": r"\{", "}": r"\}"}
    return "".join(special.get(letter, letter) for letter in text)
