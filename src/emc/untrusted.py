"""The one door for what others made: whatever reading it raises becomes one line, and what it may cost is bounded.

A reader checks what it can name. What it did not think of (a number of 400 digits, a list where a text belongs, a
thousand brackets) still must not end as a traceback: `one_line` makes one line of it, with the file and a remedy.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from emc.errors import EmcError, InputError

P = ParamSpec("P")
R = TypeVar("R")

MOST_CARD_BYTES = 64 * 2**20
"""Largest JSON or TOML file that describes something (a model, a project, a study): more is a mistake."""
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")


def one_line(remedy: str, kind: type[EmcError] = InputError) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator for a function that reads a file: all that it raises is an `EmcError` of one line.

    The line names the first argument that is a path (else the first text). remedy : what to do, without a full stop.
    kind : of the error where the function raised another one than ours.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            with in_one_line(_named(args, kwargs), remedy, kind):
                return function(*args, **kwargs)

        return guarded

    return decorate


@contextmanager
def in_one_line(what: object, remedy: str, kind: type[EmcError] = InputError) -> Iterator[None]:
    """Turn every exception but ours into one line of the form "<what> cannot be used (<why>): <remedy>"."""
    try:
        yield
    except EmcError:
        raise
    except Exception as error:
        raise kind(f"{what} cannot be used ({said_by(error)}): {remedy}") from error


def said_by(error: BaseException) -> str:
    """Return what an exception says, in one short line."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply, or refers to itself"
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = " ".join(str(error).split())
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return said if len(said) <= 200 else said[:197] + "..."


def card_text(path: Path) -> str:
    """Return the UTF-8 text of a small file that describes something; raises `ValueError`, `OSError` as it comes.

    Larger than `MOST_CARD_BYTES` is a `ValueError`, without reading it.
    """
    size = path.stat().st_size
    if size > MOST_CARD_BYTES:
        raise ValueError(f"{size / 2**20:.0f} MB, of at most {MOST_CARD_BYTES >> 20} MB")
    return path.read_text(encoding="utf-8")


def card_json(path: Path) -> Any:
    """Return the JSON of such a file; nesting that Python cannot follow is a `ValueError` as any damage is."""
    try:
        return json.loads(card_text(path))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def safe_name(name: object, what: str) -> str:
    """Return a name that may become a part of a path; raises `InputError` for one that could lead elsewhere.

    Slashes, control characters and a dot in front are refused, as is what is no text or longer than 200 characters.
    what : what the name is of, for the message.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.startswith("."):
        raise InputError(
            f"{what} '{shown(name)}' is no name that emc gives: the project was not written by emc, or is damaged"
        )
    return name


def shown(value: object, most: int = 60) -> str:
    """Return a value of a foreign file as messages show it: one line, short, and without control characters."""
    text = " ".join(str(value).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= most else text[: most - 3] + "..."


def _named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    values = [*args, *kwargs.values()]
    path = next((value for value in values if isinstance(value, Path)), None)
    text = next((value for value in values if isinstance(value, str) and value), "the file")
    return str(path) if path is not None else shown(text, 200)
