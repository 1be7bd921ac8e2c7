"""What server and page say to each other about runs of frames, candidates, 3D, calibration and comparison."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from emc.server.schemas.base import EditNumber, FrameNumber, JointNumber, PersonNumber, Place, Request, Seconds, Token

Point = tuple[float, float]
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Side = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class OperationIn(Request):
    """An operation on a run: frames first..last; `first` None is `frame`, `last` None from here on.

    base: the newest edit that the page knew of (`history.last`), None where others' work does not matter.
    """

    op: Literal["swap", "identity", "mirror", "copy", "visibility", "confirm", "add_person"]
    person: PersonNumber
    frame: FrameNumber
    first: FrameNumber | None = None
    last: FrameNumber | None = None
    joints: Annotated[list[JointNumber], Field(min_length=1, max_length=1000)] | None = None
    limb: str | None = Field(None, max_length=40)
    other: PersonNumber | None = None
    visibility: Literal[0, 1, 2] | None = None
    xy: Place | None = None
    base: EditNumber | None = None
    seconds: Seconds = 0.0
    token: Token


class NewcomerIn(Request):
    """A person whom the detector missed: the box around them, on a frame; `follow` looks on the frames around too."""

    frame: FrameNumber
    box: tuple[Coordinate, Coordinate, Side, Side]
    follow: bool = True
    seconds: Seconds = 0.0
    token: Token


class BisectOut(BaseModel):
    """Where to look next on a run, None where every frame is decided; `left` of them are not."""

    frame: int | None
    left: int


class CandidateOut(BaseModel):
    """A place that the joint may be meant to have; `key` accepts it."""

    key: int
    source: Literal["peak", "tracker", "interpolation", "mirror"]
    xy: Point
    score: float


class CandidatesOut(BaseModel):
    """The candidates of a joint on a frame."""

    candidates: list[CandidateOut]


class TrackOut(BaseModel):
    """One joint over a run, a value per frame."""

    frames: list[int]
    xy: list[Point | None]
    predicted: list[Point | None]
    confidence: list[float]
    visibility: list[int]
    provenance: list[int]
    versions: list[int]


class RunOut(BaseModel):
    """A prediction run of a clip."""

    id: str
    model: str
    created: str
    current: bool
    complete: bool


class RunsOut(BaseModel):
    """The prediction runs of a clip, oldest first."""

    runs: list[RunOut]


class PredictedOut(BaseModel):
    """What a run predicted of one person."""

    person: int
    xy: list[Point | None]
    confidence: list[float]


class SideOut(BaseModel):
    """What one run predicted on a frame."""

    run: str
    model: str
    people: list[PredictedOut]


class CompareOut(BaseModel):
    """The same frame by two models."""

    before: SideOut | None
    after: SideOut | None


class JointOffOut(BaseModel):
    """How far a joint is from its lifted place: pixels, and share of the person's size."""

    joint: int
    off: float
    share: float


class TrailOut(BaseModel):
    """The way of a joint through the frames up to the shown one, oldest first; None where it was not lifted."""

    joint: int
    xyz: list[tuple[float, float, float] | None]


class AnglesOut(BaseModel):
    """Joint angles around a frame: name -> degrees on each frame from `first` on, None where there is none."""

    first: int
    degrees: dict[str, list[float | None]]


class EarlierOut(BaseModel):
    """The same person by a run's raw predictions: `xyz` and `angles` as `LiftedOut` has them."""

    xyz: list[tuple[float, float, float]]
    angles: AnglesOut


class LiftedOut(BaseModel):
    """One person in 3D: metres, camera axes (x right, y down, z away), pelvis at the origin; `ground` is the floor's y.

    trails : of hands and feet. earlier : before corrections, or by another run, where that was asked for.
    """

    joints: list[str]
    limbs: list[tuple[int, int]]
    xyz: list[tuple[float, float, float]]
    scale: float
    pixel: list[Point]
    joints2d: list[JointOffOut]
    trails: list[TrailOut]
    ground: float
    angles: AnglesOut
    earlier: EarlierOut | None


class CalibrateIn(Request):
    """A calibration to start."""

    predict: bool = True
    steps: int | None = Field(None, ge=1, le=1_000_000)


class ReadyOut(BaseModel):
    """What a calibration has to work with: labelled persons, and those that would train and choose the model.

    problems : why it cannot start, each with what to do. notes : what will make its result uncertain.
    """

    ready: bool
    persons: int
    frames: int
    clips: int
    groups: int
    joints: int
    train: int
    validation: int
    problems: list[str]
    notes: list[str]


class NothingIn(Request):
    """No options."""


class LadderRowOut(BaseModel):
    """One checkpoint: shares of joints right (PCKh) on target and common data, None where unknown or of too few."""

    step: int
    share: float | None
    target: float | None
    leg: float | None
    common: float | None
    chosen: bool


class ChosenOut(BaseModel):
    """The checkpoint that was chosen, and why."""

    step: int
    why: str


class JobOut(BaseModel):
    """A calibration as it is now."""

    state: Literal["none", "running", "done", "failed", "cancelled"]
    id: str | None
    message: str
    phase: str
    done: int
    total: int | None
    note: str
    started: str | None
    finished: str | None
    ladder: list[LadderRowOut]
    scored_on: Literal["validation", "test"]
    loss: list[tuple[int, float]]
    chosen: ChosenOut | None
    log: list[str]
