"""The project, its lists of what to correct, and frames with their poses, as the server tells them to the page."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

State = Literal["open", "changed", "confirmed"]
Order = Literal["worst", "frame"]


class SkeletonOut(BaseModel):
    """Joints, limbs to draw, and for each joint its mirror joint."""

    joints: list[str]
    limbs: list[tuple[int, int]]
    flip: list[int]


class ClipOut(BaseModel):
    """A clip; `version` changes with its media, `alerts` counts the queue, `frames_predicted` the (m, n) list.

    rendered : its people are not filmed. every : persons were looked for on one frame of so many, 0: on other frames.
    """

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
    every: int
    rendered: bool


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
