"""`emc study`: a crossover of the editor and the classic method that any lab can run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console

    from emc.study.plan import StudyDesign

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Folder = Annotated[Path, typer.Argument(metavar="NAME", help="The study: its folder NAME.study, or NAME.")]
AVERAGE = 0.25
"""Shares of wrong joints of two clips that differ by more than this share of the larger one are told."""


@app.callback()
def root() -> None:
    """Compare the editor with placing every joint by hand, on people."""


@app.command("new")
def new(
    name: Folder,
    project: options.Project = None,
    clips: Annotated[
        list[str] | None, typer.Option("--clip", help="One of the two matched clips; give the option twice.")
    ] = None,
    training: Annotated[str, typer.Option(help="The clip on which both methods are practised.")] = "",
    rendered: Annotated[
        bool, typer.Option("--rendered", help="Render three kicks instead of taking clips of a project.")
    ] = False,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each clip, from its first.")] = 90,
    training_frames: Annotated[int, typer.Option(min=1, help="Frames of the training clip.")] = 5,
    step: Annotated[int, typer.Option(min=1, help="Frames between two recorded times.")] = 10,
    goal: Annotated[float, typer.Option(help="Share of joints that must be right before frames count as done.")] = 0.95,
    checks: Annotated[int, typer.Option(min=1, help="Failed checks after which frames may be left as they are.")] = 5,
    idle: Annotated[float, typer.Option(help="Seconds without input that still count as work.")] = 15.0,
    consent: Annotated[
        Path | None, typer.Option(help="Text file that participants agree to (default: a plain text).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the assignment to groups.")] = 0,
    json: options.AsJson = False,
) -> None:
    """Make a study from clips that are predicted, and corrected or labelled: those poses are the reference."""
    with running(json) as terminal:
        from emc.errors import InputError, UsageError
        from emc.study.plan import CONSENT
        from emc.study.preparing import StudyOptions, make_study

        text = CONSENT
        if consent is not None:
            if not consent.is_file():
                raise InputError(f"{consent} is no file: give the text that participants agree to")
            text = consent.read_text(encoding="utf-8")
        if rendered:
            source, names = _rendered(name, frames, training_frames, terminal)
        elif clips is None or len(clips) != 2 or not training:
            raise UsageError("a study needs two clips and one for training: give --clip A --clip B --training C")
        else:
            source, names = _opened(project), (clips[0], clips[1], training)
        order = StudyOptions(
            name=Path(name).stem, clips=(names[0], names[1]), training=names[2], frames=frames,
            training_frames=training_frames, step=step, goal=goal, checks=checks, idle=idle, seed=seed, consent=text,
        )  # fmt: skip
        with source as store:
            folder, design = make_study(name, store, order)
        document = _plan(folder, design)
        terminal.result(document, lambda console: _print_plan(console, document))


@app.command("run")
def run(
    name: Folder,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port (default: 8741, else a free one).")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine need a password.")] = (
        "127.0.0.1"
    ),
    password: Annotated[
        str, typer.Option(help="Password for other machines; better given as EMC_PASSWORD in the environment.")
    ] = "",
) -> None:
    """Serve a study; participants need a browser and the address printed here, which stays the same."""
    with running(False) as terminal:
        from emc.server.studies import serve_study
        from emc.study.plan import study_folder

        def ready(url: str) -> None:
            typer.echo(url)
            terminal.say("give this address to the participants; everything is stored at once; Ctrl-C ends the server")
            if browser:
                typer.launch(url)

        secret = password or os.environ.get("EMC_PASSWORD", "")
        serve_study(study_folder(name), ready, host=host, port=port, password=secret)


@app.command("analyse")
def analyse(
    name: Folder,
    out: Annotated[Path | None, typer.Option(help="Folder for the results (default: NAME.study/results).")] = None,
    json: options.AsJson = False,
) -> None:
    """Write tables, the figure and a page from what is recorded so far; nothing of the study changes."""
    with running(json) as terminal:
        from emc.study.analysis import HTML, write_outcome
        from emc.study.plan import study_folder
        from emc.study.roster import Study

        folder = study_folder(name)
        document = write_outcome(Study(folder), out or folder / "results")
        terminal.result(document, lambda console: _print_result(console, document, HTML))


@app.command("power")
def power(
    ratio: Annotated[float, typer.Option(help="Ratio of times to detect: 2 = twice as fast.")] = 2.0,
    chance: Annotated[float, typer.Option(help="Probability of detecting it (power).")] = 0.9,
    spread: Annotated[
        float, typer.Option(help="Standard deviation of log time within people (printed by analyse; 0.47 = 50 %).")
    ] = 0.47,
    people: Annotated[
        int, typer.Option(min=0, help="Print the power with this many people; 0 = how many are needed.")
    ] = 0,
    json: options.AsJson = False,
) -> None:
    """Print how many people are needed to detect a difference, or the power with a given number."""
    with running(json) as terminal:
        from emc.study.plan import crossover_power, people_needed

        needed = people or people_needed(ratio, spread, chance)
        document = {"ratio": ratio, "spread": spread, "people": needed, "power": crossover_power(needed, ratio, spread)}
        terminal.result(
            document,
            lambda console: console.print(
                f"{needed} people see a {ratio:g}-fold difference with {100 * document['power']:.0f} % "
                f"(spread of log time within people {spread:g})"
            ),
        )


def _opened(project: Path | None) -> Any:
    from emc.workflow.project import find_project, open_project

    return open_project(find_project(project, Path.cwd()))


def _rendered(name: Path, frames: int, training_frames: int, terminal: Any) -> tuple[Any, tuple[str, str, str]]:
    from emc.workflow.study_clips import rendered_study_clips

    return rendered_study_clips(Path(name).with_name(f"{Path(name).stem}-clips"), frames, training_frames, terminal)


def _plan(folder: Path, design: StudyDesign) -> dict[str, Any]:
    from dataclasses import asdict

    from emc.study.plan import USUAL_SPREAD, people_needed

    first, second = design.clips
    apart = abs(first.wrong - second.wrong) > AVERAGE * max(first.wrong, second.wrong, 1e-9)
    return {
        "study": str(folder),
        "clips": [asdict(task) for task in design.clips],
        "training": asdict(design.training),
        "matched": not apart and first.frames == second.frames,
        "people_for_twofold": people_needed(2.0, USUAL_SPREAD),
        "people_for_threefold": people_needed(3.0, USUAL_SPREAD),
        "spread": USUAL_SPREAD,
    }


def _print_plan(console: Console, document: dict[str, Any]) -> None:
    console.print(f"study {document['study']}")
    for task in (*document["clips"], document["training"]):
        people = ", rendered people" if task["rendered"] else ""
        console.print(
            f"  {task['clip']}: {task['frames']} frames{people}; "
            f"the model has {100 * task['wrong']:.1f} % of the joints wrong"
        )
    if not document["matched"]:
        console.print("  the two clips are not alike: the order of clips is balanced, but matched ones tell more")
    console.print(
        f"plan for {document['people_for_twofold']} people to see a 2-fold difference with 90 %, "
        f"{document['people_for_threefold']} for 3-fold (see `emc study power`)"
    )
    console.print(f"next: emc study run {document['study']}")


def _print_result(console: Console, document: dict[str, Any], page: str) -> None:
    console.print(f"{document['people']} people, {document['finished']} finished, {document['withdrawn']} withdrew")
    fit = document["ratio"]
    if fit is not None:
        ratio = fit["ratio"]
        words = "" if ratio["ci95"] is None else f" (95 % interval {ratio['ci95'][0]:.2f} to {ratio['ci95'][1]:.2f})"
        simulated = " (simulated)" if document["simulated"] else ""
        console.print(f"classic / editor, ratio of times{simulated}: {ratio['value']:.2f}{words}")
        if fit["note"]:
            console.print(fit["note"])
    if document["simulated"]:
        console.print(f"{document['simulated']} of them simulated: their figures say nothing about people")
    console.print(document["files"][page])
