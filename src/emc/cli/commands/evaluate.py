"""`emc evaluate`: score a model on labelled clips, target and common apart."""

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
    app.command("evaluate")(evaluate)


def evaluate(
    clip: options.Clips = None,
    estimator: options.Estimator = None,
    results: Annotated[
        Path | None,
        typer.Option("--results", help="Score this COCO results file in place of a model; nothing is predicted."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run", help="Score a run that is there in place of a model: imported, its id, or its model's name."
        ),
    ] = None,
    head: Annotated[str | None, typer.Option(help="Head size: head_segment, ears, face_box, torso or bbox.")] = None,
    alpha: Annotated[float | None, typer.Option(help="A joint is right within alpha x head size.")] = None,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Score a model, a results file or a run: PCKh by part and COCO OKS-AP on target and common labels."""
    with running(json) as terminal:
        from emc.workflow.evaluate import evaluate_project
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(
            folder, setting, predict={"estimator": estimator}, evaluate={"head": head, "alpha": alpha}
        )
        with open_project(folder) as store:
            document = evaluate_project(store, settings, clip or [], terminal, results, run or "")
        terminal.result(document, lambda console: _print(console, document))


def _print(console: Console, document: dict[str, Any]) -> None:
    from rich.table import Table

    from emc.cli.figures import percent

    console.print(f"{document['model']} on {document['scope']}")
    for role in ("target", "common"):
        scores = document[role]
        if scores is None:
            continue
        table = Table(title=f"{role}: {scores['persons']} persons", title_justify="left")
        table.add_column("part")
        table.add_column(f"PCKh@{scores['alpha']:g} ({scores['head_size']}), %", justify="right")
        for part, figure in scores["pckh"].items():
            table.add_row(part, percent(figure))
        for name in ("ap", "ap50", "ap75", "apm", "apl", "ar"):
            if name in scores:
                table.add_row(f"OKS-{name.upper()}", percent(scores[name], "frames"))
        console.print(table)
