"""`emc predict` and `emc alerts`: run a pose model over the clips, and list what it is unsure of."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("predict")(predict)
    app.command("alerts")(alerts)


def predict(
    clip: options.Clips = None,
    estimator: options.Estimator = None,
    fast: options.Fast = False,
    boxes: options.Boxes = None,
    frames_by: options.FramesBy = None,
    first_frame: options.FirstFrame = None,
    sample: options.Sample = None,
    executor: Annotated[
        str | None, typer.Option(help="local: this machine; ray: the workers of a Ray cluster (docs/speed.md).")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Predict even where the same run is there already.")] = False,
    setting: options.Set = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Predict poses on clips and find alerts; an interrupted run goes on where it stopped."""
    with running(json) as terminal:
        from emc.workflow.compute import share_one_heap

        share_one_heap()
        from emc.pose.label_frames import FrameRule
        from emc.workflow.predict import predict_clips, sampling_of
        from emc.workflow.project import find_project, open_project, selected_clips

        folder = find_project(project, Path.cwd())
        chosen = {"estimator": estimator, "executor": executor, "fast": fast or None}
        settings = options.settings_for(folder, setting, predict=chosen, video=sampling_of(sample))
        with open_project(folder) as store:
            rule = FrameRule(frames_by or "", first_frame)
            done = predict_clips(store, selected_clips(store, clip or []), settings, boxes, terminal, again, rule)
        rows = [asdict(one) for one in done]
        terminal.result({"runs": rows}, lambda console: _print_runs(console, rows))


def alerts(
    clip: options.Clips = None,
    by: Annotated[
        str, typer.Option(help="frames: (m, n) per frame, worst first; joints: the queue of joints.")
    ] = "frames",
    limit: Annotated[int, typer.Option(help="Show at most this many per clip.", min=1)] = 20,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """List what to correct first: (m, n) = m lost joints, n joints of low confidence."""
    with running(json) as terminal:
        from emc.workflow.predict import list_alerts
        from emc.workflow.project import find_project, open_project

        with open_project(find_project(project, Path.cwd())) as store:
            document = list_alerts(store, clip or [], limit)
        terminal.result(document, lambda console: _print_alerts(console, document, by))


def _print_runs(console: Console, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["persons"]:
            console.print(
                f"{row['clip']}: {_persons(row['persons'])} on {row['frames']} of {row['looked']} frames looked at, by "
                f"{row['model']}; {row['alerts']} alerts ({row['lost']} joints lost, {row['low']} of low confidence)"
            )
        print_hints(console, row)


def print_hints(console: Console, row: dict[str, Any]) -> None:
    """Print what the user should look at in a predicted clip; where nobody was found, that is all there is to say."""
    for hint in row["hints"]:
        console.print(f"  note: {hint}" if row["persons"] else f"{row['clip']}: {hint}", markup=False)


def _of_whom(row: dict[str, Any]) -> str:
    return "whole person" if row["reason"] == "unreadable" else row["joint"]


def _persons(count: int) -> str:
    return "1 person" if count == 1 else f"{count} persons"


def _print_alerts(console: Console, document: dict[str, Any], by: str) -> None:
    from emc.errors import UsageError

    if by not in ("frames", "joints"):
        raise UsageError(f"--by {by} is unknown: use frames or joints")
    for clip in document["clips"]:
        console.print(f"{clip['clip']} ({clip['model']})")
        if by == "frames":
            for row in clip["frames"]:
                console.print(f"  frame {row['frame']:>6}  ({row['lost']}, {row['low']})", markup=False)
        else:
            for row in clip["joints"]:
                console.print(
                    f"  person {row['person']} {_of_whom(row):<15} frames {row['first']}-{row['last']}  "
                    f"{row['reason']}  P(wrong) {row['severity']:.2f}"
                )
    if document["without"]:
        names = ", ".join(document["without"])
        console.print(f"without predictions: {names}: `emc predict` finds what is missing", markup=False)
