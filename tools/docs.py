"""Write the reference pages that follow from the code: docs/commands.md and docs/settings.md.

``python tools/docs.py`` writes them; ``--check`` says whether they are up to date (a test runs that).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer.main

from emc.cli.main import app
from emc.config import Section, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
COMMANDS_HEAD = """# Commands

Written by `python tools/docs.py` from the commands themselves. Every command answers `--help`; results go to stdout
(one JSON document with `--json`), notes and progress bars to stderr. Exit codes: 0 done, 1 the work failed (also
where one of several files failed, and after Ctrl-C), 2 the request was wrong. Ctrl-C and crashes leave a state from
which the same command goes on.
"""
SETTINGS_HEAD = """# Settings

Written by `python tools/docs.py`. A value comes from, first to last: the default below, `emc.toml` in the project
folder (`[calibrate]` then `steps = 300`), an environment variable (`EMC_CALIBRATE__STEPS=300`), an option
(`--set calibrate.steps=300`). An unknown name or a value out of range is an error that says what is allowed.
"""


def commands_page() -> str:
    """Return docs/commands.md."""
    root = typer.main.get_command(app)
    lines = [COMMANDS_HEAD]
    for path, command in _walk(root, ("emc",)):
        lines += _command_section(" ".join(path), command)
    return "\n".join(lines).rstrip() + "\n"


def settings_page() -> str:
    """Return docs/settings.md."""
    lines = [SETTINGS_HEAD]
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            continue
        lines += [f"## {section}", "", (kind.__doc__ or "").strip(), ""]
        lines += ["| name | default | meaning |", "|---|---|---|"]
        for name, setting in kind.model_fields.items():
            lines.append(f"| `{section}.{name}` | `{_toml(setting.default)}` | {setting.description} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _walk(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    own = [(path, command)] if command.invoke_without_command and len(path) > 1 else []
    return own + [found for name, child in children.items() for found in _walk(child, (*path, name))]


def _command_section(name: str, command: Any) -> list[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    choices = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([name, *(_metavar(p) for p in arguments)])
    lines = [f"## {name}", "", (command.help or "").strip(), "", f"`{usage} [options]`", ""]
    rows = [(_metavar(p), getattr(p, "help", "") or "", "") for p in arguments]
    rows += [(", ".join([*p.opts, *p.secondary_opts]), getattr(p, "help", "") or "", _default(p)) for p in choices]
    if rows:
        lines += ["| argument or option | meaning | default |", "|---|---|---|"]
        lines += [f"| `{first}` | {meaning} | {default} |" for first, meaning, default in rows]
        lines.append("")
    return lines


def _metavar(parameter: Any) -> str:
    name = str(parameter.name).strip("_").upper()
    return f"{name}..." if parameter.nargs == -1 else name


def _default(parameter: Any) -> str:
    value = parameter.default
    return "" if value is None or value is False or value == "" or callable(value) else f"`{value}`"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def main() -> int:
    """Write the pages, or with ``--check`` return 1 where one is out of date."""
    stale = []
    for name, text in (("commands.md", commands_page()), ("settings.md", settings_page())):
        path = DOCS / name
        if "--check" in sys.argv:
            stale += [name] if not path.is_file() or path.read_text(encoding="utf-8") != text else []
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"docs/{', docs/'.join(stale)} out of date: run `python tools/docs.py`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
