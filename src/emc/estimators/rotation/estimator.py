"""`rotation`: any estimator as a rotation ensemble, for people who are upside down or lie in the air.

Test-time augmentation: passes at several rotations of the image, and zoomed passes at the most confident of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.errors import ShapeMismatch
from emc.estimators.rotation.adaptive import needs_rotations
from emc.estimators.rotation.consensus import find_consensus, found_confidence
from emc.estimators.rotation.picture import rotated_box, rotated_picture, rotation_affine
from emc.interfaces import ModelInfo
from emc.pose.geometry import invert_affine, transform
from emc.pose.records import Box, Prediction
from emc.pose.skeletons import Skeleton

ROTATIONS = 8
ZOOMS = 3
ZOOM_BOX_SIDES = (0.85, 0.75)
"""Sides of the boxes of the zoomed passes over the box's own; see docs/rotation.md for how both were chosen."""
MAX_OVERSAMPLING = 2.5
"""Largest side of a rotated picture over the estimator's input: more detail would be thrown away again."""


Work = tuple[np.ndarray, Box]
"""An image and one of its boxes."""


class RotationEnsemble:
    """Predicts every person at `rotations` rotations of the image; a consensus of the passes is the prediction.

    A network that was trained on upright people sees each person upright in one of the passes; its weights stay as
    they are. At the `zooms` rotations with the highest confidence, two more passes see the person in boxes of
    `ZOOM_BOX_SIDES` times the size. It costs ``rotations + 2 zooms`` passes per person, an `adaptive` one a single pass
    for everybody who does not need them (`adaptive.needs_rotations`).
    """

    def __init__(self, inner: Any, rotations: int, zooms: int = ZOOMS, adaptive: bool = False) -> None:
        self.inner = inner
        self.adaptive = adaptive
        self.rotations = rotations
        self.zooms = min(zooms, rotations) if rotations > 1 else 0

    @property
    def skeleton(self) -> Skeleton:
        """The inner estimator's."""
        return self.inner.skeleton

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image; see `Estimator.predict`.

        Score, confidence and features are those of the pass whose place was chosen; score and confidence are multiplied
        by the share of all weight that lies near that place, and the share is one more feature, 1 after a single pass.
        Raises `ShapeMismatch` where the numbers of images and box lists differ.
        """
        if len(images) != len(boxes):
            raise ShapeMismatch(f"{len(images)} images came with {len(boxes)} box lists: give one list per image")
        upright: list[Prediction] = self.inner.predict(images, boxes)
        work = [(image, box) for image, listed in zip(images, boxes, strict=True) for box in listed]
        if not work or self.rotations == 1:
            return upright
        if not self.adaptive:
            return self._rotated_passes(work, upright)
        chosen = np.flatnonzero(needs_rotations(upright, self.skeleton))
        read = [_single_pass(one) for one in upright]
        again = self._rotated_passes([work[i] for i in chosen], [upright[i] for i in chosen]) if len(chosen) else []
        for i, one in zip(chosen, again, strict=True):
            read[i] = one
        return read

    def _rotated_passes(self, work: Sequence[Work], upright: list[Prediction]) -> list[Prediction]:
        """Return the consensus of the passes over some persons, of which `upright` is the first."""
        angles = [np.full(len(work), 360.0 * k / self.rotations) for k in range(self.rotations)]
        passes = [upright, *(self._pass(work, angle) for angle in angles[1:])]
        for angle in self._most_confident(passes):
            for side in ZOOM_BOX_SIDES:
                angles.append(angle)
                passes.append(self._pass([(image, _shrunk(box, side)) for image, box in work], angle))
        sides = np.array([max(box.xywh[2:]) for _, box in work])
        return _combined(passes, sides, np.stack(angles) == 0)

    def describe(self) -> ModelInfo:
        """Return the inner estimator's description under the name ``rotationN-NAME``, ``NAME+rotation`` if adaptive."""
        info: ModelInfo = self.inner.describe()
        zooms = f", zoomed passes at {self.zooms} of them" if self.zooms else ""
        whom = ", for persons who are unsure, lying or inverted" if self.adaptive else ""
        passes = f"{self.rotations}{f'z{self.zooms}' if self.zooms else ''}"
        return replace(
            info,
            name=f"{info.name}{plugins.ADAPTIVE}" if self.adaptive else f"rotation{passes}-{info.name}",
            notes=f"ensemble of {self.rotations} rotations of the image{zooms}{whom}; {info.notes}",
            extra={**info.extra, "rotations": self.rotations, "zooms": self.zooms, "adaptive": self.adaptive},
        )

    def _most_confident(self, passes: Sequence[Sequence[Prediction]]) -> list[np.ndarray]:
        """Return `zooms` arrays (N,) of degrees: for each person the most confident rotations, the best first."""
        xy, score = (np.stack([[getattr(p, name) for p in one] for one in passes]) for name in ("xy", "score"))
        mean = found_confidence(xy, score).mean(axis=-1)
        # Stable: of equal rotations the one nearer to upright, on every machine, so that predictions do not differ
        # between them.
        order = np.argsort(-mean, axis=0, kind="stable")[: self.zooms]
        return list(order * (360.0 / self.rotations))

    def _pass(self, work: Sequence[Work], angles: np.ndarray) -> list[Prediction]:
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


def _rotated(box: Box, angle: float, affine: np.ndarray) -> Box:
    x, y, width, height = (float(v) for v in rotated_box(np.asarray(box.xywh), angle, affine))
    return replace(box, xywh=(x, y, width, height))


def _shrunk(box: Box, factor: float) -> Box:
    x, y, width, height = box.xywh
    inset = (1 - factor) / 2
    return replace(box, xywh=(x + inset * width, y + inset * height, factor * width, factor * height))


def _single_pass(prediction: Prediction) -> Prediction:
    """Return a prediction with the features of an ensemble's: all weight lies at its places."""
    own = prediction.features
    whole = np.ones((len(prediction.xy), 1), np.float32)
    return replace(prediction, features=whole if own is None else np.concatenate([own, whole], axis=1))


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
