"""Records that travel between the stages: plain, frozen, with no input or output.

Coordinates are pixels of the original (upright) frame, the centre of the top-left pixel = (0, 0); x to the right,
y down. A joint without coordinates is NaN, never 0. Arrays are not copied on construction: treat them as read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np

from emc.errors import ShapeMismatch


class Visibility(IntEnum):
    """What is known of a joint; the numbers are COCO's. An occluded joint keeps its coordinates."""

    ABSENT = 0
    OCCLUDED = 1
    VISIBLE = 2


class Provenance(IntEnum):
    """Who last said where a joint is. A machine never overwrites `HUMAN` or `CONFIRMED`."""

    MODEL = 0
    PROPAGATED = 1
    HUMAN = 2
    CONFIRMED = 3


class Role(StrEnum):
    """Population that a clip belongs to: the person's own uncommon motion, or everyday poses."""

    TARGET = "target"
    COMMON = "common"


class PersonAction(IntEnum):
    """What an edit says of a whole person."""

    DELETE = 1
    MERGE = 2
    RESTORE = 3
    ATHLETE = 4
    EVERYONE = 5


class Direction(StrEnum):
    """Whether more is better; every metric carries one, so that no code guesses it from a name."""

    HIGHER = "higher"
    LOWER = "lower"

    def better(self, new: float, old: float) -> bool:
        """Return whether `new` is strictly better than `old`."""
        return new > old if self is Direction.HIGHER else new < old


class AlertReason(StrEnum):
    """Why a joint is recommended for correction."""

    LOST = "lost"
    LOW_CONFIDENCE = "low_confidence"
    JUMP = "jump"
    SWAP = "swap"
    LIMB_RATIO = "limb_ratio"
    LIFT_RESIDUAL = "lift_residual"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file of a clip as it was when its content was last compared.

    name : in its folder. size : bytes. modified : nanoseconds since 1970. sha256 : of the bytes, hex.
    """

    name: str
    size: int
    modified: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Clip:
    """One video file or one folder of images of one source.

    `frames` is the number of frames, `width` and `height` those of the upright frame (rotation flag applied),
    `times` the (frames,) times in seconds (variable frame rate kept), or None where they were not asked for or are not
    known. `fps` are frames per second of real time: the file's own, or what a person said of it; 0 where nobody knows,
    as of pictures whose rate nobody told. `file_fps` is the rate at which the file plays where `fps` was told (slow
    motion), else 0. `pixel_aspect` is the width of the file's pixels by their height: frames and all coordinates are in
    square pixels, to which the file's are stretched.
    `group` names the athlete or session: splits never separate a group. `sha256` is that of the file's bytes
    (a folder: of its sorted image names and their hashes).
    `files` are the media's files: a video's only one, of a folder one per frame, in the order of the frames; empty
    where the clip was added before they were noted. `earlier` are the SHA-256 of content that this one took the place
    of by the user's word. `relative`: the path from the project's folder, for media that moved with it.
    """

    id: str
    path: str
    role: Role
    group: str
    frames: int
    width: int
    height: int
    kind: str = "video"
    fps: float = 0.0
    sha256: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    times: np.ndarray | None = None
    files: tuple[MediaFile, ...] = ()
    earlier: tuple[str, ...] = ()
    relative: str = field(default="", compare=False)
    file_fps: float = 0.0
    pixel_aspect: float = 1.0

    @property
    def still(self) -> bool:
        """Whether it is pictures that no rate ties together: each stands alone, none moves into the next."""
        return self.kind == "images" and not self.fps

    @property
    def film(self) -> bool:
        """Whether it is pictures that somebody said follow each other in time."""
        return self.kind == "images" and bool(self.fps)

    @property
    def played_fps(self) -> float:
        """Frames per second at which it is shown: the file's rate; of pictures without one 1."""
        return self.file_fps or self.fps or 1.0

    @property
    def played_times(self) -> np.ndarray | None:
        """(frames,) seconds at which frames are shown in the file's own time, None where `times` are not known."""
        return self.times * (self.fps / self.file_fps) if self.times is not None and self.file_fps else self.times

    @property
    def accepted(self) -> str:
        """What tells content that was accepted in another's place from that one; "" as long as it is the first."""
        return self.sha256[:12] if self.earlier else ""


@dataclass(frozen=True, slots=True)
class Box:
    """A person box on one frame: `xywh` in pixels, `track` the person's number in the clip (-1 = not tracked)."""

    frame: int
    xywh: tuple[float, float, float, float]
    score: float = 1.0
    track: int = -1


@dataclass(frozen=True, slots=True)
class Prediction:
    """What an estimator says of one person on one frame.

    xy : (J, 2) float32, pixels of the original frame, NaN where the joint was not found.
    score : (J,) float32, the estimator's own peak value, any scale.
    confidence : (J,) float32 in [0, 1], P(the joint is right) as far as it is calibrated; 0 where not found.
    box : (4,) float32, xywh in pixels, the box that the estimator was given.
    features : (J, F) float32 or None, signals for calibrating the confidence.
    """

    frame: int
    person: int
    xy: np.ndarray
    score: np.ndarray
    confidence: np.ndarray
    box: np.ndarray
    features: np.ndarray | None = None

    def __post_init__(self) -> None:
        joints = len(self.xy)
        if self.xy.shape != (joints, 2) or self.score.shape != (joints,) or self.confidence.shape != (joints,):
            raise ShapeMismatch(
                f"prediction has xy {self.xy.shape}, score {self.score.shape}, confidence {self.confidence.shape}: "
                "they must be (J, 2), (J,), (J,)"
            )


@dataclass(frozen=True, slots=True)
class Pose:
    """What we now believe of one person on one frame: a fold of the edits over the prediction it came from.

    xy : (J, 2) float32, pixels of the original frame; NaN only where visibility is ABSENT and nothing was kept.
    visibility : (J,) int8 of `Visibility`. provenance : (J,) int8 of `Provenance`.
    run : the prediction run that the pose came from, "" where a person or an import made it from nothing.
    """

    frame: int
    person: int
    xy: np.ndarray
    visibility: np.ndarray
    provenance: np.ndarray
    run: str = ""
    box: np.ndarray | None = None

    def __post_init__(self) -> None:
        joints = len(self.xy)
        if self.xy.shape != (joints, 2) or self.visibility.shape != (joints,) or self.provenance.shape != (joints,):
            raise ShapeMismatch(
                f"pose has xy {self.xy.shape}, visibility {self.visibility.shape}, provenance "
                f"{self.provenance.shape}: they must be (J, 2), (J,), (J,)"
            )


@dataclass(frozen=True, slots=True)
class JointChange:
    """One joint's new value inside an edit; `x`, `y` are NaN where the joint has no place."""

    frame: int
    person: int
    joint: int
    x: float
    y: float
    visibility: Visibility
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What an edit says of one person, on all frames of the clip.

    `DELETE`: there is no such person. `MERGE`: the person is the one of number `into`. `RESTORE`: neither holds any
    longer. `ATHLETE`: of an edit, all these are those who count; `EVERYONE` (person -1): everyone counts again.
    """

    person: int
    action: PersonAction
    into: int = -1


@dataclass(frozen=True, slots=True)
class Edit:
    """One transaction of the journal: all its changes are taken back or brought again together.

    `id` is its place in the journal (0 = not yet stored), `kind` a word such as ``drag``, ``import``, ``undo``;
    `undoes` the id of the edit that this one takes back, 0 for none. `seconds` is the human time it took.
    """

    clip: str
    kind: str
    changes: tuple[JointChange, ...]
    author: str = ""
    seconds: float = 0.0
    undoes: int = 0
    id: int = 0
    created: str = ""
    persons: tuple[PersonChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """A recommendation: this joint of this person, on frames first..last (inclusive), is probably wrong.

    `severity` in [0, 1] orders the queue: the largest P(wrong) in the run (*unreadable*: the mean over joints).
    """

    clip: str
    person: int
    joint: int
    first: int
    last: int
    reason: AlertReason
    severity: float


@dataclass(frozen=True, slots=True)
class FrameAlerts:
    """A frame's (m, n): `lost` joints that are occluded or not found, `low` joints of low confidence."""

    frame: int
    lost: int
    low: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled person for training or scoring.

    image : (H, W, 3) uint8 RGB, the frame or a cut of it. xy : (J, 2) pixels of `image`, NaN where not labelled.
    visibility : (J,) of `Visibility`; 0 = no label, the joint counts nowhere. box : (4,) xywh in `image`.
    head : length of the head segment in pixels, NaN where unknown. area : pixels, for OKS (NaN: box area is used).
    scale : pixels of the original frame per pixel of `image` (areas grow with its square). origin : where in the frame
    the image begins: a place x of the image is (x + 0.5) * scale - 0.5 + origin of the frame.
    clip, group, frame, person say where it comes from. weight : (J,) or None, weight of each label in the loss.
    spread : (J,) or None, factor on the width of each joint's training target: above 1 where a label is less sure.
    torso : pixels from right shoulder to left hip as predicted, for a person who is not labelled there (else NaN).
    xyz : (17, 3) Human3.6M-17 in metres, camera axes, or None.
    """

    image: np.ndarray
    xy: np.ndarray
    visibility: np.ndarray
    box: np.ndarray
    clip: str
    group: str
    frame: int
    person: int = 0
    head: float = float("nan")
    area: float = float("nan")
    weight: np.ndarray | None = None
    xyz: np.ndarray | None = None
    scale: float = 1.0
    torso: float = float("nan")
    spread: np.ndarray | None = None
    origin: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Somebody on a frame whom scores ignore: a crowd, or a person without labelled joints, as a label file lists them.

    `box` is xywh in pixels, `area` in pixels (NaN: that of the box). A prediction of them is neither right nor wrong.
    """

    clip: str
    frame: int
    box: tuple[float, float, float, float]
    area: float = float("nan")
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval; `ci95` is None only where `n` is too small for one."""

    value: float
    ci95: tuple[float, float] | None
    n: int

    def as_json(self) -> dict[str, object]:
        """Return the report's form of a figure: ``{"value", "ci95", "n"}``."""
        return {"value": self.value, "ci95": list(self.ci95) if self.ci95 else None, "n": self.n}


TEST_TAG = ("split", "test")
"""Clips with this tag are for measuring alone: no calibration trains on them or chooses by them."""

RENDERED_TAG = ("source", "rendered")
"""Clips with this tag show people that the package rendered: reports say so wherever they name the people."""

SIMULATED = "simulated"
"""Author of corrections that the demo made from true labels."""
