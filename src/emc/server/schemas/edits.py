"""Actions of the page, what came of them, and conflicts between two pages."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from emc.server.schemas.base import (
    EditNumber,
    FrameNumber,
    JointNumber,
    PersonNumber,
    Place,
    Reach,
    Request,
    Seconds,
    Token,
)
from emc.server.schemas.project import FrameOut, HistoryOut

StopReason = Literal["human", "cut", "occlusion", "flow", "agrees", "reach", "end"]


class ChangeIn(Request):
    """One joint's new value; without `xy` it has no place (only where it is absent).

    seen: the joint's version that the page showed, None where it does not matter.
    """

    frame: FrameNumber
    person: PersonNumber
    joint: JointNumber
    xy: Place | None
    visibility: Literal[0, 1, 2]
    provenance: Literal[2, 3]
    seen: EditNumber | None = None


class EditIn(Request):
    """One action; `token` is the page's own name for it, so that one that is sent twice is stored once.

    propagate: carry placed joints along their runs, at most `reach` frames to each side, in the same transaction.
    """

    kind: str = Field(max_length=40)
    changes: list[ChangeIn] = Field(min_length=1, max_length=10_000)
    seconds: Seconds = 0.0
    token: Token
    propagate: bool = False
    reach: Reach = 45


class PropagateIn(Request):
    """A fix to look at before it is made."""

    changes: list[ChangeIn] = Field(min_length=1, max_length=64)
    reach: Reach = 45


class WarmIn(Request):
    """A person that is about to be corrected."""

    person: PersonNumber
    frame: FrameNumber
    reach: Reach = 45


class StepIn(Request):
    """Undo or redo of the sender's own last action; with `target`, only where that is edit `target`."""

    target: int | None = Field(None, ge=1, le=2**53)
    token: Token


class SpanOut(BaseModel):
    """What a fix repaired: frames first..last were looked at, `changed` of them moved; why it went no further."""

    person: int
    joint: int
    first: int
    last: int
    changed: int
    before: StopReason
    after: StopReason


class SpanFrameOut(BaseModel):
    """A place that a fix would move: to `xy`, from `was`; `sigma` is how sure that is, in pixels."""

    frame: int
    xy: tuple[float, float]
    was: tuple[float, float] | None
    sigma: float


class PreviewSpanOut(SpanOut):
    """What a fix would repair, frame by frame."""

    frames: list[SpanFrameOut]


class PreviewOut(BaseModel):
    """What a fix would repair; nothing was written."""

    milliseconds: float
    spans: list[PreviewSpanOut]


class WarmOut(BaseModel):
    """How many pictures are ready, of how many."""

    ready: int
    wanted: int


class EditOut(BaseModel):
    """What was stored (`id` None: there was nothing to do), and the frames that it changed as they are now.

    frames: the first 200 of them. touched: first and last changed frame. propagated: what was carried along with the
    fix. fault: why it could not be carried to the frames around it; the fix itself is stored. person: the number of a
    person who was added.
    """

    id: int | None
    kind: str
    frames: list[FrameOut]
    history: HistoryOut
    touched: tuple[int, int] | None = None
    propagated: list[SpanOut] = []
    fault: str = ""
    person: int | None = None


class ValueOut(BaseModel):
    """A joint's value."""

    xy: tuple[float, float] | None
    visibility: int
    provenance: int


class TheirsOut(ValueOut):
    """A joint's value in the journal, and who set it when, by which edit."""

    version: int
    author: str
    kind: str
    created: str


class ConflictOut(BaseModel):
    """A joint that somebody else changed since the page saw version `seen`."""

    frame: int
    person: int
    joint: int
    seen: int
    theirs: TheirsOut
    yours: ValueOut


class ConflictsOut(BaseModel):
    """Why an edit was not stored: choose a value for each joint and send it again."""

    error: str
    conflicts: list[ConflictOut] = []
