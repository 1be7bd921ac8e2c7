"""Predict labelled samples and score them: the measuring half of the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emc.config import EngineName, EvaluateSettings
from emc.interfaces import Estimator
from emc.pose.records import Box, Ignored, Prediction, Sample
from emc.pose.skeletons import COCO17, Skeleton
from emc.stages.evaluate import PopulationScores, evaluate_population
from emc.workflow.engine import in_engine

BATCH = 64
ENOUGH_TO_OPEN, ENOUGH_TO_EXPORT = 40, 400
"""Persons from which on it pays to open a network's present weights in an engine, and to export the network for it."""


def predict_samples(estimator: Estimator, samples: Sequence[Sample], engine: EngineName = "auto") -> list[Prediction]:
    """Return one prediction per sample, made on its labelled box, in pixels of the sample's image.

    engine : see ``predict.engine``; with ``auto``, few samples are left to PyTorch. The estimator's weights are those
    of now.
    """
    if engine == "onnx" or len(samples) >= ENOUGH_TO_OPEN:
        estimator = in_engine(
            estimator, engine, export=engine == "onnx" or len(samples) >= ENOUGH_TO_EXPORT, remember=False
        )
    found: list[Prediction] = []
    for start in range(0, len(samples), BATCH):
        part = samples[start : start + BATCH]
        boxes = [
            [Box(s.frame, (float(s.box[0]), float(s.box[1]), float(s.box[2]), float(s.box[3])), track=s.person)]
            for s in part
        ]
        found.extend(estimator.predict([s.image for s in part], boxes))
    return found


def score_samples(
    estimator: Estimator,
    samples: Sequence[Sample],
    settings: EvaluateSettings,
    ignored: Sequence[Ignored] = (),
    engine: EngineName = "auto",
) -> PopulationScores | None:
    """Score an estimator on labelled samples, in pixels of the original frames; None where there are no samples.

    ignored : crowds and persons without joints on the same frames. engine : as of `predict_samples`.
    """
    if not samples:
        return None
    predicted = predict_samples(estimator, samples, engine)
    scaled = [in_original_pixels(s, p) for s, p in zip(samples, predicted, strict=True)]
    return evaluate_population(
        [p for _, p in scaled],
        [s for s, _ in scaled],
        estimator.skeleton,
        head_name(samples, settings, estimator.skeleton),
        settings.alpha,
        settings.bootstrap,
        settings.seed,
        ignored,
    )


def head_name(samples: Sequence[Sample], settings: EvaluateSettings, skeleton: Skeleton = COCO17) -> str:
    """Return the head size to score with: the asked one, but `torso` where no label has a head segment.

    COCO-17 has neither neck nor head top, so corrections made in it carry no head segment. A skeleton without the
    torso's joints (an animal's, a robot's) is measured by the person box.
    """
    if settings.head != "head_segment" or any(np.isfinite(s.head) for s in samples):
        return settings.head
    return "torso" if {"right_shoulder", "left_hip"} <= set(skeleton.joints) else "bbox"


def in_original_pixels(sample: Sample, prediction: Prediction) -> tuple[Sample, Prediction]:
    """Return both in pixels of the original frame.

    COCO's area ranges then mean what they say, and persons of one frame, cut out of it one by one, lie where they are.
    """
    k, corner = sample.scale, np.array(sample.origin, dtype=np.float64) - 0.5

    def place(xy: np.ndarray) -> np.ndarray:
        return (xy.astype(np.float64) + 0.5) * k + corner

    def box(xywh: np.ndarray) -> np.ndarray:
        return np.concatenate([place(xywh[:2]), xywh[2:].astype(np.float64) * k])

    grown = replace(
        sample, xy=place(sample.xy), box=box(sample.box), head=sample.head * k, area=sample.area * k * k, scale=1.0,
        torso=sample.torso * k, origin=(0.0, 0.0),
    )  # fmt: skip
    return grown, replace(prediction, xy=place(prediction.xy).astype(np.float32), box=box(prediction.box))
