"""`turned`: any estimator, read at several turns of the picture, for people who are upside down or lie in the air.

At the turns where it is surest of a person it looks again, closer.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import emc.plugins as plugins
from emc.errors import NotTrainable, ShapeMismatch, UsageError
from emc.estimators.rotation.consensus import find_consensus, found_confidence
from emc.estimators.rotation.picture import rotated_box, rotated_picture, rotated_upright, rotation_affine
from emc.interfaces import ModelInfo, Trainable
from emc.pose.geometry import invert_affine, transform
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons import Skeleton

if TYPE_CHECKING:
    import torch

    from emc.estimators.onnx import ExportForm

ROTATIONS = 8
ZOOMED_ROTATIONS = 3
ZOOM_BOX_SIDES = (0.85, 0.75)
"""Sides of the boxes of the closer looks over the box's own; see docs/turned.md for how both were chosen."""
MAX_OVERSAMPLING = 2.5
"""Largest side of a turned picture over the estimator's input: more detail would be thrown away again."""


def rotation_ensemble(
    weights: str | Path = "nano", inner: Any = None, turns: int = ROTATIONS, closer: int = ZOOMED_ROTATIONS
) -> RotationEnsemble:
    """Return an estimator that reads with another one at `turns` turns; trainable where the other one is.

    weights : the other one, as `plugins.estimator_for` takes it (``turned:nano``, a saved model's folder).
    inner : an estimator itself, instead of `weights`. closer : of the turns, so many of which the other one is surest
    are read again in closer crops. Raises `UsageError` for less than one turn or a negative `closer`.
    """
    if turns < 1 or closer < 0:
        raise UsageError(
            f"turns = {turns}, closer = {closer}: a person is read at one turn of the picture at least, and closer at "
            "0 or more of them"
        )
    made = plugins.estimator_for(str(weights)) if inner is None else inner
    made = made.inner if isinstance(made, RotationEnsemble) else made
    kind = TrainableRotationEnsemble if isinstance(made, Trainable) else RotationEnsemble
    return kind(made, turns, closer)


UPRIGHT_SHARE = 0.5
"""Share of the training samples that are turned upright."""


class RotationEnsemble:
    """Reads every person at `turns` turns of the picture, evenly spread over the circle; the readings vote.

    A network that was taught on upright people is read where it is at its best, without being taught anything: what it
    knew is not touched. At the `closer` turns where it is surest of a person, it reads this person again in crops of
    `CLOSER` times the size. It costs ``turns + 2 closer`` readings a person.
    """

    def __init__(self, inner: Any, turns: int, closer: int = ZOOMED_ROTATIONS) -> None:
        self.inner = inner
        self.turns = turns
        self.closer = min(closer, turns) if turns > 1 else 0

    @property
    def skeleton(self) -> Skeleton:
        """The inner estimator's."""
        return self.inner.skeleton

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image; see `Estimator.predict`.

        Of the reading whose place won the vote: score and confidence, each times the share of all votes that lie
        near that place, and the features, with that share as one more.
        Raises `ShapeMismatch` where the numbers of images and box lists differ.
        """
        if len(images) != len(boxes):
            raise ShapeMismatch(f"{len(images)} images came with {len(boxes)} box lists: give one list per image")
        upright: list[Prediction] = self.inner.predict(images, boxes)
        work = [(image, box) for image, listed in zip(images, boxes, strict=True) for box in listed]
        if not work or self.turns == 1:
            return upright
        angles = [np.full(len(work), 360.0 * k / self.turns) for k in range(self.turns)]
        readings = [upright, *(self._read(work, turn) for turn in angles[1:])]
        for turn in self._surest(readings):
            for side in ZOOM_BOX_SIDES:
                angles.append(turn)
                readings.append(self._read([(image, _shrunk(box, side)) for image, box in work], turn))
        sides = np.array([max(box.xywh[2:]) for _, box in work])
        return _combined(readings, sides, np.stack(angles) == 0)

    def describe(self) -> ModelInfo:
        """Return the inner estimator's description under the name ``turned-NAME``."""
        info: ModelInfo = self.inner.describe()
        closer = f", closer at {self.closer} of them" if self.closer else ""
        return replace(
            info,
            name=f"turned{self.turns}{f'c{self.closer}' if self.closer else ''}-{info.name}",
            notes=f"reads every person at {self.turns} turns of the picture{closer}; {info.notes}",
            extra={**info.extra, "turns": self.turns, "closer": self.closer},
        )

    def _surest(self, readings: Sequence[Sequence[Prediction]]) -> list[np.ndarray]:
        """Return `closer` arrays (N,) of degrees: for each person the turns of its surest readings, the best first."""
        xy, score = (
            np.stack([[getattr(p, name) for p in reading] for reading in readings]) for name in ("xy", "score")
        )
        mean = found_confidence(xy, score).mean(axis=-1)
        order = np.argsort(-mean, axis=0, kind="stable")[: self.closer]
        return list(order * (360.0 / self.turns))

    def _read(self, work: Sequence[tuple[np.ndarray, Box]], angles: np.ndarray) -> list[Prediction]:
        """Return the inner estimator's predictions with each picture turned by (N,) degrees, in upright pixels."""
        turns = [float(angle) for angle in angles]
        affines = [
            rotation_affine(np.asarray(box.xywh), turn, self._detail)
            for (_, box), turn in zip(work, turns, strict=True)
        ]
        pictures = [rotated_picture(image, *affine) for (image, _), affine in zip(work, affines, strict=True)]
        boxes = [
            [_rotated(box, turn, affine)] for (_, box), turn, (affine, _) in zip(work, turns, affines, strict=True)
        ]
        found: list[Prediction] = self.inner.predict(pictures, boxes)
        return [
            replace(p, xy=transform(p.xy.astype(np.float64), invert_affine(affine)).astype(np.float32))
            for p, (affine, _) in zip(found, affines, strict=True)
        ]

    @property
    def _detail(self) -> int:
        return round(MAX_OVERSAMPLING * max(self.inner.describe().input_size))


class TrainableRotationEnsemble(RotationEnsemble):
    """A turned estimator that can be calibrated: its network is the inner estimator's.

    It is saved as the inner estimator is, with ``turns`` and ``closer`` in its ``emc.json``; `plugins.estimator_for`
    reads such a folder back as a turned one.
    """

    @property
    def module(self) -> torch.nn.Module:
        """The inner estimator's network."""
        return self.inner.module

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> Mapping[str, Any]:
        """Return the inner estimator's batch of the samples: with `rng`, each second one by lot is turned first.

        It is turned to where its trunk points up most, among the turns that `predict` reads at; a sample without
        shoulders or hips stays as it is. So the network learns people upright, where it will be surest of them, and as
        they were filmed, for whoever reads it at one turn.
        """
        if rng is None:
            return self.inner.collate(samples, None)
        lots = rng.random(len(samples)) < UPRIGHT_SHARE
        picked = [
            rotated_upright(sample, self.turns, self.skeleton, self._detail) if lot else sample
            for sample, lot in zip(samples, lots, strict=True)
        ]
        return self.inner.collate(picked, rng)

    def loss(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return the inner estimator's loss."""
        return self.inner.loss(batch)

    def parameter_depths(self) -> Mapping[str, int]:
        """Return the inner estimator's depths; raises `NotTrainable` where it has none."""
        return self._ability("parameter_depths")()

    def with_teacher_targets(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: torch.Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return the inner estimator's taught batch; raises `NotTrainable` where it cannot be taught."""
        return self._ability("with_teacher_targets")(batch, teacher, common, distil, fill)

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Save the inner estimator with the number of turns, and of those that are read closer."""
        self.inner.save(path, {**(extra or {}), "turns": self.turns, "closer": self.closer})

    def load(self, path: Path) -> None:
        """Read the inner estimator's weights; the number of turns stays as it is."""
        self.inner.load(path)

    def export_form(self) -> ExportForm:
        """Return the inner estimator's form: an exported file reads people once, as they are."""
        return self._ability("export_form")()

    def clone(self) -> TrainableRotationEnsemble:
        """Return an independent copy, weights included."""
        return TrainableRotationEnsemble(copy.deepcopy(self.inner), self.turns, self.closer)

    def _ability(self, name: str) -> Any:
        if not hasattr(self.inner, name):
            told = self.inner.describe().name
            raise NotTrainable(
                f"estimator '{told}' has no `{name}`: leave the settings that ask for it at their defaults"
            )
        return getattr(self.inner, name)


def _rotated(box: Box, angle: float, affine: np.ndarray) -> Box:
    x, y, width, height = (float(v) for v in rotated_box(np.asarray(box.xywh), angle, affine))
    return replace(box, xywh=(x, y, width, height))


def _shrunk(box: Box, factor: float) -> Box:
    x, y, width, height = box.xywh
    inset = (1 - factor) / 2
    return replace(box, xywh=(x + inset * width, y + inset * height, factor * width, factor * height))


def _combined(readings: Sequence[Sequence[Prediction]], side: np.ndarray, upright: np.ndarray) -> list[Prediction]:
    """Return one prediction per person from K readings of all persons; box and frame are the first reading's.

    upright : (K, N) bool, the readings without a turn.
    """
    xy, score, confidence = (
        np.stack([[getattr(p, name) for p in reading] for reading in readings])
        for name in ("xy", "score", "confidence")
    )
    votes = find_consensus(xy, score, side, upright)
    joints = np.arange(votes.chosen.shape[1])
    united: list[Prediction] = []
    for i, first in enumerate(readings[0]):
        where = votes.chosen[i], i, joints
        share = votes.support[i]
        found = np.isfinite(votes.xy[i]).all(axis=-1)
        united.append(
            replace(
                first,
                xy=votes.xy[i].astype(np.float32),
                score=(score[where] * share).astype(np.float32),
                confidence=np.where(found, confidence[where] * share, 0.0).astype(np.float32),
                features=_features(readings, i, votes.chosen[i], share),
            )
        )
    return united


def _features(
    readings: Sequence[Sequence[Prediction]], person: int, chosen: np.ndarray, share: np.ndarray
) -> np.ndarray | None:
    own = [reading[person].features for reading in readings]
    if any(one is None for one in own):
        return share[:, None].astype(np.float32)
    won = np.stack([own[k][j] for j, k in enumerate(chosen)])  # pyright: ignore[reportOptionalSubscript]
    return np.concatenate([won, share[:, None]], axis=1).astype(np.float32)
