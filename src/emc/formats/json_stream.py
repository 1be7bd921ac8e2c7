"""JSON files of any size, entry by entry: never more than one entry of a list is held beside what the reader keeps.

COCO files of a whole data set are hundreds of megabytes; as one tree of Python objects they take thirty times that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from emc.errors import InputError

CHUNK = 1 << 20
MOST_ENTRY = 64 * CHUNK
"""Characters of the largest entry that is read: one person with all masks is thousands, not millions."""
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a JSON file.

    key : of the object that the file is; "" where the file is a list. place : in the list under that key; -1 where
    there is no list under it. `value` of an empty list is [], with the place -1.
    """

    key: str
    place: int
    value: Any


def json_entries(path: Path) -> Iterator[Entry]:
    """Yield the entries of a file whose top is an object or a list.

    Raises `InputError` naming the file and the place of what is no JSON, or too large.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = _Window(path, file)
        first = text.peek()
        if not first:
            raise InputError(f"{path} is empty: copy or export it again")
        if first == "[":
            yield from _list(text, "")
        elif first == "{":
            yield from _object(text)
        else:
            yield Entry("", -1, text.value())
        if text.peek():
            raise text.fault("more after its end")


def _object(text: _Window) -> Iterator[Entry]:
    text.take("{")
    if text.peek() == "}":
        text.take("}")
        return
    while True:
        if text.peek() != '"':
            raise text.fault("a name in quotes is missing")
        key = str(text.value())
        text.take(":")
        if text.peek() == "[":
            yield from _list(text, key)
        else:
            yield Entry(key, -1, text.value())
        if text.one_of(",}") == "}":
            return


def _list(text: _Window, key: str) -> Iterator[Entry]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        yield Entry(key, -1, [])
        return
    place = 0
    while True:
        yield Entry(key, place, text.value())
        place += 1
        if text.one_of(",]") == "]":
            return


class _Window:
    """The part of a text that is being read; grows by chunks where an entry does not end in it."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path = path
        self._file = file
        self._text = ""
        self._at = 0
        self._before = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is no space, "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Pass over one character that must come."""
        self.one_of(wanted)

    def one_of(self, wanted: str) -> str:
        """Pass over one of some characters, of which one must come, and return it."""
        found = self.peek()
        if not found or found not in wanted:
            raise self.fault(f"{' or '.join(wanted)} is missing" if found else "it is cut off")
        self._at += 1
        return found

    def value(self) -> Any:
        """Return the JSON value that comes."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                # A number at the end of the window may go on behind it.
                if end < len(self._text) or not self._more():
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                place = self._before + error.pos
                if not self._more():
                    raise self.fault(error.msg, place) from error
            except RecursionError as error:
                raise InputError(f"{self._path} is nested too deeply to be read: export it again") from error
            except ValueError as error:
                # Numbers of thousands of digits, which Python refuses to read.
                raise self.fault(str(error).partition(";")[0]) from error

    def fault(self, why: str, place: int | None = None) -> InputError:
        """Return the error that names the file and the place, from the start of the text."""
        place = self._before + self._at if place is None else place
        return InputError(f"{self._path} is not valid JSON (character {place}: {why}): export it again")

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        if self._ended:
            return False
        if len(self._text) - self._at > MOST_ENTRY:
            raise self.fault(f"an entry of more than {MOST_ENTRY >> 20} million characters")
        # Twice the window each time: an entry that is long is decoded a few times, not once per chunk.
        read = self._file.read(max(CHUNK, len(self._text) - self._at))
        self._ended = not read
        self._before += self._at
        self._text, self._at = self._text[self._at :] + read, 0
        return bool(read)
