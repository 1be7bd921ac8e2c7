"""Fields of a foreign file that are carried along, those that are long as text: masks as lists take ten times that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

LONG = 8
"""Lists and objects with more parts than this are kept as JSON text."""


class PackedFields(Mapping[str, Any]):
    """A mapping that cannot be changed; equal to a dict of the same fields. A long value is made anew at each use."""

    __slots__ = ("_fields", "_packed")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = dict(fields)
        long = [name for name, value in fields.items() if _is_long(value)]
        self._packed = frozenset(long)
        for name in long:
            self._fields[name] = json.dumps(fields[name], ensure_ascii=False, separators=(",", ":")).encode(
                "utf-8", "surrogatepass"
            )

    def __getitem__(self, name: str) -> Any:
        value = self._fields[name]
        return json.loads(value.decode("utf-8", "surrogatepass")) if name in self._packed else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"PackedFields({dict(self)!r})"


def _is_long(value: Any) -> bool:
    if isinstance(value, dict):
        return len(value) > LONG
    return isinstance(value, list) and (len(value) > LONG or any(_is_long(one) for one in value))
