"""`emc lift`: 3D sequences from the current 2D poses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("lift")(lift)


def lift(
    clip: options.Clips = None,
    person: options.Persons = None,
    compare: Annotated[
        str,
        typer.Option(
            metavar="RUN|last",
            help="Print how far 3D moved (mm, degrees) since it was last lifted, or from a run's raw predictions.",
        ),
    ] = "",
    video: Annotated[
        Path | None,
        typer.Option(help="Also write an MP4 of the clip beside its 3D skeletons (several clips: a folder)."),
    ] = None,
    turn: Annotated[
        float, typer.Option(help="With --video: degrees around the person from which 3D is seen; 0 = as the camera.")
    ] = 60.0,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Lift the poses of the clips to 3D (Human3.6M-17, metres), refine them, and keep one .npz per clip."""
    with running(json) as terminal:
        from emc.workflow.lifting import lift_project
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, setting)
        with open_project(folder) as store:
            rows = lift_project(store, settings, clip or [], terminal, compare, person or [])
            if video is not None:
                from emc.workflow.lifting import write_videos

                write_videos(store, rows, video, settings.alerts, terminal, turn)
        terminal.result({"lifted": rows}, lambda console: _show(console, rows))


def _show(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        console.print(
            f"{row['clip']}: {row['persons']} persons, {row['frames']} frames, {row['alerts']} joints that do not fit "
            f"-> {row['file']}"
        )
        if "video" in row:
            console.print(f"  video -> {row['video']}")
        for change in row.get("changed", ()):
            worst = max(change["angle_degrees"].items(), key=lambda item: item[1]["mean"], default=None)
            angle = f"; {worst[0]} {worst[1]['mean']:.1f} degrees on average" if worst else ""
            console.print(
                f"  person {change['person']}: {change['changed']} of {change['frames']} frames moved, mean "
                f"{change['mean_mm']:.1f} mm, at most {change['max_mm']:.1f} mm{angle}"
            )
