"""`emc tables`: scores of calibrations as Markdown, LaTeX and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import emc.cli.options as options
from emc.cli.terminal import running


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("tables")(tables)


def tables(
    ladders: Annotated[
        list[Path] | None, typer.Argument(help="ladder.json files or their folders (default: the project's own).")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for scores.md, scores.tex and scores.csv.")] = Path(),
    part: Annotated[
        list[str] | None,
        typer.Option(help="Body part of the target; repeatable (default: hip, knee, ankle, leg, total)."),
    ] = None,
    calibration: Annotated[
        list[str] | None, typer.Option(help="Id of a calibration of the project; repeatable (default: all).")
    ] = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Write PCKh by part and COCO AP of base and checkpoints, strategies side by side, as Markdown, LaTeX and CSV."""
    with running(json) as terminal:
        from emc.workflow.project import find_project, open_project
        from emc.workflow.report import file_tables, project_tables

        if ladders:
            document = file_tables(ladders, part or [], out)
        else:
            with open_project(find_project(project, Path.cwd())) as store:
                document = project_tables(store, calibration or [], part or [], out)
        terminal.result(document, lambda console: console.print(document["markdown"], markup=False))
