"""What server and page say to each other about the queue of the whole project."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class QueueRowOut(BaseModel):
    """A run of frames of one joint: its P(wrong) `severity`, `value` in repaired frames per second, and its cost."""

    key: str
    clip: str
    person: int
    joint: int
    name: str
    first: int
    last: int
    reason: str
    severity: float
    frames: int
    done: int
    total: int
    value: float
    seconds: float
    state: Literal["open", "confirmed"]


class QueueOut(BaseModel):
    """A page of the queue."""

    total: int
    rows: list[QueueRowOut]


class PersonCountOut(BaseModel):
    """Runs of one person of one clip."""

    clip: str
    person: int
    n: int


class FacetsOut(BaseModel):
    """Counts of the runs that the filter lets through; `open`, `confirmed` and `seconds` are those of the project."""

    open: int
    confirmed: int
    seconds: float
    reasons: dict[str, int]
    joints: dict[str, int]
    clips: dict[str, int]
    persons: list[PersonCountOut]


class QueueNextOut(BaseModel):
    """The run to go on with (None: nothing is left), and its index in the list."""

    row: QueueRowOut | None
    index: int
