"""`rotation`: any estimator as a rotation ensemble, for people who are upside down or lie in the air.

Test-time augmentation: passes at several rotations of the image, and zoomed passes at the most confident of them.
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
ZOOMS = 3
ZOOM_BOX_SIDES = (0.85, 0.75)
"""Sides of the boxes of the zoomed passes over the box's own; see docs/rotation.md for how both were chosen."""
MAX_OVERSAMPLING = 2.5
"""Largest side of a rotated picture over the estimator's input: more detail would be thrown away again."""


def rotation_ensemble(
    weights: str | Path = "nano", inner: Any = None, rotations: int = ROTATIONS, zooms: int = ZOOMS
) -> RotationEnsemble:
    """Return a rotation ensemble of another estimator; it is trainable where the other one is.

    weights : the other estimator, as `plugins.estimator_for` takes it (``rotation:nano``, a saved model's folder).
    inner : an estimator itself, instead of `weights`. rotations : of the image, evenly spread over the circle. zooms :
    number of the most confident rotations that get zoomed passes. Raises `UsageError` for fewer than one rotation or
    negative `zooms`.
    """
    if rotations < 1 or zooms < 0:
        raise UsageError(
            f"rotations = {rotations}, zooms = {zooms}: a rotation ensemble needs at least one rotation, and zooms of "
            "0 or more"
        )
    made = plugins.estimator_for(str(weights)) if inner is None else inner
    made = made.inner if isinstance(made, RotationEnsemble) else made
    kind = TrainableRotationEnsemble if isinstance(made, Trainable) else RotationEnsemble
    return kind(made, rotations, zooms)


UPRIGHT_SHARE = 0.5
"""Share of the training samples that are rotated upright."""


class RotationEnsemble:
    """Predicts every person at `rotations` rotations of the image; a consensus of the passes is the prediction.

    A network that was trained on upright people sees each person upright in one of the passes; its weights stay as
    they are. At the `zooms` rotations with the highest confidence, two more passes see the person in boxes of
    `ZOOM_BOX_SIDES` times the size. It costs ``rotations + 2 zooms`` passes per person.
    """

    def __init__(self, inner: Any, rotations: int, zooms: int = ZOOMS) -> None:
        self.inner = inner
        self.rotations = rotations
        self.zooms = min(zooms, rotations) if rotations > 1 else 0

    @property
    def skeleton(self) -> Skeleton:
        """The inner estimator's."""
        return self.inner.skeleton

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image; see `Estimator.predict`.

        Score, confidence and features are those of the pass whose place was chosen; score and confidence are multiplied
        by the share of all weight that lies near that place, and the share is one more feature.
        Raises `ShapeMismatch` where the numbers of images and box lists differ.
        """
        if len(images) != len(boxes):
            raise ShapeMismatch(f"{len(images)} images came with {len(boxes)} box lists: give one list per image")
        upright: list[Prediction] = self.inner.predict(images, boxes)
        work = [(image, box) for image, listed in zip(images, boxes, strict=True) for box in listed]
        if not work or self.rotations == 1:
            return upright
        angles = [np.full(len(work), 360.0 * k / self.rotations) for k in range(self.rotations)]
        passes = [upright, *(self._pass(work, angle) for angle in angles[1:])]
        for angle in self._most_confident(passes):
            for side in ZOOM_BOX_SIDES:
                angles.append(angle)
                passes.append(self._pass([(image, _shrunk(box, side)) for image, box in work], angle))
        sides = np.array([max(box.xywh[2:]) for _, box in work])
        return _combined(passes, sides, np.stack(angles) == 0)

    def describe(self) -> ModelInfo:
        """Return the inner estimator's description under the name ``rotationN-NAME``."""
        info: ModelInfo = self.inner.describe()
        zooms = f", zoomed passes at {self.zooms} of them" if self.zooms else ""
        return replace(
            info,
            name=f"rotation{self.rotations}{f'z{self.zooms}' if self.zooms else ''}-{info.name}",
            notes=f"ensemble of {self.rotations} rotations of the image{zooms}; {info.notes}",
            extra={**info.extra, "rotations": self.rotations, "zooms": self.zooms},
        )

    def _most_confident(self, passes: Sequence[Sequence[Prediction]]) -> list[np.ndarray]:
        """Return `zooms` arrays (N,) of degrees: for each person the most confident rotations, the best first."""
        xy, score = (np.stack([[getattr(p, name) for p in one] for one in passes]) for name in ("xy", "score"))
        mean = found_confidence(xy, score).mean(axis=-1)
        order = np.argsort(-mean, axis=0, kind="stable")[: self.zooms]
        return list(order * (360.0 / self.rotations))

    def _pass(self, work: Sequence[tuple[np.ndarray, Box]], angles: np.ndarray) -> list[Prediction]:
        """Return the inner estimator's predictions with each image rotated by (N,) degrees, in upright pixels."""
        degrees = [float(angle) for angle in angles]
        affines = [
            rotation_affine(np.asarray(box.xywh), angle, self._largest_side)
            for (_, box), angle in zip(work, degrees, strict=True)
        ]
        pictures = [rotated_picture(image, *affine) for (image, _), affine in zip(work, affines, strict=True)]
        boxes = [
            [_rotated(box, angle, affine)] for (_, box), angle, (affine, _) in zip(work, degrees, affines, strict=True)
        ]
        found: list[Prediction] = self.inner.predict(pictures, boxes)
        return [
            replace(p, xy=transform(p.xy.astype(np.float64), invert_affine(affine)).astype(np.float32))
            for p, (affine, _) in zip(found, affines, strict=True)
        ]

    @property
    def _largest_side(self) -> int:
        return round(MAX_OVERSAMPLING * max(self.inner.describe().input_size))


class TrainableRotationEnsemble(RotationEnsemble):
    """A rotation ensemble that can be calibrated: its network is the inner estimator's.

    It is saved as the inner estimator is, with ``rotations`` and ``zooms`` in its ``emc.json``;
    `plugins.estimator_for` makes a rotation ensemble of such a folder.
    """

    @property
    def module(self) -> torch.nn.Module:
        """The inner estimator's network."""
        return self.inner.module

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> Mapping[str, Any]:
        """Return the inner estimator's batch of the samples; with `rng`, a random half is rotated upright first.

        Upright is the rotation of the ensemble at which the trunk points up most; a sample without shoulders or hips
        stays as it is. The other half is as it was filmed, so that the network can still be used without the ensemble.
        """
        if rng is None:
            return self.inner.collate(samples, None)
        drawn = rng.random(len(samples)) < UPRIGHT_SHARE
        picked = [
            rotated_upright(sample, self.rotations, self.skeleton, self._largest_side) if rotate else sample
            for sample, rotate in zip(samples, drawn, strict=True)
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
        """Return the inner estimator's batch with a teacher's outputs in its targets; raises `NotTrainable`."""
        return self._ability("with_teacher_targets")(batch, teacher, common, distil, fill)

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Save the inner estimator with the numbers of rotations and of zooms."""
        self.inner.save(path, {**(extra or {}), "rotations": self.rotations, "zooms": self.zooms})

    def load(self, path: Path) -> None:
        """Read the inner estimator's weights; the number of rotations stays as it is."""
        self.inner.load(path)

    def export_form(self) -> ExportForm:
        """Return the inner estimator's form: an exported file makes one pass, without rotation."""
        return self._ability("export_form")()

    def clone(self) -> TrainableRotationEnsemble:
        """Return an independent copy, weights included."""
        return TrainableRotationEnsemble(copy.deepcopy(self.inner), self.rotations, self.zooms)

    def _ability(self, name: str) -> Any:
        if not hasattr(self.inner, name):
            inner = self.inner.describe().name
            raise NotTrainable(
                f"estimator '{inner}' has no `{name}`: leave the settings that ask for it at their defaults"
            )
        return getattr(self.inner, name)


def _rotated(box: Box, angle: float, affine: np.ndarray) -> Box:
    x, y, width, height = (float(v) for v in rotated_box(np.asarray(box.xywh), angle, affine))
    return replace(box, xywh=(x, y, width, height))


def _shrunk(box: Box, factor: float) -> Box:
    x, y, width, height = box.xywh
    inset = (1 - factor) / 2
    return replace(box, xywh=(x + inset * width, y + inset * height, factor * width, factor * height))


def _combined(passes: Sequence[Sequence[Prediction]], side: np.ndarray, upright: np.ndarray) -> list[Prediction]:
    """Return one prediction per person from K passes of all persons; box and frame are the first pass's.

    upright : (K, N) bool, the passes without rotation.
    """
    xy, score, confidence = (
        np.stack([[getattr(p, name) for p in one] for one in passes]) for name in ("xy", "score", "confidence")
    )
    consensus = find_consensus(xy, score, side, upright)
    joints = np.arange(consensus.chosen.shape[1])
    combined: list[Prediction] = []
    for i, first in enumerate(passes[0]):
        where = consensus.chosen[i], i, joints
        share = consensus.support[i]
        found = np.isfinite(consensus.xy[i]).all(axis=-1)
        combined.append(
            replace(
                first,
                xy=consensus.xy[i].astype(np.float32),
                score=(score[where] * share).astype(np.float32),
                confidence=np.where(found, confidence[where] * share, 0.0).astype(np.float32),
                features=_features(passes, i, consensus.chosen[i], share),
            )
        )
    return combined


def _features(
    passes: Sequence[Sequence[Prediction]], person: int, chosen: np.ndarray, share: np.ndarray
) -> np.ndarray | None:
    own = [one[person].features for one in passes]
    if any(one is None for one in own):
        return share[:, None].astype(np.float32)
    won = np.stack([own[k][j] for j, k in enumerate(chosen)])  # pyright: ignore[reportOptionalSubscript]
    return np.concatenate([won, share[:, None]], axis=1).astype(np.float32)
