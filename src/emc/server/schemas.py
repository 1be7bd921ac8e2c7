"""What the server and the editor's page say to each other; coordinates are pixels of the original frame."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["open", "changed", "confirmed"]
Order = Literal["worst", "frame"]
StopReason = Literal["human", "cut", "occlusion", "flow", "agrees", "reach", "end"]


class SkeletonOut(BaseModel):
    """Joints, limbs to draw, and for each joint its mirror joint."""

    joints: list[str]
    limbs: list[tuple[int, int]]
    flip: list[int]


class ClipOut(BaseModel):
    """A clip; `version` changes with its media, `alerts` counts the queue, `frames_predicted` the (m, n) list."""

    id: str
    role: str
    group: str
    frames: int
    width: int
    height: int
    fps: float
    version: str
    model: str | None
    skeleton: str
    alerts: int
    frames_predicted: int


class ProjectOut(BaseModel):
    """The project: its clips, their skeletons, and the confidences that bound lost and low."""

    name: str
    key: str
    emc: str
    lost: float
    low: float
    clips: list[ClipOut]
    skeletons: dict[str, SkeletonOut]


class FlagOut(BaseModel):
    """An open alert on a frame."""

    person: int
    joint: int
    reason: str
    severity: float


class FrameRowOut(BaseModel):
    """A row of the (m, n) list: what of a frame is still open."""

    frame: int
    lost: int
    low: int
    state: State
    flagged: list[FlagOut]


class FrameRowsOut(BaseModel):
    """A page of the (m, n) list."""

    total: int
    rows: list[FrameRowOut]


class AlertRowOut(BaseModel):
    """A row of the queue: the joint on frames first..last is decided on `done` of `total` frames."""

    person: int
    joint: int
    first: int
    last: int
    reason: str
    severity: float
    done: int
    total: int


class AlertRowsOut(BaseModel):
    """A page of the queue."""

    total: int
    rows: list[AlertRowOut]


class NextOut(BaseModel):
    """The next frame with an open alert, None where all is done."""

    frame: int | None


class PoseOut(BaseModel):
    """One person: (x, y) or None per joint, visibility 0 to 2, provenance 0 to 3, the model's confidence in [0, 1].

    versions: per joint the id of the edit that decides it, 0 as predicted.
    """

    person: int
    box: tuple[float, float, float, float] | None
    xy: list[tuple[float, float] | None]
    visibility: list[int]
    provenance: list[int]
    confidence: list[float]
    versions: list[int]


class FrameOut(BaseModel):
    """One frame as it is now."""

    frame: int
    lost: int
    low: int
    state: State
    flagged: list[FlagOut]
    poses: list[PoseOut]


class Step(BaseModel):
    """An edit that undo or redo would take."""

    id: int
    kind: str


class HistoryOut(BaseModel):
    """What undo and redo would do next for this author; `last` is the newest edit of the clip, whoever made it."""

    undo: Step | None
    redo: Step | None
    last: int


class FramesOut(BaseModel):
    """Some frames, and the clip's history."""

    frames: list[FrameOut]
    history: HistoryOut


class Request(BaseModel):
    """What a page sends: names that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Place = tuple[Coordinate, Coordinate]
FrameNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
PersonNumber = Annotated[int, Field(ge=-1, lt=1_000_000)]
JointNumber = Annotated[int, Field(ge=0, lt=1000)]
EditNumber = Annotated[int, Field(ge=0, le=2**53)]
Reach = Annotated[int, Field(ge=1, le=150)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Token = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[!-~]+$")]


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
    """Undo or redo: of the edit that the page showed (`target`), or of whatever is next."""

    target: int | None = Field(None, ge=1, le=2**53)
    token: Token


class PresenceIn(Request):
    """Where a page is: what its person looks at."""

    clip: str | None = Field(None, max_length=200)
    frame: FrameNumber | None = None
    person: PersonNumber | None = None
    joint: JointNumber | None = None


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
    fix. person: the number of a person who was added.
    """

    id: int | None
    kind: str
    frames: list[FrameOut]
    history: HistoryOut
    touched: tuple[int, int] | None = None
    propagated: list[SpanOut] = []
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


class ErrorOut(BaseModel):
    """What went wrong, where, and what to do."""

    error: str
