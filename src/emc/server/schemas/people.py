"""What server and page say to each other about the people of a clip."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from emc.server.schemas.base import PersonNumber, Request, Seconds, Token


class PeopleIn(Request):
    """An edit of people: `persons` are deleted, merged into `into`, restored, or the athletes (nobody: everyone)."""

    action: Literal["delete", "merge", "restore", "athlete"]
    persons: Annotated[list[PersonNumber], Field(max_length=100)]
    into: PersonNumber | None = None
    seconds: Seconds = 0.0
    token: Token


class PersonRowOut(BaseModel):
    """A person: frames, mean confidence (None: not predicted), joints by hand, and a square that shows them.

    seen: the frame of the square (centre x, y and side). merged: numbers that the person had. counts: for alerts,
    calibration and lifting.
    """

    person: int
    frames: int
    first: int
    last: int
    confidence: float | None
    corrected: int
    seen: int
    square: tuple[float, float, float]
    counts: bool
    deleted: bool
    merged: list[int]


class OverlapOut(BaseModel):
    """Two people who may be one: `person` lies on another on `inside` of their `frames`."""

    person: int
    on: int
    frames: int
    inside: int


class PeopleOut(BaseModel):
    """The people of a clip, those who were deleted last; `athletes` is empty where everyone counts."""

    people: list[PersonRowOut]
    athletes: list[int]
    overlaps: list[OverlapOut]
