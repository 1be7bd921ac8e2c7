"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emc.errors import UsageError

if TYPE_CHECKING:
    from emc.config import Settings

Project = Annotated[
    Path | None, typer.Option("--project", "-p", help="Project folder NAME.emc (default: the only one here).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout; notes go to stderr.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.NAME=VALUE", help="Change a setting (see docs/settings.md); repeatable."),
]
Clips = Annotated[list[str] | None, typer.Option("--clip", help="Only this clip; repeatable (default: all).")]
Boxes = Annotated[
    Path | None, typer.Option("--boxes", help="Person boxes from a COCO JSON or CSV file, instead of the detector.")
]
FramesBy = Annotated[
    str | None,
    typer.Option(
        "--frames-by",
        help="Where the file gives the frame number: field, name (number at the end of file_name), order or id "
        "(default: detected and printed).",
    ),
]
FirstFrame = Annotated[
    int | None,
    typer.Option("--first-frame", help="Number of the clip's first frame in the file, 0 or 1 (default: detected)."),
]
Estimator = Annotated[
    str | None, typer.Option("--estimator", help="A name from `emc models`, a saved model's folder, or an ONNX file.")
]
Fast = Annotated[
    bool,
    typer.Option("--fast", help="The smaller, faster network (movenet-lightning) where no estimator is named."),
]
Fps = Annotated[
    float,
    typer.Option(
        help="Frames per second of real time: of slow motion, or of pictures that follow each other; also "
        "of a clip that is in already. Default: what the file says; pictures have no rate and stand alone."
    ),
]
Sample = Annotated[
    str | None,
    typer.Option(
        "--sample", metavar="HOW", help="Frames to take: every:3, fps:5, uniform:200 or motion:200 (default: all)."
    ),
]


Persons = Annotated[
    list[int] | None, typer.Option("--person", help="Only this person (see `emc persons`); repeatable (default: all).")
]


def author() -> str:
    """Return the name that edits are signed with: that of the account, "" where there is none."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def settings_for(project: Path | None, words: Sequence[str] | None, **sections: dict[str, Any]) -> Settings:
    """Return the settings of a project with ``--set`` words and named options on top."""
    from emc.config import read_settings

    merged = {name: dict(values) for name, values in sections.items()}
    for word in words or ():
        key, sign, value = word.partition("=")
        section, dot, name = key.strip().partition(".")
        if not sign or not dot:
            raise UsageError(f"--set '{word}' is not SECTION.NAME=VALUE: write for example --set calibrate.steps=300")
        merged.setdefault(section, {})[name] = _value(value)
    return read_settings(project, **merged)


def _value(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text
