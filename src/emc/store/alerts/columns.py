"""A run's alerts by columns: numbers in arrays, for lists of which only a page is ever shown.

A block holds, for R alerts: a line with the names of the reasons that occur, then person, first, last (int32 each),
severity (float32), joint (int16) and reason (uint8, index into the names), column after column, little-endian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.errors import ProjectError
from emc.pose.records import Alert

_TYPES = (("person", "<i4"), ("first", "<i4"), ("last", "<i4"), ("severity", "<f4"), ("joint", "<i2"), ("reason", "u1"))


@dataclass(frozen=True, slots=True)
class AlertColumns:
    """Alerts of one run, most severe first: (A,) arrays, `reason` an index into `reasons`."""

    person: np.ndarray
    joint: np.ndarray
    first: np.ndarray
    last: np.ndarray
    severity: np.ndarray
    reason: np.ndarray
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.first)


def pack_block(alerts: Sequence[Alert]) -> bytes:
    """Return the block of some alerts."""
    names = sorted({str(alert.reason) for alert in alerts})
    code = {name: i for i, name in enumerate(names)}
    values = {
        "person": [alert.person for alert in alerts],
        "first": [alert.first for alert in alerts],
        "last": [alert.last for alert in alerts],
        "severity": [alert.severity for alert in alerts],
        "joint": [alert.joint for alert in alerts],
        "reason": [code[str(alert.reason)] for alert in alerts],
    }
    columns = [np.asarray(values[name]).astype(kind).tobytes() for name, kind in _TYPES]
    return b"".join((" ".join(names).encode(), b"\n", *columns))


def unpack_block(rows: int, block: bytes) -> AlertColumns:
    """Return the alerts of a block; raises `ProjectError` where it is damaged."""
    head, _, body = block.partition(b"\n")
    sizes = [rows * np.dtype(kind).itemsize for _, kind in _TYPES]
    if len(body) != sum(sizes):
        raise ProjectError(f"a block of {rows} stored alerts is damaged ({len(block)} bytes): predict the clip again")
    edges = np.cumsum([0, *sizes])
    columns = {name: np.frombuffer(body[edges[i] : edges[i + 1]], dtype=kind) for i, (name, kind) in enumerate(_TYPES)}
    return AlertColumns(**columns, reasons=tuple(head.decode().split()))


def joined(blocks: Sequence[AlertColumns]) -> AlertColumns:
    """Return several blocks as one."""
    names = sorted({name for block in blocks for name in block.reasons})
    code = {name: i for i, name in enumerate(names)}

    def column(name: str, kind: str) -> np.ndarray:
        return np.concatenate([np.zeros(0, kind), *(getattr(block, name) for block in blocks)]).astype(kind)

    reason = [np.array([code[name] for name in b.reasons], dtype=np.uint8)[b.reason] for b in blocks]
    columns = {name: column(name, kind) for name, kind in _TYPES if name != "reason"}
    return AlertColumns(**columns, reason=np.concatenate([np.zeros(0, np.uint8), *reason]), reasons=tuple(names))
