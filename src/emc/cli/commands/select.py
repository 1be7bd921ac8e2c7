"""`emc select`: whom to correct next, so that few corrections teach the model most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("select")(select)


def select(
    budget: Annotated[int, typer.Option(help="How many persons to name.", min=1)] = 20,
    how: Annotated[
        str,
        typer.Option(
            help="both: who stands for the most expected errors; error: most expected errors; diverse: "
            "the most different poses; random."
        ),
    ] = "both",
    part: Annotated[list[str] | None, typer.Option(help="Body part that counts; repeatable (default: all).")] = None,
    clip: options.Clips = None,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Name the persons and frames that are most worth correcting next, in order, with reasons."""
    with running(json) as terminal:
        from emc.workflow.calibration import next_to_correct
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, setting)
        with open_project(folder) as store:
            document = next_to_correct(store, clip or [], budget, how, part or [], settings, terminal)
        terminal.result(document, lambda console: _print(console, document))


def _print(console: Console, document: dict[str, Any]) -> None:
    console.print(f"{document['open']} predicted persons are open, {document['done']} corrected; by {document['how']}:")
    for number, row in enumerate(document["persons"], start=1):
        console.print(
            f"{number:>4}  {row['clip']} frame {row['frame']} person {row['person']}: {row['reason']}", markup=False
        )
