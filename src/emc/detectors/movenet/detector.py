"""MoveNet multipose as a detector: at one or two sizes of the frame, or at those that suit a clip."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from emc.detectors.letterbox import MULTIPLE, Letterbox, letterbox_of, letterboxed
from emc.detectors.movenet.decode import PoseGuess, read_centres, read_poses
from emc.detectors.suppression import suppress
from emc.engines import PICTURE, EngineUser
from emc.errors import InputError, ShapeMismatch, UsageError
from emc.interfaces import ModelInfo
from emc.networks.movenet import MoveNet, MoveNetForm, build_movenet, from_graph, people_heads, to_input
from emc.pose.records import Box
from emc.weights.published import describe_location, published_named, read_published

NAME = "movenet-multipose"
LICENCE = "Apache-2.0 (MoveNet, Google; the npm package with its weights: MIT)"
FORM = MoveNetForm(1.5, people_heads(17))
PARAMETERS = 4_723_346
THRESHOLD = 0.1
SURE = 0.5
"""From here on 19 boxes out of 20 are right at the size of 256 px on COCO images, 5 out of 6 at 640 px."""
CHOICES = ((256,), (448,), (640,), (256, 640))
"""Sizes of frames, longer side in pixels, of which a clip gets the cheapest that suits it."""
SIDES = CHOICES[-1]
LARGEST_FINE = 200.0
FINE_FACTOR = 0.5
"""Beside a coarser level, boxes of a finer one are smaller than this, in input pixels, and their scores count half: of
large persons it sees parts, and is as sure of them. Without the factor a quarter of the sure boxes of large persons on
COCO images are such parts, with it a tenth."""
ENOUGH = 0.95
"""Share of the sure boxes of the best choice with which a cheaper one suits as well."""
LOOKS = 16
BORDER = 0


Run = Callable[[torch.Tensor], Mapping[str, torch.Tensor]]
"""The network, or an engine in its place."""


@dataclass(frozen=True, slots=True)
class Level:
    """What was found at one size of a frame: corners (N, 4) in frame pixels, scores (N,), longest side in the input."""

    corners: np.ndarray
    score: np.ndarray
    longest: np.ndarray
    poses: tuple[PoseGuess, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found on a frame at each size. size : (width, height) of the frame."""

    frame: int
    size: tuple[int, int]
    levels: Mapping[int, Level] = field(default_factory=dict[int, Level])


class MoveNetDetector(EngineUser):
    """Finds persons with MoveNet multipose; weights are looked for, and where need be fetched, when they are needed.

    threshold : smallest score of a box, in (0, 1). sides : longer side, in pixels, of each size that a frame is looked
    at; a smaller frame is enlarged. A clip's detector (`adapted`) takes the cheapest sizes that find what is there: 640
    alone in wide shots, 256 near the camera. Raises `UsageError` for a threshold or sides out of range, `WeightsError`
    where weights cannot be had.
    """

    free = PICTURE
    concurrent_calls = True
    """Several calls of `detect` and `observe` may run at once."""

    def __init__(self, weights: Path | None = None, threshold: float = THRESHOLD, sides: Sequence[int] = SIDES) -> None:
        if weights is not None:
            raise UsageError(f"{NAME} takes no weights of one's own: leave out {weights}")
        if not 0 < threshold < 1:
            raise UsageError(f"detector threshold {threshold} is out of range: give a number between 0 and 1")
        if not sides or min(sides) < MULTIPLE:
            raise UsageError(f"detector sides {list(sides)} are out of range: give one or more of at least {MULTIPLE}")
        self.threshold = threshold
        self.sides = tuple(sorted(sides))
        self.observed: Mapping[int, list[Box]] = {}

    @property
    def module(self) -> MoveNet:
        """The network; all detectors share it."""
        return network()

    def for_check(self) -> MoveNetDetector:
        """Return a detector of the smallest size."""
        return MoveNetDetector(threshold=self.threshold, sides=CHOICES[0])

    def observe(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[Observation]:
        """Return what is found on frames of a clip at every size of `CHOICES`, for `adapted`; see `detect`."""
        sides = sorted({side for choice in CHOICES for side in choice})
        return [self._observation(image, frame, sides, False) for image, frame in _paired(images, frames)]

    def enough(self, looks: Sequence[Observation], shown: int) -> bool:
        """Return whether there are enough looks: how large people are in a clip shows soon."""
        return len(looks) >= min(LOOKS, shown)

    def adapted(self, looks: Sequence[Observation], shown: int) -> MoveNetDetector:
        """Return a detector of the same threshold that looks at a clip's frames at the sizes that suit it.

        Those are the cheapest of `CHOICES` that find nearly as many sure boxes as the best. Its `observed` holds what
        it finds on the frames that it was shown.
        """
        other = copy(self)
        if looks:
            sure = {choice: sum(_sure(look, choice) for look in looks) for choice in CHOICES}
            most = max(sure.values())
            other.sides = next(choice for choice in CHOICES if sure[choice] >= ENOUGH * most)
        other.observed = {look.frame: [box for box, _ in _merged(look, other.sides, self.threshold)] for look in looks}
        return other

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the boxes of each image, best first, cut at the frame's border; `track` is -1.

        images : (H, W, 3) uint8 RGB, sizes may differ. frames : the index that each image's boxes carry.
        Raises `ShapeMismatch` where the counts differ, `InputError` where an image is not (H, W, 3) uint8.
        """
        return [[box for box, _ in found] for found in self._found(images, frames, False)]

    def detect_poses(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[tuple[Box, PoseGuess]]]:
        """Return what `detect` returns, each box with the rough pose that the network sees in it."""
        return [[(box, pose) for box, pose in found if pose is not None] for found in self._found(images, frames, True)]

    def describe(self) -> ModelInfo:
        """Return name, licence and where the weights are, loading nothing."""
        return ModelInfo(
            name=NAME,
            kind="detector",
            skeleton="",
            input_size=(self.sides[-1], self.sides[-1]),
            licence=LICENCE,
            trainable=False,
            parameters=PARAMETERS,
            weights=describe_location(NAME),
            notes="Google's MoveNet for several persons; chooses the size that it looks at by the clip",
            extra={
                "sides": list(self.sides),
                "threshold": self.threshold,
                "megabytes": published_named(NAME).megabytes,
            },
        )

    def _found(
        self, images: Sequence[np.ndarray], frames: Sequence[int], poses: bool
    ) -> list[list[tuple[Box, PoseGuess | None]]]:
        return [
            _merged(self._observation(image, frame, self.sides, poses), self.sides, self.threshold)
            for image, frame in _paired(images, frames)
        ]

    def _observation(self, image: np.ndarray, frame: int, sides: Sequence[int], poses: bool) -> Observation:
        # One image at a time: several at once are no faster on a CPU, and hold as many times the memory.
        size, run = (image.shape[1], image.shape[0]), self.forward or self.module
        levels = {side: _level(run, image, letterbox_of(*size, side), self.threshold, poses) for side in sides}
        return Observation(int(frame), size, levels)


@functools.lru_cache(maxsize=1)
def network() -> MoveNet:
    """Return the published network, loaded once for all detectors: none of them changes it."""
    graph, folder = read_published(NAME)
    made = build_movenet(FORM)
    made.load_state_dict(from_graph(graph, FORM, str(folder)))
    return made


def _paired(images: Sequence[np.ndarray], frames: Sequence[int]) -> list[tuple[np.ndarray, int]]:
    if len(images) != len(frames):
        raise ShapeMismatch(f"detector got {len(images)} images and {len(frames)} frame numbers: give one for each")
    for image, frame in zip(images, frames, strict=True):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise InputError(
                f"frame {frame} is an array of {image.dtype} {image.shape}: "
                "the detector takes (height, width, 3) uint8 RGB"
            )
    return list(zip(images, frames, strict=True))


def _level(run: Run, image: np.ndarray, box: Letterbox, least: float, poses: bool) -> Level:
    with torch.inference_mode():
        levels = torch.from_numpy(letterboxed(image, box, BORDER)).permute(2, 0, 1)[None].float()
        heads = run(to_input(levels.contiguous(memory_format=torch.channels_last)))
        centres = read_centres(heads, 0, least)
        guesses = read_poses(heads, 0, centres) if poses else None
    longest = (centres.corners[:, 2:] - centres.corners[:, :2]).max(axis=1, initial=0)
    found: tuple[PoseGuess, ...] = ()
    if guesses is not None:
        found = tuple(
            PoseGuess(box.to_frame(np.tile(xy, 2))[:, :2].astype(np.float32), score.astype(np.float32))
            for xy, score in zip(*guesses, strict=True)
        )
    return Level(box.to_frame(centres.corners), centres.score, longest, found)


def _merged(
    look: Observation, sides: Sequence[int], least: float, factor: float = FINE_FACTOR
) -> list[tuple[Box, PoseGuess | None]]:
    """Return the boxes of several levels, best first, none twice."""
    corners: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    poses: list[PoseGuess | None] = []
    for side in sides:
        level, fine = look.levels[side], side != sides[0]
        score = level.score * (factor if fine else 1.0)
        kept = (score >= least) & ((level.longest <= LARGEST_FINE) | (not fine))
        corners.append(level.corners[kept])
        scores.append(score[kept])
        poses += [level.poses[i] for i in np.flatnonzero(kept)] if level.poses else [None] * int(kept.sum())
    limit = np.array([look.size[0] - 0.5, look.size[1] - 0.5] * 2)
    whole, score = np.clip(np.concatenate(corners), -0.5, limit), np.concatenate(scores)
    xywh = np.concatenate([whole[:, :2], whole[:, 2:] - whole[:, :2]], axis=1)
    found: list[tuple[Box, PoseGuess | None]] = []
    for index in suppress(xywh, score):
        x, y, width, height = (float(value) for value in xywh[index])
        if width >= 1 and height >= 1:
            found.append((Box(look.frame, (x, y, width, height), float(score[index])), poses[int(index)]))
    return found


def _sure(look: Observation, sides: Sequence[int]) -> int:
    """Return how many boxes these sizes are sure of on a frame, levels taken at their word."""
    return sum(box.score >= SURE for box, _ in _merged(look, sides, SURE, factor=1.0))
