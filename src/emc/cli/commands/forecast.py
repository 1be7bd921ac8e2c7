"""`emc forecast`: what correcting more would bring."""

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
    app.command("forecast")(forecast)


def forecast(
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Calibrate on parts of the corrected persons (takes as many calibrations)."),
    ] = False,
    sizes: Annotated[int, typer.Option(min=3, max=8, help="With --measure: parts, each half of the next.")] = 4,
    steps: Annotated[int | None, typer.Option(help="With --measure: training steps of each.")] = None,
    estimator: options.Estimator = None,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Predict what more corrections would bring, from the project's calibrations or from parts of its corrections."""
    with running(json) as terminal:
        from emc.workflow.calibration import history_forecast, measure_forecast
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, setting, calibrate={"steps": steps}, predict={"estimator": estimator})
        with open_project(folder) as store:
            document = (
                measure_forecast(store, settings, sizes, terminal) if measure else history_forecast(store, settings)
            )
        terminal.result(document, lambda console: print_forecast(console, document))


def print_forecast(console: Console, document: dict[str, Any]) -> None:
    """Draw the points and say the forecast."""
    from rich.table import Table

    table = Table(title=f"errors by {document['source']}", title_justify="left")
    for name in ("persons", "joints", f"wrong {' + '.join(document['parts'])}, %"):
        table.add_column(name, justify="right")
    for point in document["points"]:
        table.add_row(str(point["persons"]), str(point["joints"]), f"{100 * point['error']:.1f}")
    if document["points"]:
        console.print(table)
    console.print(document["words"], markup=False)
    for note in document["notes"]:
        console.print(f"note: {note}", markup=False)
    if document["curve"] is None:
        console.print("`emc forecast --measure` calibrates on parts of the corrections and says more", markup=False)
