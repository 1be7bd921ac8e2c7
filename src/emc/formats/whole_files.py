"""Reading and writing files whole: one clear error, and never a half-written file."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from emc.errors import InputError, StorageError
from emc.formats.json_stream import json_entries
from emc.untrusted import one_line

LARGE = 32 * 2**20
MOST_TEXT = 256 * 2**20
"""Largest table or JSON text, in bytes, that is read at once."""


def read_text(path: Path) -> str:
    """Return a UTF-8 text (a byte-order mark is dropped); raises `InputError` naming the file and what is wrong."""
    try:
        size = path.stat().st_size
        if size > MOST_TEXT:
            raise InputError(
                f"{path} has {size / 2**20:.0f} MB, of at most {MOST_TEXT >> 20} MB for such a file: split it"
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: check its spelling, or where it was moved to") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check that it is a file you may read") from error
    if not text.strip():
        raise InputError(f"{path} is empty: copy or export it again")
    return text


def is_large(path: Path) -> bool:
    """Return whether a file is too large to be held as one tree of objects, which takes thirty times its size."""
    return path.is_file() and path.stat().st_size > LARGE


def read_json(path: Path, without: Collection[str] = ()) -> Any:
    """Return a JSON document; raises `InputError` naming the file, line and column.

    without : names that entries of lists may lose; of a large file they are dropped while it is read.
    """
    if is_large(path):
        return _read_large(path, without)
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not valid JSON (line {error.lineno}, column {error.colno}: {error.msg}): export it again"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path} is nested too deeply to be read: export it again") from error
    except ValueError as error:
        # Numbers of thousands of digits, which Python refuses to read.
        raise InputError(f"{path} is not valid JSON ({str(error).partition(';')[0]}): export it again") from error


@one_line("save it as UTF-8, or export it again")
def _read_large(path: Path, without: Collection[str]) -> Any:
    document: dict[str, Any] = {}
    for entry in json_entries(path):
        value = entry.value
        if entry.place < 0:
            document[entry.key] = value
            continue
        if isinstance(value, dict):
            value = {name: held for name, held in value.items() if name not in without}
        document.setdefault(entry.key, []).append(value)
    return document[""] if set(document) == {""} else document


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document whole or not at all; raises `StorageError` naming the file."""
    write_text(path, json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all, see `write_whole`."""
    write_whole(path, text.encode("utf-8"))


def write_whole(path: Path, data: bytes) -> None:
    """Write bytes whole or not at all: to a temporary name beside `path`, then renamed.

    Raises `StorageError` naming the file; an older file of that name is then still there, unchanged.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): free some space or check the folder's permissions"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
