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
    for row in document["models"]:
        trained = ", can be calibrated" if row["trainable"] else ""
        skeleton = f", {row['skeleton']}" if row["skeleton"] else ""
        console.print(f"{row['name']} ({row['kind']}{skeleton}, {row['parameters']:,} parameters{trained})")
        console.print(f"    weights: {row['weights']}; licence: {row['licence']}")
        if row["notes"]:
            console.print(f"    {row['notes']}")
    for row in document["calibrated"]:
        scores = ", ".join(f"{role} {100 * row[role]:.1f}" for role in ("target", "common") if row[role] is not None)
        console.print(f"{row['folder']} (calibrated, step {row['step']}; PCKh total {scores})")
