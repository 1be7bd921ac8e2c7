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
    """Counts of the runs that the filter lets through; `open`, `confirmed`, `seconds` are of the clips asked for.

    clips: of every clip, whichever are asked for.
    """

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


class DensityOut(BaseModel):
    """A clip from end to end in equal stretches: summed P(wrong) of the runs that are open, and of those confirmed."""

    open: list[float]
    confirmed: list[float]


class AheadOut(BaseModel):
    """What the next `seconds` of work should bring: runs, and wrong joints put right (`worked`: what they cost)."""

    seconds: float
    runs: int
    joints: float
    worked: float


class EffortOut(BaseModel):
    """What the work took and brought so far (joints on frames), and what more of it is expected to bring.

    per_minute : of the last ten minutes of work. curve : the same over all the work. forecast : by the queue's P(wrong)
    and predicted seconds, most gain per second first.
    """

    seconds: float
    actions: int
    decided: int
    repaired: int
    per_minute: float | None
    curve: list[float]
    forecast: list[AheadOut]
