"""An append-only log of JSON lines: what was acknowledged is there after ``kill -9`` and after a power cut."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emc.errors import StorageError

Record = Mapping[str, Any]


class SessionLog:
    """One log file; safe to use from several threads of one process.

    Every record gets ``at`` (UTC, ISO 8601). A record with an ``id`` is written once, however often it is sent.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._records = read_log(file)
        self._known = {record["id"] for record in self._records if "id" in record}

    @property
    def records(self) -> Sequence[Record]:
        """All records, oldest first."""
        with self._lock:
            return list(self._records)

    def append(self, records: Iterable[Record]) -> list[Record]:
        """Write records that are new, durably, and return them with their times.

        Raises `StorageError` where they cannot be written; then none of them counts as known.
        """
        with self._lock:
            new = self._unknown(records)
            if not new:
                return []
            self._write("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in new))
            self._records.extend(new)
            self._known.update(record["id"] for record in new if "id" in record)
            return new

    def _unknown(self, records: Iterable[Record]) -> list[Record]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        new: list[Record] = []
        seen: set[str] = set()
        for record in records:
            key = record.get("id")
            if key is not None and (key in self._known or key in seen):
                continue
            if key is not None:
                seen.add(key)
            new.append({"at": now, **record})
        return new

    def _write(self, text: str) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                file.write((_mend(self._file) + text).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"cannot write {self._file} ({error.strerror}): free some space, then go on") from error


def read_log(file: Path) -> list[Record]:
    """Return the records of a log, oldest first; what a crash cut off in the middle of a line is left out."""
    if not file.is_file():
        return []
    records: list[Record] = []
    for line in file.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _mend(file: Path) -> str:
    """Return what must come before the next record: a line break where a crash left a line unfinished."""
    with file.open("rb") as opened:
        if opened.seek(0, os.SEEK_END) == 0:
            return ""
        opened.seek(-1, os.SEEK_END)
        return "" if opened.read(1) == b"\n" else "\n"
