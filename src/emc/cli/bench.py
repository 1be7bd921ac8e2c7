"""`emc bench`: measurements on data at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emc.cli import options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def root() -> None:
    """Measure EMC on data at hand; prints figures, changes no project."""


@app.command("lspe")
def lspe(
    data: Annotated[
        Path, typer.Option(help="Folder with common_train, common_test, target_train, target_test (.json and images).")
    ],
    seeds: Annotated[int, typer.Option(help="How many seeds to run.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="Keep checkpoints here, and resume from here.")] = None,
    estimator: options.Estimator = None,
    setting: options.Set = None,
    json: options.AsJson = False,
) -> None:
    """Correct target_train by its labels, calibrate with common_train, measure on both test sets."""
    with running(json) as terminal:
        from emc.workflow.bench_lspe import bench_lspe

        settings = options.settings_for(None, setting, predict={"estimator": estimator})
        document = bench_lspe(data, seeds, out, settings, terminal)
        terminal.result(document, lambda console: _print(console, document))


def _print(console: Console, document: dict[str, Any]) -> None:
    from rich.table import Table

    from emc.cli.figures import percent

    for run in document["runs"]:
        table = Table(title=f"seed {run['seed']}: PCKh@0.5 (head segment), %", title_justify="left")
        for name in ("model", "target legs", "target total", "common legs", "common total"):
            table.add_column(name, justify="right")
        for model in ("base", "chosen"):
            scores = run[model]
            cells = (percent(scores[role]["pckh"][part]) for role in ("target", "common") for part in ("leg", "total"))
            table.add_row(model, *cells)
        console.print(table)
        console.print(f"chosen: {run['choice']['why']}")
    summary = document["summary"]
    console.print(
        f"leg errors removed {100 * summary['leg_errors_removed']:.1f} %, "
        f"all {100 * summary['total_errors_removed']:.1f} %, common total {summary['common_total_change']:+.2f} points"
    )
