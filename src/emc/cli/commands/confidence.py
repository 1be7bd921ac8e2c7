"""`emc confidence`: learn from the corrections how far each predicted joint can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Learn from the corrections how far each predicted joint can be trusted."""


@app.command("fit")
def fit(
    estimator: options.Estimator = None,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Fit P(joint is right) on corrected clips; predictions, alerts and the editor use it from now on."""
    with running(json) as terminal:
        from emc.workflow.calibration import fit_project_confidence
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, setting, predict={"estimator": estimator})
        with open_project(folder) as store:
            document = fit_project_confidence(store, settings, terminal)
        terminal.result(document, lambda console: _print(console, document))


@app.command("show")
def show(setting: options.Set = None, project: options.Project = None, json: options.AsJson = False) -> None:
    """Show the project's fits: calibration error and finding of wrong joints, before and after, cross-fitted."""
    with running(json) as terminal:
        from emc.workflow.calibration import shown_confidence
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, setting)
        with open_project(folder) as store:
            document = shown_confidence(store, settings.predict)
        terminal.result(document, lambda console: _print_all(console, document))


def _print_all(console: Console, document: dict[str, Any]) -> None:
    if not document["fits"]:
        console.print("no confidence is fitted yet: run `emc confidence fit`")
    for one in document["fits"]:
        _print(console, one)
    if document["used"] == "raw":
        console.print("not used: setting predict.confidence is raw")


def _print(console: Console, document: dict[str, Any]) -> None:
    for role, scores in document["scores"].items():
        _print_scores(console, document["model"], role, scores)
    for role, why in document["left_out"].items():
        console.print(f"{role}: not fitted, {why}", markup=False)


def _print_scores(console: Console, model: str, role: str, scores: dict[str, Any]) -> None:
    from rich.table import Table

    about = scores["about"]
    table = Table(
        title=f"{model}, {role}: {about['persons']} persons of {about['groups']} groups, {about['joints']} joints, "
        f"signals: {about['signals']}; cross-fitted by {about['crossed_by']}",
        title_justify="left",
    )
    for name in ("", "before", "after"):
        table.add_column(name, justify="right" if name else "left")
    for key, text in (("ece", "calibration error (ECE)"), ("auroc_wrong", "AUROC"), ("ap_wrong", "average precision")):
        table.add_row(text, *(_cell(scores[when], key) for when in ("before", "after")))
    for k in scores["before"]["precision_at"]:
        values = (scores[when]["precision_at"][k] for when in ("before", "after"))
        table.add_row(f"wrong among the {k} least trusted", *("-" if v is None else f"{100 * v:.0f} %" for v in values))
    console.print(table)


def _cell(scores: dict[str, Any], key: str) -> str:
    from emc.cli.figures import plain

    return plain({"value": scores[key], "ci95": (scores.get("ci95") or {}).get(key)}, 3)
