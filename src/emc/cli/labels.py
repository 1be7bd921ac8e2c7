"""`emc import` and `emc export`: labels and poses from and to files of other tools."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from emc.cli import options
from emc.cli.terminal import running


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    format: Annotated[str, typer.Argument(help="Format of the file: coco.")],
    file: Annotated[Path, typer.Argument(help="The label file.")],
    clip: Annotated[
        str | None,
        typer.Option("--clip", help="The clip that the labels belong to (default: the only one, or by file name)."),
    ] = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Import labels as corrections: one edit in the journal, which `undo` takes back as one."""
    with running(json) as terminal:
        from emc.workflow.labels import import_labels
        from emc.workflow.project import find_project, open_project

        with open_project(find_project(project, Path.cwd())) as store:
            done = import_labels(store, file, clip, format)
        rows = [asdict(one) for one in done]
        terminal.result(
            {"imported": rows},
            lambda console: [
                console.print(f"{r['clip']}: {r['persons']} persons, {r['joints']} joints (edit {r['edit']})")
                for r in rows
            ],
        )


def export(
    format: Annotated[str, typer.Argument(help="Format of the file: coco.")],
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    clip: options.Clips = None,
    only: Annotated[
        str, typer.Option(help="all poses, or only joints that a person placed or confirmed: all | human.")
    ] = "all",
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Export current poses (predictions with corrections) of the clips."""
    with running(json) as terminal:
        from emc.workflow.labels import export_labels
        from emc.workflow.project import find_project, open_project

        with open_project(find_project(project, Path.cwd())) as store:
            document = export_labels(store, file, clip or [], format, only)
        terminal.result(
            document, lambda console: console.print(f"wrote {document['persons']} persons to {document['file']}")
        )
