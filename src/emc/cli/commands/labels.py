"""`emc import` and `emc export`: labels and poses from and to files of other tools."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console

    from emc.cli.terminal import Terminal


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    format: Annotated[str, typer.Argument(help="Format: coco (labels); openpose or coco-results (predictions).")],
    file: Annotated[Path, typer.Argument(help="The file; of openpose the folder of --write_json.")],
    clip: Annotated[
        str | None,
        typer.Option(
            "--clip",
            help="The clip that the labels belong to (default: the only one, else those that the file names or whose "
            "images it names).",
        ),
    ] = None,
    taken: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="coco: who placed the joints, where the file does not say: human (default) or model. EMC's own "
            "files say.",
        ),
    ] = None,
    frames_by: options.FramesBy = None,
    first_frame: options.FirstFrame = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Import labels as corrections (one edit per clip, taken back as one), or predictions as a run."""
    with running(json) as terminal:
        from emc.pose.label_frames import FrameRule
        from emc.workflow.labels import holds_predictions, import_labels, import_predictions
        from emc.workflow.project import find_project, open_project

        rule = FrameRule(frames_by or "", first_frame)
        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, None)
        if holds_predictions(format):
            with open_project(folder) as store:
                document = import_predictions(store, file, clip, format, settings, rule)
            terminal.result(document, lambda console: _print_run(console, document))
            return
        with open_project(folder) as store:
            done = import_labels(store, file, clip, format, taken=taken or "", rule=rule, settings=settings)
        rows = [asdict(one) for one in done]
        terminal.result({"imported": rows}, lambda console: _print_imported(console, rows))


def export(
    format: Annotated[
        str,
        typer.Argument(
            help="Format of the file: coco; openpose (a folder), coco-results; of lifted motion: trc, mot, bvh, c3d, "
            "gltf, npz3d, csv3d; or onnx, which writes a model (--model) instead of poses."
        ),
    ],
    file: Annotated[Path | None, typer.Argument(help="The file to write (or --out).")] = None,
    clip: options.Clips = None,
    only: Annotated[
        str, typer.Option(help="all poses, or only joints that a person placed or confirmed: all | human.")
    ] = "all",
    person: options.Persons = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write, as an option.")] = None,
    model: Annotated[
        str, typer.Option("--model", help="onnx: the model to write, a saved model's folder or a name.")
    ] = "",
    kind: Annotated[
        str, typer.Option("--as", help="onnx: simcc (loaded as RTMPose) or heatmap (loaded as ViTPose).")
    ] = "simcc",
    finer: Annotated[int, typer.Option(help="onnx: sides of the file's input per side of the network's.")] = 2,
    without_media: Annotated[
        bool, typer.Option("--without-media", help="Also where the media of a clip are missing or changed.")
    ] = False,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Export current poses (predictions with corrections) of the clips, or a model as ONNX."""
    with running(json) as terminal:
        file = _the_file(file, out)
        if format == "onnx":
            _export_model(terminal, model, file, kind, finer)
            return
        from emc.workflow.labels import export_labels, export_predictions, holds_predictions
        from emc.workflow.lifting import export_motion, holds_motion
        from emc.workflow.project import find_project, open_project

        with open_project(find_project(project, Path.cwd())) as store:
            if holds_motion(format):
                motion = export_motion(store, file, format, clip or [], person or [], not without_media)
                terminal.result(motion, lambda console: _print_motion(console, motion))
                return
            if holds_predictions(format):
                document = export_predictions(store, file, clip or [], format, not without_media, person or [])
            else:
                document = export_labels(store, file, clip or [], format, only, not without_media, person or [])
        terminal.result(document, lambda console: _print_export(console, document))


def _print_imported(console: Console, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["edit"]:
            console.print(f"{row['clip']}: {row['persons']} persons, {row['joints']} joints (edit {row['edit']})")
        if row["run"]:
            console.print(f"{row['clip']}: {row['predicted']} joints of a model (run {row['run']})")
        for line in row["said"]:
            console.print(f"  {line}", markup=False)


def _print_motion(console: Console, motion: dict[str, Any]) -> None:
    console.print(f"wrote {', '.join(motion['files'])}")
    for line in motion["said"]:
        console.print(f"note: {line}", markup=False)


def _print_export(console: Console, document: dict[str, Any]) -> None:
    console.print(f"wrote {document['persons']} persons to {document['file']}")
    if document.get("unconfirmed"):
        console.print(
            f"{document['unconfirmed']} of {document['joints']} joints are a machine's word alone: --only human leaves "
            "them out"
        )


def _print_run(console: Console, document: dict[str, Any]) -> None:
    console.print(
        f"{document['clip']}: {document['frames']} frames, {document['persons']} persons, {document['alerts']} alerts "
        f"(run {document['run']}, {document['skeleton']})"
    )
    if document["said"]:
        console.print(f"note: {document['said']}")


def _the_file(file: Path | None, out: Path | None) -> Path:
    from emc.errors import UsageError

    if file is not None and out is not None and file != out:
        raise UsageError(f"two files to write, {file} and --out {out}: give one")
    chosen = file or out
    if chosen is None:
        raise UsageError("no file to write: give it after the format, or as --out FILE")
    return chosen


def _export_model(terminal: Terminal, model: str, file: Path, kind: str, finer: int) -> None:
    from emc.errors import UsageError
    from emc.workflow.models import export_model

    if not model:
        raise UsageError("export onnx needs --model: a saved model's folder (see `emc models`), or a name such as nano")
    document = export_model(model, file, kind, finer)
    terminal.result(document, lambda console: _print_model(console, document))


def _print_model(console: Console, document: dict[str, Any]) -> None:
    width, height = document["input_size"]
    console.print(f"wrote {document['file']} ({document['kind']}, input {width} x {height}) and {document['card']}")
    console.print("Pose2Sim, Sports2D, in Config.toml:")
    console.print(f"pose_model = '{document['pose_model']}'", markup=False)
    console.print(f'mode = """{document["mode"]}"""', markup=False, soft_wrap=True)
