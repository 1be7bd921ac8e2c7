"""`paf`: networks that read a whole picture at once, heatmaps and part affinity fields (OpenPose's kind), by ONNX."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from emc.engines import OnnxGraph
from emc.errors import ShapeMismatch, UsageError
from emc.estimators.onnx import InputPart, card_path
from emc.estimators.openpose.card import PafCard, PafOutput, paf_skeleton, read_paf_card
from emc.estimators.openpose.grouping import Group, group_persons
from emc.interfaces import ModelInfo
from emc.pose.geometry import bounding_box, box_overlap
from emc.pose.records import Box, Prediction
from emc.pose.skeletons import Skeleton

HELP = "a file of yours: --estimator FILE.onnx with a card of family paf (docs/openpose.md)"
MARGIN = 0.1
"""Share of a person's longer side by which the box is wider than the joints."""
SAME_PERSON = 0.2
"""Least overlap (intersection over union) of a given box with that of a person's joints."""


class PafEstimator:
    """Bottom-up estimator and detector of an ONNX file; it predicts, and cannot be trained.

    weights : the file; its card (the same name, ``.toml``, ``family = "paf"``) lies beside it. Without a file it only
    describes itself. Raises `WeightsError` or `InputError` that names the file, the entry and the remedy.

    `predict` reads each picture as a whole and gives every box the person whose joints overlap it most; a box without
    one gets no joint. `detect` gives the boxes of the persons themselves.
    """

    def __init__(self, weights: Path | None = None) -> None:
        self._weights = None if weights is None else Path(weights)
        self._model = None if self._weights is None else PafModel(self._weights)

    def __reduce__(self) -> tuple[Any, ...]:
        """Sessions cannot be copied: another process opens the file again."""
        return type(self), (self._weights,)

    @property
    def skeleton(self) -> Skeleton:
        """Joints that the card names; raises `UsageError` where no file was given."""
        return self._loaded().skeleton

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image.

        images : (H, W, 3) uint8 RGB of any size, each with its own list of boxes. Returns predictions image by image
        in the order of the boxes: xy in pixels of the image, score = height of the peak, confidence = that within
        [0, 1], which nobody calibrated. Raises `ShapeMismatch` where the numbers of images and box lists differ.
        """
        if len(images) != len(boxes):
            raise ShapeMismatch(f"{len(images)} images came with {len(boxes)} box lists: give one list per image")
        model = self._loaded()
        return [
            found
            for image, listed in zip(images, boxes, strict=True)
            for found in (assigned(model.persons(image), listed, len(model.skeleton)) if listed else ())
        ]

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the boxes of the persons of each (H, W, 3) uint8 RGB image, the one with most joints first."""
        model = self._loaded()
        return [
            [_box_of(person, frame) for person in model.persons(image)]
            for image, frame in zip(images, frames, strict=True)
        ]

    def describe(self) -> ModelInfo:
        """Return name (with the start of the hash of file and card), skeleton, input size, licence, where it lies."""
        if self._model is None:
            return ModelInfo(
                "paf", "estimator", "", (0, 0), "that of the file", False, weights=HELP,
                notes="heatmaps and part affinity fields of whole pictures, grouped by EMC",
            )  # fmt: skip
        return self._model.describe()

    def _loaded(self) -> PafModel:
        if self._model is None:
            raise UsageError("estimator paf needs a model file: give its path, --estimator FILE.onnx")
        return self._model


class PafModel:
    """A graph with its card: one picture in, its persons out."""

    def __init__(self, path: Path) -> None:
        self.graph = OnnxGraph(path)
        self.card: PafCard = read_paf_card(card_path(path))
        self.skeleton, self.limbs = paf_skeleton(self.card, card_path(path))
        self._input = self.graph.image_input(self.card.input.name, self.card.input.size)
        names = dict.fromkeys([self.card.output.heatmaps, self.card.output.pafs])
        self._outputs = self.graph.has_outputs(list(names))

    def persons(self, image: np.ndarray) -> list[Group]:
        """Return the persons of an (H, W, 3) RGB image, their `cells` in pixels of the image."""
        batch, factor = letterboxed(image, self.card.input)
        found = dict(zip(self._outputs, self.graph.run(batch, self._input, self._outputs), strict=True))
        maps, fields = self._parts(found)
        groups = group_persons(maps, fields, self.limbs, self.card.grouping.grouping())
        return [
            replace(group, cells=to_pixels(group.cells, maps.shape[1:], self.card) / factor[0] + factor[1])
            for group in groups
        ]

    def describe(self) -> ModelInfo:
        """Return what is known of the model."""
        card = self.card
        key = hashlib.sha256(card.model_dump_json().encode()).hexdigest()[:4]
        return ModelInfo(
            name=f"paf-{self.graph.path.stem}-{self.graph.sha256[:8]}-{key}",
            kind="estimator",
            skeleton=self.skeleton.name,
            input_size=card.input.size,
            licence=card.about.licence,
            trainable=False,
            weights=str(self.graph.path),
            notes=card.about.notes or "heatmaps and part affinity fields; card read",
            extra={"sha256": self.graph.sha256, "source": card.about.source, "engine": self.graph.engine},
        )

    def _parts(self, found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        how: PafOutput = self.card.output
        joints, limbs = len(self.skeleton), len(self.limbs)
        maps, fields = (found[name] for name in (how.heatmaps, how.pafs))
        if maps.ndim != 4 or fields.ndim != 4 or maps.shape[2:] != fields.shape[2:]:
            raise ShapeMismatch(
                f"{self.graph.path} gives {how.heatmaps} {maps.shape} and {how.pafs} {fields.shape}, not two times "
                "(1, channels, h, w): correct [output] in its card"
            )
        maps = maps[0, how.heatmaps_first : how.heatmaps_first + joints]
        fields = fields[0, how.pafs_first : how.pafs_first + 2 * limbs]
        if len(maps) != joints or len(fields) != 2 * limbs:
            raise ShapeMismatch(
                f"{self.graph.path} has {len(maps)} heatmaps for {joints} joints and {len(fields)} field channels for "
                f"{limbs} limbs (two each): correct skeleton or [output] in its card"
            )
        return maps, fields.reshape(limbs, 2, *fields.shape[1:])


def letterboxed(image: np.ndarray, how: InputPart) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return the (1, 3, H, W) input that shows a whole picture, and (factor, shift): pixel = input / factor + shift.

    The picture is scaled to fit, its top-left corner stays in the input's; the rest of the input is filled with the
    mean, that is 0. Both sides of the relation count from the centre of the top-left pixel.
    """
    height, width = image.shape[:2]
    scale = min(how.size[0] / width, how.size[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    values = small[..., ::-1] if how.channels == "bgr" else small
    filled = np.zeros((how.size[1], how.size[0], 3), dtype=np.float32)
    filled[: size[1], : size[0]] = (values - np.array(how.mean, np.float32)) / np.array(how.std, np.float32)
    factor = np.array([size[0] / width, size[1] / height])
    return np.ascontiguousarray(filled.transpose(2, 0, 1)[None]), (factor, 0.5 / factor - 0.5)


def to_pixels(cells: np.ndarray, grid: tuple[int, ...], card: PafCard) -> np.ndarray:
    """Take (K, 2) cells of (h, w) maps to pixels of the input, from the centre of its top-left pixel."""
    size, cells_across = np.array(card.input.size, dtype=np.float64), np.array(grid[::-1], dtype=np.float64)
    if card.output.cells == "centres":
        return cells * (size - 1) / np.maximum(cells_across - 1, 1)
    if card.output.cells == "edges":
        return cells * size / cells_across
    return (cells + 0.5) * size / cells_across - 0.5


def assigned(persons: Sequence[Group], boxes: Sequence[Box], joints: int) -> list[Prediction]:
    """Return one prediction per box: the person whose joints overlap it most, each person once; none without one."""
    given = np.array([box.xywh for box in boxes], dtype=np.float64).reshape(-1, 4)
    own = np.array([bounding_box(person.cells, MARGIN) for person in persons], dtype=np.float64).reshape(-1, 4)
    shares = box_overlap(given, own)
    taken: dict[int, int] = {}
    for flat in np.argsort(-shares, axis=None, kind="stable"):
        i, j = divmod(int(flat), shares.shape[1])
        if shares[i, j] < SAME_PERSON:
            break
        if i not in taken and j not in taken.values():
            taken[i] = j
    return [_prediction(box, persons[taken[i]] if i in taken else None, joints) for i, box in enumerate(boxes)]


def _prediction(box: Box, person: Group | None, joints: int) -> Prediction:
    xywh = np.asarray(box.xywh, dtype=np.float32)
    if person is None:
        nothing = np.zeros(joints, dtype=np.float32)
        return Prediction(box.frame, box.track, np.full((joints, 2), np.nan, np.float32), nothing, nothing.copy(), xywh)
    score = person.score.astype(np.float32)
    return Prediction(box.frame, box.track, person.cells.astype(np.float32), score, np.clip(score, 0, 1), xywh)


def _box_of(person: Group, frame: int) -> Box:
    x, y, w, h = (float(v) for v in bounding_box(person.cells, MARGIN))
    return Box(frame, (x, y, w, h), min(person.mean_score, 1.0))
