"""`emc edit`: the editor in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

import emc.cli.options as options
from emc.cli.terminal import Terminal, running


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("edit")(edit)


def edit(
    project: options.Project = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port (default: 8731, else a free one).")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine need a password.")] = (
        "127.0.0.1"
    ),
    password: Annotated[
        str, typer.Option(help="Password for other machines; better given as EMC_PASSWORD in the environment.")
    ] = "",
    tls: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="CERT KEY", help="Speak TLS: a certificate and its key, PEM files."),
    ] = None,
) -> None:
    """Correct poses in the browser; every action is stored at once, Ctrl-C ends the server."""
    with running(False) as terminal:
        from emc.workflow.project import find_project

        folder = find_project(project, Path.cwd())
        secret = password or os.environ.get("EMC_PASSWORD", "")
        open_editor(folder, terminal, port=port, browser=browser, host=host, password=secret, tls=tls)


def open_editor(
    folder: Path,
    terminal: Terminal,
    *,
    port: int | None = None,
    browser: bool = True,
    host: str = "127.0.0.1",
    password: str = "",
    tls: tuple[Path, Path] | None = None,
) -> None:
    """Serve a project's editor until Ctrl-C; its address goes to stdout, so that scripts can read it."""

    def ready(url: str) -> None:
        typer.echo(url)
        terminal.say("every action is stored at once; Ctrl-C ends the editor")
        if browser:
            typer.launch(url)

    from emc.server import serve

    serve(folder, ready, host=host, port=port, password=password, author=options.author(), tls=tls)
