"""Raw keypoint logits, any number, to P(the joint is right): by the fit that every estimator gets."""

from __future__ import annotations

import numpy as np
import pytest
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import tiny_estimator

from emc.pose.metrics.reliability import auroc, expected_calibration_error
from emc.pose.records import Box, Prediction
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.confidence import fit_confidence, with_confidence


def read(seeds: range) -> list[Prediction]:
    """Predictions of a network with random weights on pictures of blocks of all contrasts."""
    estimator = tiny_estimator()
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        spread = rng.uniform(5, 120)
        blocks = np.clip(128 + rng.normal(0, spread, (12, 16, 3)), 0, 255).astype(np.uint8)
        found += estimator.predict([blocks.repeat(6, 0).repeat(6, 1)], [[Box(seed, (20.0, 8.0, 50.0, 60.0))]])
    return found


def judged(predictions: list[Prediction], middle: float, width: float, seed: int) -> np.ndarray:
    """Hits of joints whose chance to be right follows their logit, and is never near what the softmax believes."""
    logits = np.stack([p.score for p in predictions]).astype(float)
    chance = 1 / (1 + np.exp(-2 * (logits - middle) / width))
    return (np.random.default_rng(seed).uniform(size=chance.shape) < chance).astype(float)


def test_logits_become_calibrated_confidence() -> None:
    learned, fresh = read(range(60)), read(range(100, 160))
    logits = np.stack([p.score for p in learned]).astype(float)
    middle, width = float(np.median(logits)), float(logits.std())
    hits = judged(learned, middle, width, 0)
    fit = fit_confidence(learned, hits, [f"g{i % 12}" for i in range(len(learned))], COCO17)
    sure = np.stack([p.confidence for p in with_confidence(fresh, fit.model, COCO17)]).astype(float)
    right = judged(fresh, middle, width, 1) > 0
    before = np.stack([p.confidence for p in fresh]).astype(float)
    assert ((sure >= 0) & (sure <= 1)).all()
    error = expected_calibration_error(sure.ravel(), right.ravel())
    assert error < 0.06
    assert error < 0.5 * expected_calibration_error(before.ravel(), right.ravel())
    assert auroc(-sure.ravel(), ~right.ravel()) > 0.7


@pytest.mark.parametrize("shift", [-40.0, 25.0])
def test_a_shift_of_all_logits_shifts_the_fit_with_it(shift: float) -> None:
    learned = read(range(24))
    logits = np.stack([p.score for p in learned]).astype(float)
    hits = judged(learned, float(np.median(logits)), float(logits.std()), 0)
    moved = [Prediction(p.frame, p.person, p.xy, p.score + np.float32(shift), p.confidence, p.box) for p in learned]
    plain = [Prediction(p.frame, p.person, p.xy, p.score, p.confidence, p.box) for p in learned]
    groups = [f"g{i % 8}" for i in range(len(learned))]
    told = []
    for people in (plain, moved):
        model = fit_confidence(people, hits, groups, COCO17, kinds=("heatmap",)).model
        told.append(np.stack([p.confidence for p in with_confidence(people, model, COCO17)]))
    np.testing.assert_allclose(told[0], told[1], atol=0.02)
