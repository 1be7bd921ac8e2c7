"""What participants' pages and the server of a study say to each other; coordinates are pixels of the frame."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Key = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Seconds = Annotated[FiniteFloat, Field(ge=0, le=10_000_000)]
Number = Annotated[int, Field(ge=0, le=2**31)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JoinIn(_In):
    """A new participant; simulated: a script that takes part to try the study out."""

    simulated: bool = False


class ResumeIn(_In):
    """The code with which somebody comes back."""

    code: str = Field(max_length=40)


class ConsentIn(_In):
    """Consent to the text that was shown."""

    agreed: Literal[True]


class StepIn(_In):
    """The step that is meant."""

    step: Number


class ClocksIn(_In):
    """Seconds since the step began: of work, idle, and in pauses."""

    active: Seconds
    idle: Seconds
    paused: Seconds


class EventIn(ClocksIn):
    """Something that happened in a page; sent again until it is acknowledged, stored once."""

    id: Key
    kind: Literal["beat", "place", "pause", "resume", "opened"]
    step: Number
    frame: Number | None = None
    joint: Number | None = None
    xy: tuple[FiniteFloat, FiniteFloat] | None = None
    how: Literal["click", "type", "drag", "hidden", "undo"] | None = None


class EventsIn(_In):
    """Events, oldest first."""

    events: list[EventIn] = Field(max_length=2000)


class StoredOut(BaseModel):
    """How many of the events were new."""

    stored: int


class CheckIn(ClocksIn):
    """The frames of a stretch are said to be done; go_on: leave them as they are."""

    id: Key
    step: Number
    stretch: Number
    go_on: bool = False


class RatingsIn(StepIn):
    """NASA-TLX ratings, 0 to 100 in steps of 5."""

    ratings: dict[str, FiniteFloat]


class CommentIn(_In):
    """What a participant wants to say."""

    text: str = Field(max_length=20_000)


class StepOut(BaseModel):
    """One thing that a participant does."""

    kind: Literal["consent", "training", "trial", "tlx", "comment", "done"]
    period: int
    method: Literal["classic", "editor"] | None


class TaskOut(BaseModel):
    """The clip of a step."""

    clip: str
    frames: int
    width: int
    height: int
    version: str
    joints: list[str]
    limbs: list[tuple[int, int]]


class PlacedOut(BaseModel):
    """A joint placed by the classic method; xy null: said to be not visible."""

    frame: int
    joint: int
    xy: tuple[float, float] | None


class SeatOut(BaseModel):
    """Where a participant is."""

    code: str
    step: int
    steps: list[StepOut]
    begun: bool
    stretch: int
    stretches: list[tuple[int, int]]
    failed: int
    may_go_on: bool
    active: float
    idle: float
    paused: float
    task: TaskOut | None
    placed: list[PlacedOut]


class StudyOut(BaseModel):
    """What every participant may know of the study."""

    name: str
    consent: str
    every: int
    frames: int
    goal: float
    idle: float


class StateOut(BaseModel):
    """The study, and the participant's place in it (null: not joined yet)."""

    study: StudyOut
    seat: SeatOut | None


class CheckOut(BaseModel):
    """What a check found; wrong: frame -> joints not right yet."""

    passed: bool
    share: float
    missing: int
    wrong: dict[int, int]
    state: StateOut
