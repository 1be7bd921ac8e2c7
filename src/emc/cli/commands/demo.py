"""`emc demo`: the whole loop on embedded clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.commands.calibrate import chosen_line
from emc.cli.commands.edit import open_editor
from emc.cli.terminal import running
from emc.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the clips, the project and the report.")] = Path("demo-out"),
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the work: shows the way, proves nothing.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the clips and of everything after.", min=0)] = 0,
    serve: Annotated[bool, typer.Option("--serve", help="Open the editor on the demo's project afterwards.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="--serve: open a browser.")] = True,
    setting: options.Set = None,
    json: options.AsJson = False,
) -> None:
    """See a model fail on kicks, be corrected, be calibrated, get better, and be lifted to 3D."""
    with running(json) as terminal:
        from emc.workflow.demo import run_demo

        if serve and json:
            raise UsageError("--serve stays in the editor, --json is for scripts: use one of them")
        settings = options.settings_for(None, setting, calibrate={"seed": seed})
        document = run_demo(out, settings, quick, terminal)
        terminal.result(document, lambda console: _print(console, document, out))
        if serve:
            open_editor(out / "demo.emc", terminal, browser=browser)


def _print(console: Console, document: dict[str, Any], out: Path) -> None:
    from emc.cli.figures import plain, removed
    from emc.stages.report import effort_line, people_line

    change = document["before_after"]
    three_d = document["three_d"]
    base = document["ladder"][0]["target"]["pckh"]
    console.print("scores on held-out test clips, base -> chosen:")
    console.print(f"  leg errors removed     {removed(change['leg_errors_removed'], base['leg'])}")
    console.print(f"  all errors removed     {removed(change['total_errors_removed'], base['total'])}")
    console.print(f"  common PCKh change     {plain(change.get('common_total_change'), 2)} points")
    console.print(f"  common AP change       {plain(change.get('common_ap_change'), 2)} points")
    if three_d:
        before, after = (plain(three_d[when]["mpjpe"]) for when in ("before", "after"))
        console.print(f"  MPJPE on kicks         {before} -> {after} mm")
    console.print(people_line(document["data"]), markup=False)
    if document.get("effort"):
        console.print(effort_line(document["effort"]), markup=False)
    console.print(chosen_line(document["chosen"], "test"), markup=False)
    console.print(f"report: {out / 'report.html'}   project: {out / 'demo.emc'}")
