"""`onnx`: pose models of others (RTMPose, heatmap networks, MoveNet) and our own exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from emc.engines import OnnxGraph, compute_threads
from emc.errors import ShapeMismatch, UsageError
from emc.estimators.onnx.card import (
    ConfidencePart,
    HeatmapOutput,
    OnnxCard,
    SimccOutput,
    card_path,
    card_skeleton,
    read_card,
)
from emc.estimators.onnx.crops import CropBatch, crop_frames, to_image
from emc.estimators.onnx.decode import read_heatmaps, read_movenet, read_simcc
from emc.estimators.onnx.detect import detect_card
from emc.interfaces import ModelInfo
from emc.pose.records import Box, Prediction
from emc.pose.skeletons import Skeleton

BATCH_ON_A_CORE = 4
"""Persons per call on one core: larger batches outgrow its caches."""
BATCH_ON_CUDA = 64
EDGE = 2.0
"""Pixels around a crop that its outermost pixels are mixed from."""
HELP = "a file of yours: --estimator FILE.onnx (docs/onnx.md)"


class OnnxEstimator:
    """Top-down estimator of an ONNX file; it predicts, and cannot be trained.

    weights : the file; beside it may lie its card (the same name, ``.toml``), which is guessed from the outputs where
    it is missing. Without a file the estimator only describes itself. Raises `WeightsError` that names the file, card
    and remedy where either cannot be used.

    A joint whose score is not above 0 was not found: its place is NaN, its confidence 0. Confidence is the card's
    table where it has one, else the score cut to [0, 1], which is not calibrated.
    """

    concurrent_calls = True

    def __init__(self, weights: Path | None = None) -> None:
        self._weights = None if weights is None else Path(weights)
        self._model = None if self._weights is None else LoadedModel(self._weights)

    def __reduce__(self) -> tuple[Any, ...]:
        """Sessions cannot be copied: another process opens the file again."""
        return type(self), (self._weights,)

    @property
    def skeleton(self) -> Skeleton:
        """Joints that the card names; raises `UsageError` where no file was given."""
        return self._loaded().skeleton

    @property
    def persons_at_once(self) -> int:
        """Persons beyond which a call gets no faster, person by person."""
        return BATCH_ON_CUDA if self._loaded().graph.on_cuda else BATCH_ON_A_CORE

    @property
    def card(self) -> OnnxCard:
        """The card in use, read or guessed."""
        return self._loaded().card

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image.

        images : (H, W, 3) uint8 RGB of any size, each with its own list of boxes, which may reach outside it. Returns
        predictions image by image in the order of the boxes: xy in pixels of the image, score as the card's rule
        gives it. Persons are spread over the cores in small batches. Raises `ShapeMismatch` where the numbers of
        images and box lists differ, or the model's outputs do not fit its card.
        """
        if len(images) != len(boxes):
            raise ShapeMismatch(f"{len(images)} images came with {len(boxes)} box lists: give one list per image")
        model = self._loaded()
        work = [(image, box) for image, listed in zip(images, boxes, strict=True) for box in listed]
        threads = 1 if model.graph.on_cuda else min(compute_threads(), max(len(work), 1))
        parts = list(_chunks(work, model.batch(len(work), threads)))
        if threads == 1 or len(parts) <= 1:
            found = [model.predict(part) for part in parts]
        else:
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(model.predict, parts))
        return [prediction for part in found for prediction in part]

    def reach(self, boxes: np.ndarray) -> np.ndarray:
        """Return (N, 4) x0, y0, x1, y1: what is read of an image for each of (N, 4) xywh boxes lies inside, pixels."""
        card = self._loaded().card
        centres, extents = crop_frames(boxes, card.input.size, card.box.padding)
        return np.concatenate([centres - extents / 2 - EDGE, centres + extents / 2 + EDGE], axis=1)

    def describe(self) -> ModelInfo:
        """Return name (with the start of the hash of file and card), skeleton, input size, licence, where it lies."""
        if self._model is None:
            return ModelInfo(
                "onnx", "estimator", "", (0, 0), "that of the file", False, weights=HELP,
                notes="RTMPose and other SimCC models, heatmap models, MoveNet, and exports of `emc export onnx`",
            )  # fmt: skip
        return self._model.describe()

    def _loaded(self) -> LoadedModel:
        if self._model is None:
            raise UsageError("estimator onnx needs a model file: give its path, --estimator FILE.onnx")
        return self._model


class LoadedModel:
    """A graph with its card: boxes in, predictions out, one batch at a time; safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self.graph = OnnxGraph(path)
        card = card_path(path)
        self.has_card = card.is_file()
        self.card = read_card(card) if self.has_card else detect_card(path, self.graph.measured_shapes())
        self.skeleton = card_skeleton(self.card.skeleton, path.parent)
        self._input = self.graph.image_input(self.card.input.name, self.card.input.size)
        self._outputs = self.graph.has_outputs(_output_names(self.card))
        self._crops = CropBatch(self.card.input, self.card.box)

    def batch(self, persons: int, threads: int) -> int:
        """Return how many persons to predict at once."""
        if self.graph.on_cuda:
            return BATCH_ON_CUDA
        return min(BATCH_ON_A_CORE, max(1, -(-persons // threads)))

    def predict(self, work: Sequence[tuple[np.ndarray, Box]]) -> list[Prediction]:
        """Predict one batch of (image, box)."""
        boxes = np.array([box.xywh for _, box in work], dtype=np.float64)
        centres, extents = crop_frames(boxes, self.card.input.size, self.card.box.padding)
        batch = self._crops.cut([image for image, _ in work], centres, extents)
        shares, score = self._read(self.graph.run(batch, self._input, self._outputs))
        if score.shape != (len(work), len(self.skeleton)):
            raise ShapeMismatch(
                f"{self.graph.path} gives {score.shape[1]} joints, its skeleton {self.skeleton.name} has "
                f"{len(self.skeleton)}: name the right skeleton in {card_path(self.graph.path).name}"
            )
        lost = ~(score > 0)
        xy = to_image(np.where(lost[..., None], np.nan, shares), centres, extents).astype(np.float32)
        sure = np.where(lost, 0.0, map_score(score, self.card.confidence)).astype(np.float32)
        return [
            Prediction(box.frame, box.track, xy[i], score[i], sure[i], np.asarray(box.xywh, dtype=np.float32))
            for i, (_, box) in enumerate(work)
        ]

    def describe(self) -> ModelInfo:
        """Return what is known of the model."""
        card = self.card
        key = self.graph.sha256[:8] + (f"-{_short_hash(card)}" if self.has_card else "")
        return ModelInfo(
            name=f"onnx-{self.graph.path.stem}-{key}",
            kind="estimator",
            skeleton=self.skeleton.name,
            input_size=card.input.size,
            licence=card.about.licence,
            trainable=False,
            weights=str(self.graph.path),
            notes=card.about.notes or f"{card.family} outputs; " + ("card read" if self.has_card else "card guessed"),
            extra={"sha256": self.graph.sha256, "source": card.about.source, "engine": self.graph.engine},
        )

    def _read(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        how = self.card.output
        if isinstance(how, SimccOutput):
            return read_simcc(outputs[0], outputs[1], how, self.card.input)
        if isinstance(how, HeatmapOutput):
            return read_heatmaps(outputs[0], how)
        return read_movenet(outputs[0], outputs[1], outputs[2], outputs[3] if how.offsets else None, how)


def map_score(score: np.ndarray, table: ConfidencePart | None) -> np.ndarray:
    """Map (N, K) scores to P(joint is right) by a card's table; without one, cut them to [0, 1].

    Raises `ShapeMismatch` where the table has another number of joints.
    """
    if table is None:
        return np.clip(score, 0.0, 1.0)
    if len(table.right) != score.shape[1]:
        raise ShapeMismatch(
            f"the card's confidence has {len(table.right)} rows for {score.shape[1]} joints: give each one"
        )
    rows = [np.interp(score[:, k], table.score, row) for k, row in enumerate(table.right)]
    return np.clip(np.stack(rows, axis=1), 0.0, 1.0)


def _output_names(card: OnnxCard) -> list[str]:
    how = card.output
    if isinstance(how, SimccOutput):
        return [how.x, how.y]
    if isinstance(how, HeatmapOutput):
        return [how.heatmaps]
    return [how.heatmaps, how.centre, how.regression, *([how.offsets] if how.offsets else [])]


def _short_hash(card: OnnxCard) -> str:
    import hashlib

    return hashlib.sha256(card.model_dump_json().encode()).hexdigest()[:4]


def _chunks(work: Sequence[tuple[np.ndarray, Box]], size: int) -> Iterator[Sequence[tuple[np.ndarray, Box]]]:
    for start in range(0, len(work), size):
        yield work[start : start + size]
