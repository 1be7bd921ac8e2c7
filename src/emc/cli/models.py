"""`emc models`: the estimators, detectors and lifters at hand, their licence and where their weights are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from emc.cli import options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("models")(models)


def models(project: options.Project = None, json: options.AsJson = False) -> None:
    """List models with their licence and where their weights are, and the project's own checkpoints."""
    with running(json) as terminal:
        from pathlib import Path

        from emc.workflow.models import list_models

        document = list_models(project, Path.cwd())
        terminal.result(document, lambda console: _print(console, document))


def _print(console: Console, document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table()
    for name in ("name", "kind", "skeleton", "parameters", "calibrates", "licence", "weights"):
        table.add_column(name)
    for row in document["models"]:
        table.add_row(row["name"], row["kind"], row["skeleton"], f"{row['parameters']:,}",
                      "yes" if row["trainable"] else "no", row["licence"], row["weights"])  # fmt: skip
    console.print(table)
    for row in document["calibrated"]:
        console.print(f"{row['folder']}: step {row['step']}, target {row['target']}, common {row['common']}")
