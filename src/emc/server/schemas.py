"""What the server and the editor's page say to each other; coordinates are pixels of the original frame."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["open", "changed", "confirmed"]
Order = Literal["worst", "frame"]


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
    """One person: (x, y) or None per joint, visibility 0 to 2, provenance 0 to 3, the model's confidence in [0, 1]."""

    person: int
    box: tuple[float, float, float, float] | None
    xy: list[tuple[float, float] | None]
    visibility: list[int]
    provenance: list[int]
    confidence: list[float]


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
    """What undo and redo would do next."""

    undo: Step | None
    redo: Step | None


class FramesOut(BaseModel):
    """Some frames, and the clip's history."""

    frames: list[FrameOut]
    history: HistoryOut


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChangeIn(_Request):
    """One joint's new value; without `xy` it has no place (only where it is absent)."""

    frame: int = Field(ge=0)
    person: int = Field(ge=-1, lt=1_000_000)
    joint: int = Field(ge=0)
    xy: tuple[Annotated[float, Field(allow_inf_nan=False)], Annotated[float, Field(allow_inf_nan=False)]] | None
    visibility: Literal[0, 1, 2]
    provenance: Literal[2, 3]


class EditIn(_Request):
    """One action; `token` is the page's own name for it, so that one that is sent twice is stored once."""

    kind: str = Field(max_length=40)
    changes: list[ChangeIn] = Field(min_length=1, max_length=10_000)
    seconds: float = Field(0.0, ge=0, le=86_400, allow_inf_nan=False)
    token: str = Field(min_length=8, max_length=64)


class StepIn(_Request):
    """Undo or redo: of the edit that the page showed (`target`), or of whatever is next."""

    target: int | None = Field(None, ge=1)
    token: str = Field(min_length=8, max_length=64)


class EditOut(BaseModel):
    """What was stored (`id` None: there was nothing to do), and the frames that it changed as they are now."""

    id: int | None
    kind: str
    frames: list[FrameOut]
    history: HistoryOut


class ErrorOut(BaseModel):
    """What went wrong, where, and what to do."""

    error: str
