"""What requests and answers of the editor's server share; coordinates are pixels of the original frame."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Place = tuple[Coordinate, Coordinate]
FrameNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
PersonNumber = Annotated[int, Field(ge=-1, lt=1_000_000)]
JointNumber = Annotated[int, Field(ge=0, lt=1000)]
EditNumber = Annotated[int, Field(ge=0, le=2**53)]
Reach = Annotated[int, Field(ge=1, le=150)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Token = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[!-~]+$")]


class Request(BaseModel):
    """What a page sends: names that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class PresenceIn(Request):
    """Where a page is: what its person looks at."""

    clip: str | None = Field(None, max_length=200)
    frame: FrameNumber | None = None
    person: PersonNumber | None = None
    joint: JointNumber | None = None


class ErrorOut(BaseModel):
    """What went wrong, where, and what to do."""

    error: str
