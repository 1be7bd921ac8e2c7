"""The embedded person detector: letterboxed levels of a small centre-and-sides network, merged by our own NMS."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor
from torch.nn import functional

from emc.detectors.embedded.motion import (
    Background,
    foreground,
    joined_with_motion,
    moved_scores,
    moving_boxes,
    shrunk,
    still_background,
)
from emc.detectors.embedded.network import DetectorNetwork, cell_centres, fold_norms
from emc.detectors.embedded.observations import Level, Observation, above
from emc.detectors.embedded.suppress import whole_persons
from emc.detectors.letterbox import MULTIPLE, Letterbox, letterbox_of, letterboxed
from emc.detectors.suppression import suppress
from emc.errors import InputError, ShapeMismatch, UsageError, WeightsError
from emc.interfaces import ModelInfo
from emc.pose.records import Box

NAME = "embedded"
SIDES = (192, 384)
THRESHOLD = 0.3
# With motion to speak for it, a box that the network alone hardly believes in is looked at too.
MOTION_THRESHOLD = 0.06
# From here on nine boxes out of ten are right on rendered frames.
SURE = 0.4
MOST = 50
BATCH = 4
# The network learned persons up to a full input of 192 pixels; finer levels leave larger ones to the coarser level.
LARGEST_FINE = 150.0
NOTHING = np.zeros((0, 0, 3), np.uint8)


def decode(logits: Tensor, sides: Tensor, threshold: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return, per image, corners (N, 4) x0 y0 x1 y1 in input pixels and scores (N,), best first.

    logits : (B, 1, H, W); a cell counts where it is the highest of its 3 x 3 neighbourhood and above `threshold`.
    sides : (B, 4, H, W) distances left, top, right, bottom from the cell's centre, input pixels.
    """
    score = logits.sigmoid()
    peak = (functional.max_pool2d(score, 3, stride=1, padding=1) == score) & (score >= threshold)
    centres = cell_centres(score.shape[2], score.shape[3], score.device)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for image in range(len(score)):
        rows, columns = torch.nonzero(peak[image, 0], as_tuple=True)
        values = score[image, 0, rows, columns]
        order = values.argsort(descending=True)[:MOST]
        rows, columns = rows[order], columns[order]
        middle, reach = centres[:, rows, columns].T, sides[image][:, rows, columns].T
        corners = torch.cat([middle - reach[:, :2], middle + reach[:, 2:]], dim=1)
        found.append((corners.double().numpy(), values[order].double().numpy()))
    return found


class EmbeddedDetector:
    """The person detector inside the package: small, for clips in which few persons are well seen.

    weights : a folder with ``model.safetensors`` and ``emc.json`` (None: the one inside the package).
    threshold : smallest score of a box, in (0, 1). sides : longer side, in pixels, of each level that a frame is
    looked at; a finer level finds smaller persons, costs its area, and is left out where the frame itself is smaller.
    No state is kept between calls: several may run at once.
    Raises `WeightsError` that names the file, `UsageError` for a threshold or sides out of range.
    """

    concurrent_calls = True
    """Several calls of `detect` and `looks` may run at once."""

    def __init__(self, weights: Path | None = None, threshold: float = THRESHOLD, sides: Sequence[int] = SIDES) -> None:
        if not 0 < threshold < 1:
            raise UsageError(f"detector threshold {threshold} is out of range: give a number between 0 and 1")
        if not sides or min(sides) < MULTIPLE:
            raise UsageError(f"detector sides {list(sides)} are out of range: give one or more of at least {MULTIPLE}")
        self.network, self._document = _embedded() if weights is None else load_detector(weights)
        self.threshold = threshold
        self.sides = tuple(sorted(sides))
        self.observed: Mapping[int, list[Box]] = {}
        self._weights = "embedded" if weights is None else str(weights)
        self._background: Background | None = None

    def observe(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[Observation]:
        """Return what the network sees on frames of a clip, for `learned`; arguments and errors as of `detect`."""
        alone = copy(self)
        alone._background = None
        least = min(self.threshold, MOTION_THRESHOLD)
        found = self._found(images, frames, least)
        looks: list[Observation] = []
        for image, frame, levels in zip(images, frames, found, strict=True):
            look = Observation(frame, (image.shape[1], image.shape[0]), levels, shrunk(image))
            looks.append(replace(look, boxes=alone._boxes(look)))
        return looks

    def enough(self, looks: Sequence[Observation], shown: int) -> bool:
        """Return whether the network alone is sure of a person on half of `shown` frames, `looks` being the first."""
        return 2 * sum(any(box.score >= SURE for box in look.boxes) for look in looks) >= shown

    def adapted(self, looks: Sequence[Observation], shown: int) -> EmbeddedDetector:
        """Return a detector of the same network, for one clip, that also looks at what moves where that is of use.

        looks : of `shown` frames, some 20 to 60 spread over the clip, or of the first of them where those were
        `enough`. Motion is of use where the camera stands still and the network alone is sure of a person on fewer than
        half of the frames; otherwise (and for fewer than 8 frames) the detector that is returned finds what this one
        does: a person who stays in one place becomes part of the background, and only the arms and legs would be found
        to move. Its `observed` holds what it finds on the frames that it was shown, so that nobody need look again.
        """
        other = copy(self)
        other._background = None if self.enough(looks, shown) else still_background([look.small for look in looks])
        alone = other._background is None
        other.observed = {look.frame: look.boxes if alone else other._boxes(look) for look in looks}
        return other

    def with_background(self, images: Sequence[np.ndarray]) -> EmbeddedDetector:
        """Return `learned` of (H, W, 3) uint8 RGB images, all of one size, numbered from 0."""
        return self.adapted(self.observe(images, range(len(images))), len(images))

    @property
    def uses_motion(self) -> bool:
        """Whether `learned` found motion of use."""
        return self._background is not None

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the boxes of each image, best first, cut at the frame's border; `track` is -1.

        images : (H, W, 3) uint8 RGB, sizes may differ. frames : the index that each image's boxes carry.
        Raises `ShapeMismatch` where the counts differ, `InputError` where an image is not (H, W, 3) uint8.
        """
        alone = self._background is None
        found = self._found(images, frames, self.threshold if alone else MOTION_THRESHOLD)
        return [
            self._boxes(
                Observation(frame, (image.shape[1], image.shape[0]), levels, NOTHING if alone else shrunk(image))
            )
            for image, frame, levels in zip(images, frames, found, strict=True)
        ]

    def describe(self) -> ModelInfo:
        """Return name, licence, size and where the weights are."""
        return ModelInfo(
            name=NAME,
            kind="detector",
            skeleton="",
            input_size=(self.sides[-1], self.sides[-1]),
            licence="Apache-2.0",
            trainable=False,
            parameters=sum(p.numel() for p in self.network.parameters()),
            weights=self._weights,
            notes="simple: rendered and sports photos only; give boxes from a file where it fails",
            extra={"sides": list(self.sides), "threshold": self.threshold},
        )

    def _found(self, images: Sequence[np.ndarray], frames: Sequence[int], least: float) -> list[list[Level]]:
        """Return corners (N, 4) in frame pixels and scores (N,) from `least` on: per image, per level."""
        if len(images) != len(frames):
            raise ShapeMismatch(f"detector got {len(images)} images and {len(frames)} frame numbers: give one for each")
        for image, frame in zip(images, frames, strict=True):
            _check(image, frame)
        found: list[list[Level]] = [[] for _ in images]
        for level, side in enumerate(self.sides):
            for number, corners, scores in self._level(images, side, least):
                found[number].append(_sized(corners, scores, images[number], side, level > 0))
        return found

    def _level(
        self, images: Sequence[np.ndarray], side: int, least: float
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield (image number, corners in frame pixels, scores); images of one shape run together."""
        groups: dict[Letterbox, list[int]] = {}
        for number, image in enumerate(images):
            if side == self.sides[0] or side <= max(image.shape[:2]):
                groups.setdefault(letterbox_of(image.shape[1], image.shape[0], side), []).append(number)
        for box, numbers in groups.items():
            for start in range(0, len(numbers), BATCH):
                chunk = numbers[start : start + BATCH]
                batch = np.stack([letterboxed(images[number], box) for number in chunk])
                for number, (corners, scores) in zip(chunk, self._forward(batch, least), strict=True):
                    yield number, box.to_frame(corners), scores

    def _forward(self, batch: np.ndarray, least: float) -> list[Level]:
        with torch.inference_mode():
            tensor = torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(255)
            logits, sides = self.network(tensor.contiguous(memory_format=torch.channels_last))
            return decode(logits, sides, least)

    def _boxes(self, look: Observation) -> list[Box]:
        background = self._background
        corners, scores = above(look.found, self.threshold if background is None else MOTION_THRESHOLD)
        limit = np.array([look.size[0] - 0.5, look.size[1] - 0.5] * 2)
        corners = np.clip(corners, -0.5, limit)
        xywh = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        if background is not None:
            mask = foreground(look.small, background)
            raised = moved_scores(scores, xywh, mask, look.size)
            xywh, scores = joined_with_motion(xywh, raised, moving_boxes(mask, look.size))
        boxes: list[Box] = []
        kept = suppress(xywh, scores)
        for index in kept[whole_persons(xywh[kept], scores[kept])][:MOST]:
            x, y, width, height = (float(value) for value in xywh[index])
            if width >= 1 and height >= 1:
                boxes.append(Box(int(look.frame), (x, y, width, height), float(scores[index])))
        return boxes


def _check(image: np.ndarray, frame: int) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise InputError(
            f"frame {frame} is an array of {image.dtype} {image.shape}: the detector takes (height, width, 3) uint8 RGB"
        )


def _sized(
    corners: np.ndarray, scores: np.ndarray, image: np.ndarray, side: int, fine: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Leave to the coarser level what is too large on a finer one."""
    if not fine:
        return corners, scores
    longest = (corners[:, 2:] - corners[:, :2]).max(axis=1, initial=0) * side / max(image.shape[:2])
    keep = longest <= LARGEST_FINE
    return corners[keep], scores[keep]


def save_detector(network: DetectorNetwork, folder: Path, extra: Mapping[str, Any] | None = None) -> None:
    """Write ``model.safetensors`` (half precision) and ``emc.json`` (with `extra` merged in) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    save_file(state, folder / "model.safetensors")
    document = {"detector": NAME, "sides": list(SIDES), "licence": "Apache-2.0", **(extra or {})}
    (folder / "emc.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@functools.lru_cache(maxsize=1)
def _embedded() -> tuple[DetectorNetwork, dict[str, Any]]:
    """Return the embedded network, loaded once for all detectors: none of them changes it."""
    return load_detector(None)


def load_detector(folder: Path | None) -> tuple[DetectorNetwork, dict[str, Any]]:
    """Return the network, in single precision and for prediction alone, and its ``emc.json``; None: the embedded one.

    Raises `WeightsError` where a file is missing, damaged, or of another network.
    """
    root = resources.files("emc.assets") / "detector" if folder is None else folder
    advice = "give a folder with the detector's model.safetensors and emc.json, or install emc-pose again"
    try:
        document = json.loads((root / "emc.json").read_text(encoding="utf-8"))
        state = load((root / "model.safetensors").read_bytes())
    except OSError as error:
        raise WeightsError(f"cannot read the detector's weights in {root} ({error}): {advice}") from error
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"the detector's weights in {root} are damaged ({error}): {advice}") from error
    network = DetectorNetwork()
    wanted = {key for key in network.state_dict() if not key.endswith("num_batches_tracked")}
    if not isinstance(document, dict) or document.get("detector") != NAME or set(state) != wanted:
        raise WeightsError(f"the weights in {root} belong to another model: {advice}")
    try:
        network.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"the weights in {root} have other shapes than the detector's: {advice}") from error
    return fold_norms(network.eval()).to(memory_format=torch.channels_last), document  # pyright: ignore[reportCallIssue]
