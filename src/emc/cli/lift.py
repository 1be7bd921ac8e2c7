"""`emc lift`: 3D sequences from the current 2D poses."""

from __future__ import annotations

from pathlib import Path

import typer

from emc.cli import options
from emc.cli.terminal import running


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("lift")(lift)


def lift(
    clip: options.Clips = None,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Lift the poses of the clips to 3D (Human3.6M-17, metres); writes one .npz per clip into the project."""
    with running(json) as terminal:
        from emc.workflow.lift import lift_project
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, setting)
        with open_project(folder) as store:
            rows = lift_project(store, settings, clip or [], terminal)
        terminal.result(
            {"lifted": rows},
            lambda console: [
                console.print(f"{r['clip']}: {r['persons']} persons, {r['frames']} frames -> {r['file']}") for r in rows
            ],
        )
