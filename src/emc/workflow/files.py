"""Writing files so that a crash leaves the old one or the new one, never half of either."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from emc.errors import ProjectError, StorageError
from emc.untrusted import card_json, in_one_line


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the file `path` by `data`, durably; raises `StorageError` that names it, the old file kept."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        why = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise StorageError(
            f"cannot write {path} ({why}): free space or choose another folder, then run the command again"
        ) from error


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replace the file `path` by a JSON document; NaN becomes null, so that every reader can parse it."""
    text = json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode("utf-8"))


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a JSON document, None where there is no such file."""
    if not path.is_file():
        return None
    with in_one_line(path, "delete it, or put back a copy; the command that wrote it writes it again", ProjectError):
        document = card_json(path)
        if not isinstance(document, dict):
            raise TypeError("it is no JSON object")
        return document


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    if isinstance(value, float) and value not in (float("inf"), float("-inf")) and value == value:
        return value
    return None if isinstance(value, float) else value
