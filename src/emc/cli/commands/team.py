"""`emc members`, `emc assign`, `emc review`, `emc agreement`: several people on one project."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import emc.cli.options as options
from emc.cli.terminal import running

if TYPE_CHECKING:
    from rich.console import Console

    from emc.store import SqlStore

members_app = typer.Typer(rich_markup_mode=None)
ClipName = Annotated[str, typer.Argument(metavar="CLIP", help="A clip of the project.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name that their edits carry.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.add_typer(members_app, name="members", help="List who has a token for the editor; add and revoke members.")
    app.command("assign")(assign)
    app.command("review")(review)
    app.command("agreement")(agree)


@members_app.callback(invoke_without_command=True)
def members(context: typer.Context, project: options.Project = None, json: options.AsJson = False) -> None:
    """List the project's members: name, role, since when, and whether they were revoked."""
    if context.invoked_subcommand is not None:
        return
    with running(json) as terminal:
        from emc.workflow.team import assigned_clips, members_of

        with _opened(project) as store:
            rows = [
                {"name": one.name, "role": str(one.role), "created": one.created, "revoked": one.revoked or None,
                 "clips": list(assigned_clips(store, one.name))}
                for one in members_of(store)
            ]  # fmt: skip
        terminal.result({"members": rows}, lambda console: _print_members(console, rows))


@members_app.command("add")
def add(
    name: Name,
    role: Annotated[
        str,
        typer.Option(help="annotator (corrects), reviewer (also checks, sends back) or owner (also calibrates)."),
    ] = "annotator",
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Create a member's token, which proves their name and is shown only once; a member who has one gets a new one."""
    with running(json) as terminal:
        from emc.errors import UsageError
        from emc.workflow.team import Role, add_member

        if role not in list(Role):
            raise UsageError(f"role '{role}' is unknown: use one of {', '.join(Role)}")
        with _opened(project) as store:
            token = add_member(store, name, Role(role))
        document = {"name": name, "role": role, "token": token}

        def show(console: Console) -> None:
            console.print(token, soft_wrap=True, highlight=False, markup=False)
            terminal.say(
                f"{name} is {role}: they open the editor's address with /?token={token[:4]}..., the whole of it"
            )

        terminal.result(document, show)


@members_app.command("revoke")
def revoke(name: Name, project: options.Project = None, json: options.AsJson = False) -> None:
    """Revoke a member's token at once, in a running editor too; their edits keep their name."""
    with running(json) as terminal:
        from emc.workflow.team import revoke_member

        with _opened(project) as store:
            gone = revoke_member(store, name)
        document = {"name": gone.name, "revoked": gone.revoked}
        terminal.result(document, lambda console: console.print(f"{name}: revoked", markup=False))


def assign(
    clip: ClipName,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Members; without names the clip is unassigned.")
    ] = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Let members work on a clip: the queue of each then holds only their clips, unless they ask for others."""
    with running(json) as terminal:
        import emc.workflow.team as team

        with _opened(project) as store:
            team.assign(store, clip, tuple(names or ()))
            rows = {one: list(who) for one, who in team.assignments(store).items()}
        terminal.result({"assigned": rows}, lambda console: _print_lists(console, rows))


def review(
    clip: ClipName,
    done: Annotated[bool, typer.Option("--done", help="It is corrected.")] = False,
    checked: Annotated[bool, typer.Option("--checked", help="It was looked at, and is right.")] = False,
    back: Annotated[str, typer.Option(metavar="NOTE", help="Send it back: what is to be done.")] = "",
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Say how far the newest run of a clip is: done, checked, or sent back with a note; without an option, show it."""
    with running(json) as terminal:
        from emc.errors import UsageError
        from emc.workflow.team import ReviewState, review_of, set_review

        chosen = [(ReviewState.DONE, done), (ReviewState.CHECKED, checked), (ReviewState.SENT_BACK, bool(back))]
        states = [state for state, wanted in chosen if wanted]
        if len(states) > 1:
            raise UsageError("--done, --checked and --back say different things: choose one")
        with _opened(project) as store:
            if states:
                set_review(store, clip, states[0], options.author(), back)
            found = review_of(store, store.clip(clip).id)
        document: dict[str, Any] = {"clip": clip, "review": None if found is None else asdict(found)}
        terminal.result(document, lambda console: _print_review(console, document))


def agree(
    clip: ClipName,
    one: Name,
    other: Name,
    beside: Annotated[
        Path | None,
        typer.Option(metavar="PROJECT", help="The project that holds the other's work (default: the same)."),
    ] = None,
    project: options.Project = None,
    json: options.AsJson = False,
) -> None:
    """Say how far two annotators agree on the joints that both decided: distance per joint, OKS, visibility."""
    with running(json) as terminal:
        from contextlib import ExitStack

        from emc.workflow.project import open_project
        from emc.workflow.team import agreement

        with ExitStack() as stack:
            store = stack.enter_context(_opened(project))
            theirs = None if beside is None else stack.enter_context(open_project(beside))
            found = agreement(store, clip, one, other, theirs)
        document = asdict(found)
        terminal.result(document, lambda console: _print_agreement(console, document))


def _opened(project: Path | None) -> SqlStore:
    from emc.workflow.project import find_project, open_project

    return open_project(find_project(project, Path.cwd()))


def _print_members(console: Console, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        gone = f", revoked {row['revoked']}" if row["revoked"] else ""
        clips = f": {', '.join(row['clips'])}" if row["clips"] else ""
        console.print(f"{row['name']}  {row['role']} since {row['created']}{gone}{clips}", markup=False, soft_wrap=True)
    if not rows:
        console.print("no members: `emc members add NAME` gives somebody a token")


def _print_lists(console: Console, rows: dict[str, list[str]]) -> None:
    for name, values in rows.items():
        console.print(f"{name}  {', '.join(values)}", markup=False, soft_wrap=True)


def _print_review(console: Console, document: dict[str, Any]) -> None:
    found = document["review"]
    if found is None:
        console.print(f"{document['clip']} is not predicted yet", markup=False)
        return
    said = f" by {found['by'] or 'somebody'}, {found['at']}" if found["at"] else ""
    note = f": {found['note']}" if found["note"] else ""
    console.print(f"{document['clip']}  {found['state']}{said}{note}", markup=False, soft_wrap=True)


def _print_agreement(console: Console, document: dict[str, Any]) -> None:
    for row in document["joints"]:
        said = f"{row['joint']:18} {row['count']:5} poses  {row['median']:.1f} px median  {row['p95']:.1f} px 95 %"
        console.print(said, markup=False)
    console.print(
        f"{document['poses']} poses with joints that both placed, OKS {document['oks']:.3f}, "
        f"same visibility {100 * document['visibility']:.0f} %",
        markup=False,
    )
