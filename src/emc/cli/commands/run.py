"""`emc run`: from videos to overlays and labels in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.commands.edit import open_editor
from emc.cli.commands.predict import print_hints
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("run")(run)


def run(
    videos: Annotated[list[Path], typer.Argument(help="Videos, or folders of images.")],
    out: Annotated[Path, typer.Option(help="Folder for the project and what is written.")] = Path("emc-out"),
    name: Annotated[str, typer.Option(help="Name of the new project.")] = "run",
    edit: Annotated[
        bool, typer.Option("--edit/--no-edit", help="Open the editor on the project afterwards, or leave that out.")
    ] = True,
    estimator: options.Estimator = None,
    fast: options.Fast = False,
    boxes: options.Boxes = None,
    sample: options.Sample = None,
    fps: options.Fps = 0.0,
    person: options.Persons = None,
    setting: options.Set = None,
    json: options.AsJson = False,
) -> None:
    """Make a project, add and predict the videos, write overlay_<clip>.mp4 and coco_<clip>.json."""
    with running(json) as terminal:
        from emc.workflow.predict import sampling_of
        from emc.workflow.project import project_folder
        from emc.workflow.run import run_videos

        before = project_folder(out / name)
        chosen = {"estimator": estimator, "fast": fast or None}
        settings = options.settings_for(before, setting, predict=chosen, video=sampling_of(sample))
        document = run_videos(videos, out, name, settings, boxes, terminal, person or [], fps)
        terminal.result(document, lambda console: _print(console, document))
        if edit and not json:
            open_editor(Path(document["project"]), terminal)
        if document["failed"]:
            raise typer.Exit(1)


def _print(console: Console, document: dict[str, Any]) -> None:
    for row in document["clips"]:
        written = f"{row['overlay']}, {row['coco']}"
        console.print(f"{row['clip']}: {row['frames']} frames, {row['persons']} persons -> {written}")
        print_hints(console, row)
