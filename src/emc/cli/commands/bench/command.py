"""`emc bench`: measurements on data at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    pass

EMBEDDED = "nano"
"""The estimator that is measured where none is named: figures do not depend on what could be fetched."""
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
    model: Annotated[
        list[str] | None,
        typer.Option(help="Train only this one: initial, finetune, 'plain 8:2' or calibration; repeatable."),
    ] = None,
    estimator: options.Estimator = None,
    setting: options.Set = None,
    json: options.AsJson = False,
) -> None:
    """Correct target_train by its labels, calibrate with common_train, measure on both test sets.

    Also the strategies of the method's paper: from scratch, fine-tuned, plain 8:2 (docs/report.md).
    """
    with running(json) as terminal:
        from emc.cli.commands.bench.tables import print_lspe
        from emc.workflow.bench.arms import TRAINED
        from emc.workflow.bench.lspe import bench_lspe

        settings = options.settings_for(None, setting, predict={"estimator": estimator or EMBEDDED})
        document = bench_lspe(data, seeds, out, settings, terminal, model or list(TRAINED))
        terminal.result(document, lambda console: print_lspe(console, document))


@app.command("rendered")
def rendered(
    seeds: Annotated[int, typer.Option(help="How many seeds to run.", min=1)] = 1,
    out: Annotated[Path | None, typer.Option(help="Keep checkpoints here, and resume from here.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Train only this one: initial, finetune, 'plain 8:2' or calibration; repeatable."),
    ] = None,
    size: Annotated[float, typer.Option(help="Factor on the number of rendered people.", min=0.01)] = 1.0,
    estimator: options.Estimator = None,
    setting: options.Set = None,
    json: options.AsJson = False,
) -> None:
    """The same comparison on rendered kicks and everyday motion, with all COCO-17 joints; needs no data."""
    with running(json) as terminal:
        from emc.cli.commands.bench.tables import print_lspe
        from emc.workflow.bench.arms import TRAINED
        from emc.workflow.bench.rendered import bench_rendered

        settings = options.settings_for(None, setting, predict={"estimator": estimator or EMBEDDED})
        document = bench_rendered(seeds, out, settings, terminal, model or list(TRAINED), size)
        terminal.result(document, lambda console: print_lspe(console, document))


@app.command("lift")
def lift(
    data: Annotated[
        Path, typer.Option(help="Folder with mocap.npz, or with Human3.6M (data_3d_h36m.npz, cameras.json, 2D files).")
    ],
    before: Annotated[
        str, typer.Option(help="Errors of the 2D model before calibration: a file of `bench noise`.")
    ] = "nano",
    after: Annotated[
        str, typer.Option(help="Errors of the 2D model after calibration: a file of `bench noise`.")
    ] = "nano-calibrated",
    common: Annotated[list[str] | None, typer.Option(help="Common clips, as cmu/*_test; repeatable.")] = None,
    uncommon: Annotated[list[str] | None, typer.Option(help="Uncommon clips, as deepmimic/kick; repeatable.")] = None,
    cameras: Annotated[int, typer.Option(help="Virtual cameras per clip.", min=1)] = 4,
    variant: Annotated[
        list[str] | None, typer.Option(help="Treatments beside the plain lifter, as refined; repeatable. Default: all.")
    ] = None,
    keypoints: Annotated[str, typer.Option(help="Human3.6M: which data_2d_h36m_NAME.npz to lift.")] = "gt",
    setting: options.Set = None,
    json: options.AsJson = False,
) -> None:
    """Score a lifter on motion capture: exact 2D, and with a pose model's errors before and after calibration."""
    with running(json) as terminal:
        from emc.cli.commands.bench.tables import print_h36m, print_lift
        from emc.workflow.bench.h36m import bench_h36m, is_h36m
        from emc.workflow.bench.lift import COMMON, UNCOMMON, bench_lift, variants_named

        settings = options.settings_for(None, setting)
        if is_h36m(data):
            document = bench_h36m(data, keypoints, settings, terminal)
            terminal.result(document, lambda console: print_h36m(console, document))
            return
        chosen = variants_named(variant)
        patterns = (common or COMMON, uncommon or UNCOMMON)
        document = bench_lift(data, settings, before, after, *patterns, cameras, terminal, chosen)
        terminal.result(document, lambda console: print_lift(console, document))


@app.command("noise")
def noise(
    out: Annotated[Path | None, typer.Option(help="Write the noise model here, for `emc bench lift`.")] = None,
    clips: Annotated[int, typer.Option(help="Rendered clips of common motion, and as many of uncommon.", min=2)] = 36,
    estimator: options.Estimator = None,
    setting: options.Set = None,
    json: options.AsJson = False,
) -> None:
    """Measure how a 2D model errs on rendered people: per joint, over time, swapped sides, confidence."""
    with running(json) as terminal:
        from emc.cli.commands.bench.tables import print_noise
        from emc.workflow.bench.noise import bench_noise, write_noise

        settings = options.settings_for(None, setting, predict={"estimator": estimator or EMBEDDED})
        document = bench_noise(clips, settings, terminal)
        if out is not None:
            write_noise(document, out)
        terminal.result(document, lambda console: print_noise(console, document, out))
