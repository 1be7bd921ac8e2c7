"""How the commands that messages name are typed here: by name where the shell finds them, else by their path."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import shutil
import sys
from pathlib import Path

_NAMED = re.compile(r"`(emc|pip|hf) ")
_EXTRA = re.compile(r"`?pip install '?emc-pose\[([a-z0-9-]+)\]'?`?")


def as_typed(text: str) -> str:
    """Return a message in which every command between backquotes runs as it stands, from this folder.

    In a checkout whose environment is not activated `emc` alone is not found: there it is ``.venv/bin/emc``. An extra
    of this package is named by the packages that it asks for: those are installed whatever this one came from.
    """
    text = _EXTRA.sub(_packages, text)
    return _NAMED.sub(lambda found: f"`{command_here(found[1], str(Path.cwd()), os.environ.get('PATH', ''))} ", text)


def _packages(found: re.Match[str]) -> str:
    wanted = importlib.metadata.requires("emc-pose") or ()
    marker = f'extra == "{found[1]}"'
    named = [rule.partition(";")[0].strip() for rule in wanted if marker in rule.replace("'", '"')]
    return f"`pip install {' '.join(repr(one) for one in named)}`" if named else found[0]


@functools.cache
def command_here(name: str, folder: str, path: str) -> str:
    """Return how a program of this Python's environment is called from `folder` with the search path `path`."""
    scripts = Path(sys.executable).parent
    own = shutil.which(name, path=str(scripts))
    if own is None:
        # Without its script a program is a module; there is no such module of `hf`.
        return f"{_quoted(sys.executable)} -m {name}" if name != "hf" else name
    found = shutil.which(name, path=path)
    if found is not None and Path(found).resolve() == Path(own).resolve():
        return name
    near = Path(own).is_relative_to(folder)
    return _quoted(str(Path(own).relative_to(folder)) if near else own)


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
