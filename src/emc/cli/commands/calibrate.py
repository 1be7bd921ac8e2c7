"""`emc calibrate`: train on the corrections mixed with common data, keep a ladder of checkpoints, choose one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console

PLACES = {"test": "held-out test clips", "validation": "validation persons"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("calibrate")(calibrate)


def calibrate(
    strategy: Annotated[str | None, typer.Option(help="calibration, finetune or initial.")] = None,
    mix: Annotated[str | None, typer.Option(help="target:common, such as 8:2.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps.")] = None,
    budget: Annotated[
        float | None, typer.Option(help="Non-inferiority margin: points that the common score may fall.")
    ] = None,
    part: Annotated[list[str] | None, typer.Option(help="Body part whose target PCKh decides; repeatable.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of splits, sampling and augmentation.")] = None,
    estimator: options.Estimator = None,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Calibrate the model on corrected clips; run again after Ctrl-C or a crash and it goes on."""
    with running(json) as terminal:
        from emc.workflow.calibration import calibrate_project
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        chosen = {"strategy": strategy, "mix": _mix(mix), "steps": steps, "budget": budget, "parts": part, "seed": seed}
        settings = options.settings_for(folder, setting, calibrate=chosen, predict={"estimator": estimator})
        with open_project(folder) as store:
            done = calibrate_project(store, settings, terminal)
        if not done.first:
            return
        document = {"id": done.id, "folder": str(done.folder), "card": done.card, **done.ladder}
        terminal.result(document, lambda console: print_ladder(console, document))


def print_ladder(console: Console, document: dict[str, Any]) -> None:
    """Draw the ladder as a table, the chosen step marked, with the rule and the reason."""
    from rich.table import Table

    from emc.cli.figures import percent

    table = Table(title=f"scores on {PLACES[document['scored_on']]} (PCKh, %)", title_justify="left")
    for name in ("step", "target legs", "target total", "common total", "common AP"):
        table.add_column(name, justify="right")
    for row in document["ladder"]:
        target, common = row["target"], row["common"] or {}
        mark = " *" if row["step"] == document["chosen"]["step"] else ""
        table.add_row(
            f"{row['step']}{mark}" if row["step"] else f"base{mark}",
            percent(target["pckh"].get("leg")),
            percent(target["pckh"]["total"]),
            percent(common.get("pckh", {}).get("total")),
            percent(common.get("ap"), "frames"),
        )
    console.print(table)
    console.print(chosen_line(document["chosen"], document["scored_on"]), markup=False)
    console.print(f"rule: {document['chosen']['rule']}", markup=False)
    for line in learned_from(document["card"]):
        console.print(line, markup=False)


def chosen_line(chosen: dict[str, Any], scored_on: str) -> str:
    """Return the line with the chosen step; where the table is of other persons than those who chose, it says so."""
    said = "" if scored_on == "validation" else f" (the scores above are of {PLACES[scored_on]}, which chose nothing)"
    return f"chosen: {chosen['why']}{said}"


def learned_from(card: dict[str, Any]) -> list[str]:
    """Return lines on what the model learned from: rendered people and simulated corrections are called so."""
    from emc.pose.records import RENDERED_TAG

    lines: list[str] = []
    done = card.get("corrected")
    if done:
        how = done.get("how") or ("simulated" if done.get("simulated") else "recorded")
        seconds = done.get("seconds_per_joint")
        cost = "no time of correcting is recorded" if not seconds else f"{seconds:.2f} s per joint, {how}"
        note = "" if how == "recorded" else "; a program gave labels, for which nobody was timed"
        lines.append(f"learned from: {done['persons']} corrected persons, {done['joints']} joints; {cost}{note}")
    rendered = (card.get("tags") or {}).get("target", {}).get(RENDERED_TAG[0], {}).get(RENDERED_TAG[1], 0)
    if rendered:
        lines.append(f"target: {100 * rendered:.0f} % of the persons are rendered, not filmed")
    if str(card.get("common_source", "")).startswith("rendered"):
        lines.append(f"common: {card['common_source']}")
    return lines


def _mix(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    from emc.errors import UsageError

    first, _, second = text.partition(":")
    if not (first.isdigit() and second.isdigit()):
        raise UsageError(f"mix '{text}' is not target:common: write for example --mix 8:2")
    return int(first), int(second)
