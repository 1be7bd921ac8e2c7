"""What label files say of a person beside joints, kept in the project."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emc.interfaces import Store


@dataclass(frozen=True, slots=True)
class LabelExtra:
    """What a label file says of a person beside its joints; NaN where it does not say."""

    head: float = math.nan
    area: float = math.nan
    box: tuple[float, float, float, float] | None = None


def put_extras(store: Store, clip: str, extras: Mapping[tuple[int, int], LabelExtra]) -> None:
    """Keep what a label file says beside joints, merged with what is there."""
    known = store.document("label_extras", clip) or {"persons": {}}
    for (frame, person), extra in extras.items():
        known["persons"][f"{frame}:{person}"] = [_null(extra.head), _null(extra.area), extra.box]
    store.put_document("label_extras", clip, known)


def extras_of(store: Store, clip: str) -> dict[tuple[int, int], LabelExtra]:
    """Return what was kept by `put_extras`."""
    document: dict[str, Any] = store.document("label_extras", clip) or {"persons": {}}
    found: dict[tuple[int, int], LabelExtra] = {}
    for key, (head, area, box) in document["persons"].items():
        frame, _, person = key.partition(":")
        found[int(frame), int(person)] = LabelExtra(_number(head), _number(area), tuple(box) if box else None)
    return found


def _null(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
