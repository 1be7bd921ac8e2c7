"""Labelled samples to batches that ViTPose is trained and scored on: crops, heatmaps to reach, and what counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from emc.estimators.augmentation import (
    Augmentation,
    augmented_affine,
    label_spread,
    label_weight,
    sample_places,
    window_affine,
)
from emc.estimators.vitpose.crops import changed_crops, exact_crops, normalised, windows
from emc.estimators.vitpose.heatmaps import encode
from emc.estimators.vitpose.network import VitPoseNetwork
from emc.pose.geometry import transform
from emc.pose.records import Sample


def training_batch(
    samples: Sequence[Sample],
    network: VitPoseNetwork,
    flip: Sequence[int],
    augmentation: Augmentation | None,
    rng: np.random.Generator | None,
) -> dict[str, Tensor]:
    """Return ``image``, ``target`` and ``weight`` of samples, see `VitPoseEstimator`.

    flip : each joint's mirror joint. augmentation, rng : how crops are changed, and by which draws; without them they
    are cut as for a prediction. Raises `ShapeMismatch` where a sample has another number of joints.
    """
    places = [sample_places(sample, network.joints) for sample in samples]
    crops, affines, mirrored = _crops(samples, network, augmentation, rng)
    xy = [transform(points, affine) for points, affine in zip(places, affines, strict=True)]
    order = [list(flip) if turned else slice(None) for turned in mirrored]
    target, weight = encode(
        np.stack([points[i] for points, i in zip(xy, order, strict=True)]),
        np.stack([label_weight(sample)[i] for sample, i in zip(samples, order, strict=True)]),
        network.size,
        network.grid,
        np.stack([label_spread(sample)[i] for sample, i in zip(samples, order, strict=True)]),
    )
    return {"image": crops, "target": torch.from_numpy(target), "weight": torch.from_numpy(weight)}


def _crops(
    samples: Sequence[Sample],
    network: VitPoseNetwork,
    augmentation: Augmentation | None,
    rng: np.random.Generator | None,
) -> tuple[Tensor, list[np.ndarray], list[bool]]:
    """Return the (B, 3, H, W) crops, the affine from image to crop of each, and which are mirrored."""
    around = windows(np.array([sample.box for sample in samples]), network.size)
    images = [sample.image for sample in samples]
    if augmentation is None or rng is None:
        affines = [window_affine(window, network.size) for window in around]
        return exact_crops(images, around, network.size), affines, [False] * len(samples)
    changed = [augmented_affine(window, network.size, rng, augmentation) for window in around]
    affines = [affine for affine, _ in changed]
    crops = normalised(changed_crops(images, np.stack(affines), network.size, rng, augmentation))
    return crops, affines, [turned for _, turned in changed]
