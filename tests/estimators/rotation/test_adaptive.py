"""Who is read at several rotations: worked out by hand, and by the real embedded network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emc.plugins as plugins
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.rotation import rotation_ensemble
from emc.estimators.rotation.adaptive import LEAN, UNSURE, needs_rotations, trunk_lean
from emc.interfaces import Trainable
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons import COCO17
from emc.workflow.samples.rendered import ClipRequest, sparse_samples
from emc.workflow.scoring import predict_samples


def pose(hips_to_shoulders: tuple[float, float]) -> np.ndarray:
    xy = np.full((17, 2), 50.0)
    xy[[5, 6]] = xy[[11, 12]] + hips_to_shoulders
    return xy


def prediction(xy: np.ndarray, score: float) -> Prediction:
    full = np.full(17, score, np.float32)
    return Prediction(0, 0, xy.astype(np.float32), full, full, np.array([0, 0, 100, 100], np.float32))


@pytest.mark.parametrize(
    ("trunk", "degrees"), [((0, -10), 0), ((10, -10), 45), ((-10, 0), 90), ((0, 10), 180), ((-10, 10), 135)]
)
def test_the_lean_of_a_trunk(trunk: tuple[float, float], degrees: float) -> None:
    assert trunk_lean(pose(trunk)[None], COCO17) == pytest.approx([degrees])


def test_a_trunk_that_was_not_found_does_not_lean() -> None:
    xy = pose((0, 10))
    xy[5] = np.nan
    assert trunk_lean(xy[None], COCO17) == pytest.approx([0])


def test_the_unsure_and_the_lying_are_read_again() -> None:
    upright, lying = pose((1, -10)), pose((10, -1))
    people = [prediction(upright, 0.9), prediction(lying, 0.9), prediction(upright, UNSURE - 0.01)]
    assert needs_rotations(people, COCO17).tolist() == [False, True, True]
    assert LEAN < 84  # What the second one's trunk leans.


@pytest.fixture(scope="module")
def people() -> list[Sample]:
    standing = sparse_samples(ClipRequest("walk", 5, 8))
    lying = [
        replace(
            one,
            image=np.ascontiguousarray(np.rot90(one.image)),
            xy=np.stack([one.xy[:, 1], one.image.shape[1] - 1 - one.xy[:, 0]], axis=1),
            box=np.array([one.box[1], one.image.shape[1] - 1 - one.box[0] - one.box[2], one.box[3], one.box[2]]),
        )
        for one in standing[:4]
    ]
    return standing[:4] + lying


def test_those_who_need_it_get_the_ensembles_prediction_and_the_others_the_first_pass(people: list[Sample]) -> None:
    plain = predict_samples(NanoEstimator(), people)
    whole = predict_samples(rotation_ensemble("nano"), people)
    found = predict_samples(rotation_ensemble("nano", adaptive=True), people)
    chosen = needs_rotations(plain, COCO17)
    assert chosen[4:].all()
    assert not chosen.all()
    for again, first, all_passes, one in zip(chosen, plain, whole, found, strict=True):
        np.testing.assert_array_equal(one.xy, all_passes.xy if again else first.xy)
        assert one.features is not None
        assert first.features is not None
        assert one.features.shape == (17, first.features.shape[1] + 1)
        if not again:
            np.testing.assert_array_equal(one.score, first.score)
            assert (one.features[:, -1] == 1).all()


def test_by_name_and_saved(tmp_path: Path) -> None:
    made = plugins.estimator_for("nano+rotation")
    assert made.describe().name == "nano+rotation"
    assert isinstance(made, Trainable)
    made.save(tmp_path)
    again: Any = plugins.estimator_for(str(tmp_path))
    assert (again.describe().name, again.rotations, again.zooms) == ("nano+rotation", 4, 0)
    assert again.clone().adaptive
    assert again.with_skeleton(COCO17).adaptive
    assert again.reinitialised(3).adaptive
    assert plugins.is_named_estimator("nano+rotation")
    assert plugins.is_named_estimator("rotation:nano")
    assert not plugins.is_named_estimator(str(tmp_path))
