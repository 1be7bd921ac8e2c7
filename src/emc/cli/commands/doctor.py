"""`emc doctor`: what this machine and installation can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("doctor")(doctor)


def doctor(project: options.Project = None, json: options.AsJson = False) -> None:
    """Check the installation: packages, weights, video, compute; with --project also its database and media."""
    with running(json) as terminal:
        from emc.workflow.doctor import examine

        document = examine(project)
        terminal.result(document, lambda console: _print(console, document))
        if not document["ok"]:
            raise typer.Exit(1)


def _print(console: Console, document: dict[str, Any]) -> None:
    for check in document["checks"]:
        console.print(f"{'ok  ' if check['ok'] else 'FAIL'} {check['name']}: {check['found']}")
        if not check["ok"]:
            console.print(f"     {check['remedy']}")
