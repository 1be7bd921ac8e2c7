"""The analysis as files: tables (CSV), the figure (SVG, PNG), one HTML page, one JSON document."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from emc.errors import StorageError
from emc.pose.records import Interval
from emc.study.analysis.analysis import StudyResult, analyse, document, simulated_words
from emc.study.analysis.figure import draw_figure, figure_bytes
from emc.study.analysis.mixed_model import Ratio
from emc.study.analysis.tables import StudyTables, as_rows, study_tables
from emc.study.plan import Method, StudyDesign
from emc.study.roster import Study
from emc.study.session import SCALES

HTML, FIGURE = "study.html", "figure.svg"


def write_outcome(study: Study, out: Path) -> dict[str, Any]:
    """Analyse a study as it is now, write all files to the folder `out`, and return the document with their paths.

    Raises `StorageError` where a file cannot be written.
    """
    tables = study_tables(study.sessions())
    result = analyse(tables)
    found = document(study.design, tables, result, study.withdrawn())
    drawn = draw_figure(result, tables)
    svg = figure_bytes(drawn, "svg")
    contents: dict[str, bytes] = {
        "trials.csv": csv_text(*as_rows(tables.trials)).encode(),
        "stamps.csv": csv_text(*as_rows(tables.stamps)).encode(),
        "tlx.csv": csv_text(*as_rows(tables.ratings)).encode(),
        FIGURE: svg,
        "figure.png": figure_bytes(drawn, "png"),
        HTML: page(study.design, tables, result, found, svg.decode()).encode(),
        "study.json": (json.dumps(_plain(found), indent=1, ensure_ascii=False) + "\n").encode(),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise StorageError(f"cannot write to {out} ({error.strerror}): choose another folder with --out") from error
    return {**_plain(found), "files": {name: str(out / name) for name in contents}}


def csv_text(names: list[str], rows: list[list[Any]]) -> str:
    """Return a table as CSV (RFC 4180), empty where a value is unknown."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    return buffer.getvalue()


def page(design: StudyDesign, tables: StudyTables, result: StudyResult, found: dict[str, Any], svg: str) -> str:
    """Return the HTML page: it needs no network and no other file."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    folder = files("emc.assets") / "study"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "study.html.j2").read_text("utf-8"))
    return template.render(
        design=design, tables=tables, result=result, found=found, verdict=verdict(result),
        methods=(str(Method.CLASSIC), str(Method.EDITOR)), scales=SCALES, loads=_loads(tables), rows=_FIGURES,
        css=Markup((folder / "study.css").read_text("utf-8")), svg=Markup(svg[svg.index("<svg") :]), ratio=ratio_words,
    )  # fmt: skip


def verdict(result: StudyResult) -> str:
    """Return the finding in one sentence; where scripts took part in people's place, it says so itself."""
    if result.fit is None:
        return "Not both methods have been finished by anybody yet."
    value, ci95 = result.fit.ratio.value, result.fit.ratio.ci95
    said = (
        f"The editor was {value:.1f} times as fast as the classic method"
        if value >= 1
        else f"The editor took {1 / value:.1f} times as long as the classic method"
    )
    if ci95 is None:
        return f"{_who(result)}{said} in this sample; {result.fit.note}."
    sure = "" if ci95[0] > 1 or ci95[1] < 1 else "; that may be chance"
    people = f"{result.fit.people} people" if not result.simulated else f"{result.fit.people} participants"
    interval = f"95 % interval of the ratio {ci95[0]:.2f} to {ci95[1]:.2f}, {people}"
    return f"{_who(result)}{said} ({interval}){sure}."


def _who(result: StudyResult) -> str:
    """Return what stands before the finding: nothing where only people took part."""
    said = simulated_words(result)
    return f"{said[:1].upper()}{said[1:]}: " if said else ""


def ratio_words(ratio: Ratio | None) -> str:
    """Return a ratio with its interval, a dash where it could not be told."""
    if ratio is None:
        return "–"
    text = f"{ratio.value:.2f}"
    return text if ratio.ci95 is None else f"{text} ({ratio.ci95[0]:.2f} to {ratio.ci95[1]:.2f})"


def _shown(form: Callable[[float], str]) -> Callable[[Interval], str]:
    def shown(figure: Interval) -> str:
        if not figure.n:
            return "–"
        text = form(figure.value)
        return text if figure.ci95 is None else f"{text} ({form(figure.ci95[0])} to {form(figure.ci95[1])})"

    return shown


def _minutes(seconds: float) -> str:
    sign, whole = ("-" if seconds < 0 else ""), round(abs(seconds))
    return f"{sign}{whole // 60}:{whole % 60:02d}"


_FIGURES = (
    ("Working time for the clip (minutes:seconds)", "seconds", _shown(_minutes)),
    ("Seconds per frame", "seconds_per_frame", _shown(lambda v: f"{v:.1f}")),
    ("Idle time, not counted (minutes:seconds)", "idle", _shown(_minutes)),
    ("Joints right at the end (%)", "share", _shown(lambda v: f"{100 * v:.1f}")),
    ("Mean distance to the reference (pixels)", "pixels", _shown(lambda v: f"{v:.1f}")),
    ("Object keypoint similarity (0 to 1)", "oks", _shown(lambda v: f"{v:.3f}")),
    ("Checks asked for", "checks", _shown(lambda v: f"{v:.1f}")),
    ("Stretches handed in below the goal", "left", _shown(lambda v: f"{v:.1f}")),
    ("Load: raw NASA-TLX (0 none to 100)", "tlx", _shown(lambda v: f"{v:.0f}")),
)


def _loads(tables: StudyTables) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for scale in SCALES:
        found[scale] = {}
        for method in Method:
            values = [row[scale] for row in tables.ratings if row["method"] == method]
            found[scale][str(method)] = f"{sum(values) / len(values):.0f}" if values else "–"
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and value != value else value
