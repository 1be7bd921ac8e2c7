"""`emc persons`: who is in each clip, with pictures, and edits that delete, merge, restore or name them."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console

    from emc.interfaces import Store
    from emc.pose.records import Clip, Edit
    from emc.workflow.people import ListedPerson

app = typer.Typer(rich_markup_mode=None)

ClipName = Annotated[str, typer.Argument(metavar="CLIP", help="A clip of the project.")]
Number = Annotated[int, typer.Argument(metavar="PERSON", help="The person's number, as `emc persons` lists it.")]
Undo = Annotated[
    bool, typer.Option("--undo", help="Instead take back the newest edit of people of the clip, where it is yours.")
]


@app.callback(invoke_without_command=True)
def persons(
    context: typer.Context,
    clip: options.Clips = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also write a picture of each person there.")
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="First take back the newest edit of people of the one clip, if it is yours.")
    ] = False,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """List the people of the clips: frames, mean confidence, corrected joints, who is out, who counts."""
    if context.invoked_subcommand is not None:
        return
    with running(json) as terminal:
        from emc.errors import UsageError
        from emc.workflow.people import take_back_people
        from emc.workflow.project import find_project, open_project, selected_clips

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, None)
        with open_project(folder) as store:
            chosen = selected_clips(store, clip or [])
            if undo:
                if len(chosen) != 1:
                    raise UsageError(f"--undo is of one clip, and {len(chosen)} are meant: name one with --clip")
                take_back_people(store, chosen[0], settings.alerts, options.author())
            rows = [listed(store, one, pictures) for one in chosen]
        terminal.result({"clips": rows}, lambda console: _print(console, rows))


@app.command("delete")
def delete(
    clip: ClipName, person: Number, undo: Undo = False, project: options.Project = None, json: options.AsJson = False
) -> None:
    """Take a person out of poses, alerts, sheets, evaluation and exports; their corrections stay in the journal."""
    _edit(clip, "delete", [person], -1, undo, project, json)


@app.command("restore")
def restore(clip: ClipName, person: Number, project: options.Project = None, json: options.AsJson = False) -> None:
    """Bring back a person who was deleted or merged, whoever did that."""
    _edit(clip, "restore", [person], -1, False, project, json)


@app.command("merge")
def merge(
    clip: ClipName,
    person: Annotated[int, typer.Argument(metavar="A", help="The person who is another one.")],
    into: Annotated[int, typer.Argument(metavar="B", help="The person who A is; the number that stays.")],
    undo: Undo = False,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Let person A be person B: where both are on a frame, joints placed by hand win, else B's pose."""
    _edit(clip, "merge", [person], into, undo, project, json)


@app.command("athlete")
def athlete(
    clip: ClipName,
    people: Annotated[
        list[int] | None, typer.Argument(metavar="PERSON...", help="Those who count; nobody: everyone counts again.")
    ] = None,
    undo: Undo = False,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Say who the athlete is: the others are left out of alerts, calibration and lifting, and stay in exports."""
    _edit(clip, "athlete", people or [], -1, undo, project, json)


def listed(store: Store, clip: Clip, pictures: Path | None = None) -> dict[str, Any]:
    """Return the people of a clip as a JSON document, with the files of their pictures where they are asked for."""
    from emc.workflow.people import list_people, write_pictures
    from emc.workflow.predict import overlap_words

    found = list_people(store, clip)
    files = write_pictures(store.clip(clip.id), found, pictures) if pictures is not None else {}
    rows = [_row(one, str(files.get(one.person, ""))) for one in found.people]
    hints = [overlap_words(clip.id, pair) for pair in found.overlaps]
    facts = {"clip": clip.id, "frames": clip.frames, "athletes": list(found.athletes)}
    return facts | {"people": rows, "hints": hints}


def _edit(clip: str, action: str, people: list[int], into: int, undo: bool, project: Path | None, json: bool) -> None:
    with running(json) as terminal:
        from emc.workflow.people import take_back_people
        from emc.workflow.project import find_project, open_project

        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, None)
        with open_project(folder) as store:
            record = store.clip(clip)
            if undo:
                stored = take_back_people(store, record, settings.alerts, options.author())
            else:
                stored = _stored(store, record, action, people, into)
            document = {"edit": stored.id, "kind": stored.kind} | listed(store, record)
        terminal.result(document, lambda console: _print(console, [document]))


def _stored(store: Store, clip: Clip, action: str, people: list[int], into: int) -> Edit:
    import emc.workflow.people as edits

    settings, author = options.settings_for(store.folder, None).alerts, options.author()
    match action:
        case "delete":
            return edits.delete_person(store, clip, people[0], settings, author)
        case "restore":
            return edits.restore_person(store, clip, people[0], settings, author)
        case "merge":
            return edits.merge_persons(store, clip, people[0], into, settings, author)
        case _:
            return edits.name_athletes(store, clip, people, settings, author)


def _row(person: ListedPerson, picture: str) -> dict[str, Any]:
    row = asdict(person)
    row["confidence"] = None if math.isnan(person.confidence) else round(person.confidence, 4)
    row["box"] = [round(value, 1) for value in person.box]
    return row | ({"picture": picture} if picture else {})


def _print(console: Console, clips: list[dict[str, Any]]) -> None:
    for clip in clips:
        console.print(f"{clip['clip']}: {clip['frames']} frames")
        if not clip["people"]:
            console.print("  nobody (see what `emc predict` says, or draw a person in `emc edit`)")
        for row in clip["people"]:
            console.print(f"  {_line(row, bool(clip['athletes']))}", markup=False)
        for hint in clip["hints"]:
            console.print(f"  note: {hint}", markup=False)


def _line(row: dict[str, Any], named: bool) -> str:
    sure = "no predictions" if row["confidence"] is None else f"confidence {row['confidence']:.2f}"
    words = [f"person {row['person']:>2}  {row['frames']:>5} frames ({row['first']}-{row['last']})  {sure}"]
    if row["corrected"]:
        words.append(f"{row['corrected']} joints by hand")
    if row["merged"]:
        words.append(f"was also {', '.join(map(str, row['merged']))}")
    if row["deleted"]:
        words.append("deleted")
    elif named:
        words.append("athlete" if row["athlete"] else "does not count")
    if row.get("picture"):
        words.append(row["picture"])
    return "  ".join(words)
