"""The command `emc`: gathers one file per command; heavy imports wait until a command runs."""

from __future__ import annotations

import typer

from emc.cli.commands import (
    bench,
    calibrate,
    confidence,
    demo,
    doctor,
    edit,
    evaluate,
    forecast,
    labels,
    lift,
    models,
    persons,
    predict,
    project,
    report,
    run,
    select,
    study,
    tables,
    team,
    trust,
)
from emc.version import __version__

app = typer.Typer(
    name="emc",
    help="Calibrate a pose model to your own footage: find its failures, fix them, recalibrate, prove it, lift to 3D.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    """Calibrate a human-pose model to your own footage."""
    if version:
        typer.echo(f"emc {__version__}")
        raise typer.Exit


for module in (
    demo,
    run,
    project,
    predict,
    select,
    edit,
    labels,
    calibrate,
    forecast,
    evaluate,
    lift,
    report,
    tables,
    team,
    doctor,
    trust,
):
    module.register(app)
app.add_typer(models.app, name="models", help="List models and how to get each; `get` fetches published weights.")
app.add_typer(persons.app, name="persons", help="List the people of the clips; delete, merge or name them.")
app.add_typer(confidence.app, name="confidence", help="Learn from corrections how far each joint can be trusted.")
app.add_typer(study.app, name="study", help="Compare the editor with placing every joint by hand, on people.")
app.add_typer(bench.app, name="bench", help="Measure EMC on data at hand; prints figures, changes no project.")


def main() -> None:
    """Entry point of the command `emc`."""
    app()
