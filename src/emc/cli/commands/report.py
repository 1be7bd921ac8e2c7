"""`emc report`: report.json and a self-contained report.html."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("report")(report)


def report(
    out: Annotated[Path, typer.Option(help="Folder for the report, its tables and pictures.")] = Path(),
    part: Annotated[list[str] | None, typer.Option(help="Body part of the tables; repeatable.")] = None,
    calibration: Annotated[str | None, typer.Option(help="Id of a calibration (default: the newest).")] = None,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Write the report of a calibration: what it gained on the target, what it cost on common poses."""
    with running(json) as terminal:
        from emc.workflow.project import find_project, open_project
        from emc.workflow.report import report_files, report_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, setting)
        with open_project(folder) as store:
            document = report_project(store, settings, out, calibration, terminal, part or [])
        terminal.result(
            document, lambda console: _print(console, document, [str(out / n) for n in report_files(document)])
        )


def _print(console: Console, document: dict[str, Any], files: Sequence[str]) -> None:
    from emc.stages.report import effort_line, people_line

    console.print(people_line(document["data"]), markup=False)
    if document.get("effort"):
        console.print(effort_line(document["effort"]), markup=False)
    console.print(f"wrote {', '.join(files)}", markup=False)
