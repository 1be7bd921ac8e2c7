"""Who knows where the joints are, but sees and aims as people do: not quite exactly, and not always attentively."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.records import Visibility
from emc.study.scripted.klm import EFFECTIVE_WIDTH, Person


@dataclass(frozen=True, slots=True)
class Truth:
    """Where one person's joints really are.

    xy : (T, J, 2) pixels of the frame, NaN where there is no label: nobody can correct what nobody knows.
    visibility : (T, J) of `Visibility`. scale : (T,) pixels, square root of the person's area. head : (T,) pixels,
    head segment. sigmas : (J,) COCO's deviation of annotators as a share of `scale`.
    """

    xy: np.ndarray
    visibility: np.ndarray
    scale: np.ndarray
    head: np.ndarray
    sigmas: np.ndarray

    def __post_init__(self) -> None:
        frames, joints = self.xy.shape[:2]
        shapes = (self.xy.shape, self.visibility.shape, self.scale.shape, self.head.shape, self.sigmas.shape)
        if shapes != ((frames, joints, 2), (frames, joints), (frames,), (frames,), (joints,)):
            raise ShapeMismatch(f"truth has shapes {shapes}: give (T, J, 2), (T, J), (T,), (T,), (J,)")

    @property
    def labelled(self) -> np.ndarray:
        """(T, J) bool: where the truth is known."""
        return np.asarray(np.isfinite(self.xy).all(axis=2))

    def part(self, frames: np.ndarray) -> Truth:
        """Return the truth of some frames, (F,) indices."""
        return Truth(self.xy[frames], self.visibility[frames], self.scale[frames], self.head[frames], self.sigmas)

    def off(self, xy: np.ndarray) -> np.ndarray:
        """Return how far (T, J, 2) places are off, in COCO's deviations; inf where there is none, NaN unlabelled."""
        with np.errstate(invalid="ignore"):
            away = np.linalg.norm(xy - self.xy, axis=2) / (self.scale[:, None] * self.sigmas[None])
        return np.where(self.labelled, np.where(np.isfinite(xy).all(axis=2), away, np.inf), np.nan)


class Oracle:
    """A person who looks at joints and places them.

    The same seed misses the same errors, and takes the same right joints for wrong, in whatever order and by whatever
    way it comes to them, so that ways of working are compared on the same person. Places are drawn again each time.
    """

    def __init__(self, truth: Truth, person: Person, seed: int = 0) -> None:
        self.truth = truth
        self.person = person
        self._seed = seed
        self._hand = np.random.default_rng((seed, 1))
        frames, joints = truth.xy.shape[:2]
        lapse = np.random.default_rng((seed, 2))
        self._misses = lapse.random((frames, joints))
        self._alarms = lapse.random((frames, joints))

    def knows(self, frame: int, joint: int) -> bool:
        """Return whether the joint has a place that the person can tell."""
        return bool(self.truth.labelled[frame, joint])

    def looks_wrong(self, frame: int, joint: int, xy: tuple[float, float] | None, alone: bool = True) -> bool:
        """Return whether a joint drawn at `xy` (pixels of the frame) seems wrong; `alone`: it is what is looked at."""
        if not self.knows(frame, joint):
            return False
        miss = self.person.miss if alone else self.person.miss_in_frame
        if xy is None or self.off(frame, joint, xy) > self.person.limit:
            return bool(self._misses[frame, joint] >= miss)
        return bool(self._alarms[frame, joint] < self.person.false_alarm)

    def off(self, frame: int, joint: int, xy: tuple[float, float]) -> float:
        """Return how far a place is off, in COCO's deviations."""
        away = np.linalg.norm(np.asarray(xy) - self.truth.xy[frame, joint])
        return float(away / (self.truth.scale[frame] * self.truth.sigmas[joint]))

    def deviation(self, frame: int, joint: int, zoom: float) -> float:
        """Return the standard deviation per axis, in pixels of the frame; `zoom`: screen pixels for each of these."""
        share = self.person.placement * self.truth.sigmas[joint] * self.truth.scale[frame] / np.sqrt(2.0)
        if self.truth.visibility[frame, joint] != Visibility.VISIBLE:
            share *= self.person.occluded
        return float(np.hypot(share, self.person.hand_pixels / zoom))

    def width(self, frame: int, joint: int, zoom: float) -> float:
        """Return the width of the target on the screen: what the person's own deviation makes of it."""
        return EFFECTIVE_WIDTH * self.deviation(frame, joint, zoom) * zoom

    def belongs(self, frame: int, joint: int) -> tuple[float, float]:
        """Return where the joint really is, in pixels of the frame: what the person looks for, not where they click."""
        x, y = self.truth.xy[frame, joint]
        return float(x), float(y)

    def place(self, frame: int, joint: int, zoom: float) -> tuple[float, float]:
        """Return where the person puts the joint, in pixels of the frame."""
        spread = self.deviation(frame, joint, zoom)
        x, y = self.truth.xy[frame, joint] + self._hand.normal(0.0, spread, 2)
        return float(x), float(y)
