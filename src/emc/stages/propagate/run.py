"""What a smoother is told of a joint's run, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from emc.errors import ShapeMismatch


class StopReason(StrEnum):
    """Why a fix was carried no further to one side."""

    HUMAN = "human"
    CUT = "cut"
    OCCLUSION = "occlusion"
    FLOW = "flow"
    AGREES = "agrees"
    REACH = "reach"
    END = "end"


@dataclass(frozen=True, slots=True)
class JointRun:
    """One joint of one person on some frames.

    frames : (T,) ascending frame numbers on which the person has a pose. predicted : (T, 2) pixels, NaN where not
    found. confidence : (T,) in [0, 1], P(the prediction is right). human : (T, 2) pixels where a person placed or
    confirmed the joint, else NaN. hidden : (T,) bool, a person said occluded or absent. side : (T,) pixels, longer
    side of the person's box. cut : (T,) bool, between this frame and the one before it the picture changed. seen :
    (T, 2) pixels, the model's own place where a person placed the joint, else NaN; None: not known. kin : for each
    joint that moves with this one, (T, 2) pixels from the model's place to the person's, NaN where not both are known.
    """

    frames: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    human: np.ndarray
    hidden: np.ndarray
    side: np.ndarray
    cut: np.ndarray
    seen: np.ndarray | None = None
    kin: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.frames)
        places = [self.predicted.shape, self.human.shape, *(error.shape for error in self.kin)]
        if self.seen is not None:
            places.append(self.seen.shape)
        rows = (self.confidence.shape, self.hidden.shape, self.side.shape, self.cut.shape)
        if any(shape != (count, 2) for shape in places) or any(shape != (count,) for shape in rows):
            raise ShapeMismatch(
                f"a joint's run of {count} frames has places {tuple(places)} and rows {rows}: make them equal"
            )

    def part(self, first: int, last: int) -> JointRun:
        """Return frames first..last (indices, inclusive)."""
        rows = slice(first, last + 1)
        return JointRun(
            self.frames[rows],
            self.predicted[rows],
            self.confidence[rows],
            self.human[rows],
            self.hidden[rows],
            self.side[rows],
            self.cut[rows],
            None if self.seen is None else self.seen[rows],
            tuple(error[rows] for error in self.kin),
        )


@dataclass(frozen=True, slots=True)
class FlowChain:
    """A point that optical flow followed from frame to frame.

    xy : (T, 2) pixels on the frames of the run, NaN where it was not followed; the finite part is unbroken. error :
    (T,) pixels, standard deviation of the step that led to each frame. `stop` before and after the finite part say
    why it ends there.
    """

    xy: np.ndarray
    error: np.ndarray
    before: StopReason = StopReason.FLOW
    after: StopReason = StopReason.FLOW


@dataclass(frozen=True, slots=True)
class PropagationTuning:
    """Weights of the smoother; lengths are shares of the box's longer side.

    right : spread of right predictions. wrong : radius over which wrong ones are spread. acceleration : least and
    most spread of the change of velocity from frame to frame. stay : probability that the next prediction is right
    or wrong as this one. doubt : a prediction is replaced where P(right) is below it. apart : and where the path is
    at least this far from it. sure : and where the path's own spread is at most this. bridge : frames in a row
    without flow that may be replaced all the same. drift : frames over which the model's error at a human point fades
    to 1 / e. lean : and the agreement down to which predictions are moved by it, lean_apart : where that moves them
    this far, lean_most : unless the error is larger than this, which is no drift but another place. kin : correlation
    of the errors of joints that move as one.
    """

    # Figures: `python benchmarks/editor/propagate_constants.py`. As it is a fix repairs 1.87 frames, and 330 fixes make
    # 60 right frames wrong. `right` halved: 2.04 and 70; doubled: 1.21 and 39.
    right: float = 0.018
    # Halved 2.02 and 57, doubled 1.78 and 61.
    wrong: float = 0.25
    acceleration: tuple[float, float] = (0.004, 0.03)
    # From 0.5 (no memory) to 0.95 hardly anything changes: 1.87 to 1.93, 58 to 61.
    stay: float = 0.9
    doubt: float = 0.05
    apart: float = 0.03
    # What a repair risks. Halved 0.98 and 8, doubled 2.18 and 155.
    sure: float = 0.015
    # Without any 1.74 frames are repaired; six bring no more.
    bridge: int = 3
    # One round repairs 0.57 frames, four 1.72, sixteen no more than eight.
    rounds: int = 8
    drift: float = 10.0
    lean: float = 0.3
    lean_apart: float = 0.008
    lean_most: float = 0.1
    kin: float = 0.9


@dataclass(frozen=True, slots=True)
class Repair:
    """What a fix makes of a run.

    frames : (T,) the frames that were looked at. xy : (T, 2) pixels, the path; at human points exactly these. spread :
    (T,) pixels, its standard deviation. right : (T,) P(the prediction is right). moved : (T,) bool, frames on which
    the path takes the prediction's place. before, after : why no frame further out is moved.
    """

    frames: np.ndarray
    xy: np.ndarray
    spread: np.ndarray
    right: np.ndarray
    moved: np.ndarray
    before: StopReason
    after: StopReason
