"""`emc verify`, `emc recover`: whether a project holds all that was acknowledged, and what to do where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("verify")(verify)
    app.command("recover")(recover)


def verify(project: options.Project = None, json: options.AsJson = False) -> None:
    """Read a project whole: every edit against its hash and the chain, every page; names what is missing or damaged."""
    with running(json) as terminal:
        from emc.workflow.project import find_project, verify_project

        document = verify_project(find_project(project, Path.cwd()))
        terminal.result(document, lambda console: _print_verified(console, document))
        if not document["ok"]:
            raise typer.Exit(1)


def recover(
    snapshot: Annotated[
        str, typer.Option(help="Put this snapshot back as it is (names: `emc verify`), instead of all there is.")
    ] = "",
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Rebuild a damaged project from what its file and snapshots hold; the file as it was is kept in snapshots/."""
    with running(json) as terminal:
        from emc.workflow.project import find_project, recover_project

        document = recover_project(find_project(project, Path.cwd()), snapshot or None)
        terminal.result(document, lambda console: _print_recovered(console, document))


def _print_verified(console: Console, document: dict[str, Any]) -> None:
    for fault in document["faults"]:
        console.print(f"FAULT {fault}", markup=False, soft_wrap=True)
    for loss in document["given_up"]:
        console.print(f"given up earlier: {loss}", markup=False)
    for one in document["snapshots"]:
        console.print(f"snapshot {one['name']}, made {one['made'][:19]}", markup=False)
    whole = f"{document['edits']} edits are as they were acknowledged"
    console.print(f"{whole}; the database is whole" if document["ok"] else f"{whole}: next, `emc recover`")


def _print_recovered(console: Console, document: dict[str, Any]) -> None:
    for loss in document["lost"]:
        console.print(f"lost: {loss['words']}", markup=False)
    if document["incomplete"]:
        tables = ", ".join(document["incomplete"])
        console.print(f"not all rows could be read of: {tables} (predictions and alerts: run `emc predict` again)")
    older = f", {document['from_snapshots']} of them from a snapshot" if document["from_snapshots"] else ""
    console.print(f"recovered {document['edits']} edits{older}")
    console.print(f"the database as it was is kept in {document['kept']}", markup=False, soft_wrap=True)
