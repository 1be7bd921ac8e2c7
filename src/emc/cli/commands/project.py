"""`emc new`, `emc add`, `emc relink`, `emc remove`, `emc status`: a project and its clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("new")(new)
    app.command("add")(add)
    app.command("relink")(relink)
    app.command("remove")(remove)
    app.command("status")(status)


def new(
    name: Annotated[str, typer.Argument(help="Name of the project; makes the folder NAME.emc.")],
    skeleton: Annotated[
        str,
        typer.Option(
            help="Joints of all poses: a built-in skeleton such as halpe26, or a TOML file of your own "
            "(docs/skeletons.md). Default: those of the models."
        ),
    ] = "",
    database: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Keep the project's database on a PostgreSQL server (postgresql://USER@HOST:5432/NAME, docs/team.md).",
        ),
    ] = "",
    join: Annotated[bool, typer.Option("--join", help="The database holds the project already.")] = False,
    json: options.AsJson = False,
) -> None:
    """Make an empty project folder NAME.emc."""
    with running(json) as terminal:
        from emc.workflow.project import declared_skeleton, mirror_note, new_project

        with new_project(name, skeleton, database, join) as store:
            own = declared_skeleton(store)
            document = {"project": str(store.folder), "said": mirror_note(own) if own else ""}
        terminal.result(document, lambda console: _print_new(console, document))


def add(
    paths: Annotated[
        list[str], typer.Argument(help="Videos, images, folders of images, or addresses (https://...) of videos.")
    ],
    role: Annotated[
        str, typer.Option(help="target (your uncommon motion; the default) or common (everyday poses).")
    ] = "",
    group: Annotated[
        str, typer.Option(help="Athlete or session; splits never separate a group (default: each clip its own).")
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option(help="Free tag key=value; repeatable. split=test holds a clip out.")
    ] = None,
    fps: options.Fps = 0.0,
    licence: Annotated[
        str, typer.Option(help="Note on the licence, kept with clips from addresses (default: what their page states).")
    ] = "",
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Add clips to the project; files stay where they are, addresses are fetched into it (extra `web`)."""
    with running(json) as terminal:
        from emc.pose.rates import rate_words
        from emc.workflow.project import add_sources, find_project, open_project, parse_tags

        tags = parse_tags(tag or [])
        folder = find_project(project, Path.cwd())
        settings = options.settings_for(folder, None)
        with open_project(folder) as store:
            done = add_sources(store, paths, _role(role), group, tags, settings.video, licence, terminal, fps)
            clips = [
                {"id": c.id, "frames": c.frames, "size": [c.width, c.height], "fps": c.fps or None,
                 "file_fps": c.file_fps or None, "rate": rate_words(c), "pixel_aspect": c.pixel_aspect,
                 "origin": store.document("origin", c.id)}
                for c in done.clips
            ]  # fmt: skip
        terminal.result(
            {"added": clips, "failed": list(done.failures), "notes": list(done.notes)},
            lambda console: _print_added(console, clips),
        )
        if done.failures:
            raise typer.Exit(1)


def relink(
    clip: Annotated[str, typer.Argument(help="Id of a clip, as `emc status` shows it; not with --all.")] = "",
    path: Annotated[Path | None, typer.Argument(help="Where its file or folder of images is now.")] = None,
    everything: Annotated[
        Path | None, typer.Option("--all", help="Find the media of all clips under this folder, by size and content.")
    ] = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="Accept other content that shows the same moments: corrections stay on their frames and pixels, the "
            "next `emc predict` predicts the clip again; new images of a folder become frames at the end.",
        ),
    ] = False,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Say where the media of clips are now; role, group, tags, predictions and corrections stay."""
    with running(json) as terminal:
        from emc.errors import UsageError
        from emc.workflow.media import relink_clip, relink_folder
        from emc.workflow.project import find_project, open_project

        if (everything is None) != (bool(clip) and path is not None) or (everything is not None and changed):
            raise UsageError("say which media: `emc relink CLIP PATH` (with --changed or not), or `--all FOLDER` alone")
        with open_project(find_project(project, Path.cwd())) as store:
            if everything is None:
                rows = [relink_clip(store, clip, path or Path(), changed) | {"state": "relinked"}]
            else:
                rows = relink_folder(store, everything)
        lost = [row for row in rows if row["state"] == "not found" and not Path(row["path"]).exists()]
        terminal.result({"clips": rows}, lambda console: [console.print(_relinked_line(row)) for row in rows])
        if lost:
            raise typer.Exit(1)


def _relinked_line(row: dict[str, Any]) -> str:
    more = f"; {len(row['changed'])} of its files have other content" if row.get("changed") else ""
    more += f"; new frames at the end: {', '.join(row['added'])}" if row.get("added") else ""
    return f"{row['clip']}: {row['state']}, {row['path']}{more}"


def remove(
    clips: Annotated[list[str], typer.Argument(help="Ids of clips, as `emc status` shows them.")],
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Take clips out of the project; corrections stay in the journal, media are not touched."""
    with running(json) as terminal:
        from emc.workflow.project import find_project, open_project

        with open_project(find_project(project, Path.cwd())) as store:
            found = [store.clip(clip).id for clip in clips]
            for clip in found:
                store.remove_clip(clip)
        terminal.result({"removed": found}, lambda console: console.print(f"removed {', '.join(found)}"))


def status(project: options.Project = None, json: options.AsJson = False) -> None:
    """Show the project's clips, predictions, alerts and corrections."""
    with running(json) as terminal:
        from emc.workflow.project import find_project, open_project
        from emc.workflow.project import status as project_status

        with open_project(find_project(project, Path.cwd())) as store:
            document = project_status(store)
        terminal.result(document, lambda console: _print_status(console, document))


def _print_new(console: Console, document: dict[str, Any]) -> None:
    if document["said"]:
        console.print(f"note: {document['said']}", markup=False)
    console.print(f"made {document['project']}: next, `emc add VIDEO`")


def _role(word: str) -> Any:
    from emc.errors import UsageError
    from emc.pose.records import Role

    if not word:
        return None
    try:
        return Role(word)
    except ValueError:
        raise UsageError(f"role '{word}' is unknown: use target or common") from None


def _print_added(console: Console, clips: list[dict[str, Any]]) -> None:
    for clip in clips:
        width, height = clip["size"]
        console.print(f"added {clip['id']}: {clip['frames']} frames, {width} x {height}, {clip['rate']}")
    _print_origins(console, clips)


def _print_origins(console: Console, clips: list[dict[str, Any]]) -> None:
    """Tell where fetched clips come from, under which licence, and what their bytes are known by."""
    for clip in clips:
        if kept := clip["origin"]:
            words = f"{clip['id']}: from {kept['address']} on {kept['fetched'][:10]}; licence: {kept['licence']}"
            console.print(f"{words}; SHA-256 {kept['sha256']}", markup=False, soft_wrap=True)


def _print_status(console: Console, document: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(title=document["project"], title_justify="left")
    for name, side in (("clip", "left"), ("role", "left"), ("group", "left"), ("tags", "left"), ("frames", "right"),
                       ("runs", "right"), ("alerts", "right"), ("edits", "right"), ("media", "left")):  # fmt: skip
        table.add_column(name, justify=side)  # pyright: ignore[reportArgumentType]
    for clip in document["clips"]:
        tags = " ".join(f"{k}={v}" for k, v in clip["tags"].items())
        runs = sum(run["complete"] for run in clip["runs"])
        table.add_row(clip["id"], clip["role"], clip["group"], tags, str(clip["frames"]), str(runs),
                      str(clip["alerts"]), str(clip["edits"]), clip["media"])  # fmt: skip
    console.print(table)
    for clip in document["clips"]:
        if clip["media_fault"]:
            console.print(clip["media_fault"], markup=False, soft_wrap=True)
    _print_origins(console, document["clips"])
