"""Rotation ensemble: the real embedded network on rendered people who stand, and who stand on their heads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import emc.plugins as plugins
from emc.errors import NotTrainable, ShapeMismatch, UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.rotation.estimator import RotationEnsemble
from emc.estimators.rotation.trainable import TrainableRotationEnsemble, rotation_ensemble
from emc.interfaces import ModelInfo, Trainable
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons.skeleton import COCO17, Skeleton
from emc.workflow.samples.rendered import ClipRequest, sparse_samples
from emc.workflow.scoring import predict_samples


@pytest.fixture(scope="module")
def standing() -> list[Sample]:
    return sparse_samples(ClipRequest("walk", 5, 8))


@pytest.fixture(scope="module")
def on_their_heads(standing: list[Sample]) -> list[Sample]:
    return [upside_down(sample) for sample in standing]


def upside_down(sample: Sample) -> Sample:
    height, width = sample.image.shape[:2]
    x, y, w, h = sample.box
    box = np.array([width - 1 - x - w, height - 1 - y - h, w, h], np.float32)
    return replace(
        sample,
        image=np.ascontiguousarray(sample.image[::-1, ::-1]),
        xy=(np.array([width - 1, height - 1]) - sample.xy).astype(np.float32),
        box=box,
    )


def mean_error(found: Sequence[Prediction], samples: Sequence[Sample]) -> float:
    return float(
        np.nanmean([np.linalg.norm(p.xy - s.xy, axis=1) / max(s.box[2:]) for p, s in zip(found, samples, strict=True)])
    )


def test_people_on_their_heads_are_found_as_well_as_people_who_stand(
    standing: list[Sample], on_their_heads: list[Sample]
) -> None:
    plain, reader = NanoEstimator(), rotation_ensemble("nano")
    usual = mean_error(predict_samples(plain, standing), standing)
    lost = mean_error(predict_samples(plain, on_their_heads), on_their_heads)
    found = mean_error(predict_samples(reader, on_their_heads), on_their_heads)
    assert lost > 3 * usual
    assert found < 1.5 * usual
    assert mean_error(predict_samples(reader, standing), standing) < 1.2 * usual


def test_what_is_said_of_a_joint_is_between_none_and_all(on_their_heads: list[Sample]) -> None:
    found = predict_samples(rotation_ensemble("nano"), on_their_heads)
    shares = np.stack([p.features[:, -1] for p in found if p.features is not None])
    assert len(shares) == len(on_their_heads)
    assert ((shares > 0) & (shares <= 1)).all()
    assert all(((p.confidence >= 0) & (p.confidence <= 1)).all() for p in found)
    own = NanoEstimator().predict([on_their_heads[0].image], [[Box(0, (0.0, 0.0, 50.0, 50.0))]])[0]
    assert own.features is not None
    assert found[0].features is not None
    assert found[0].features.shape == (17, own.features.shape[1] + 1)


def test_one_rotation_is_the_inner_estimator_itself(standing: list[Sample]) -> None:
    once, plain = (predict_samples(e, standing[:2]) for e in (rotation_ensemble("nano", rotations=1), NanoEstimator()))
    for ours, theirs in zip(once, plain, strict=True):
        assert np.array_equal(ours.xy, theirs.xy)
        assert np.array_equal(ours.confidence, theirs.confidence)


def test_it_is_saved_as_the_inner_estimator_with_its_rotations(tmp_path: Path, standing: list[Sample]) -> None:
    reader = rotation_ensemble("nano", rotations=4)
    assert isinstance(reader, TrainableRotationEnsemble)
    reader.save(tmp_path / "m", {"ladder_step": 3})
    card = json.loads((tmp_path / "m" / "emc.json").read_text())
    assert (card["estimator"], card["rotations"], card["zooms"], card["ladder_step"]) == ("nano", 4, 3, 3)
    again = plugins.estimator_for(str(tmp_path / "m"))
    assert isinstance(again, TrainableRotationEnsemble)
    assert (again.rotations, again.zooms, again.describe().name) == (4, 3, "rotation4z3-nano")
    ours, theirs = (predict_samples(e, standing[:2])[1].xy for e in (reader, again))
    assert np.allclose(ours, theirs, atol=0.05)
    del card["zooms"]  # as it was saved before zoomed passes: none are made
    (tmp_path / "m" / "emc.json").write_text(json.dumps(card))
    old = plugins.estimator_for(str(tmp_path / "m"))
    assert (old.zooms, old.describe().name) == (0, "rotation4-nano")
    (tmp_path / "m" / "emc.json").write_text(json.dumps(card | {"rotations": "many"}))
    with pytest.raises(Exception, match="emc.json does not say how many rotations"):
        plugins.estimator_for(str(tmp_path / "m"))


def test_people_in_boxes_far_too_large_are_found_by_zoomed_passes(on_their_heads: list[Sample]) -> None:
    loose = [replace(sample, box=enlarged(sample.box, 2.3)) for sample in on_their_heads]
    once, zoomed = (mean_error(predict_samples(rotation_ensemble("nano", zooms=n), loose), loose) for n in (0, 3))
    assert zoomed < 0.6 * once


def enlarged(box: np.ndarray, factor: float) -> np.ndarray:
    x, y, w, h = box
    return np.array([x - (factor - 1) / 2 * w, y - (factor - 1) / 2 * h, factor * w, factor * h], np.float32)


def test_an_ensemble_of_an_ensemble_is_one_of_its_inner_estimator() -> None:
    inner = NanoEstimator()
    assert rotation_ensemble(inner=rotation_ensemble(inner=inner, rotations=4), rotations=8).inner is inner


def test_training_sees_people_upright_half_of_the_time(on_their_heads: list[Sample]) -> None:
    reader = rotation_ensemble("nano")
    assert isinstance(reader, TrainableRotationEnsemble)
    reader.inner.augmentation = replace(reader.inner.augmentation, rotation=0.0, flip=0.0)
    batch = reader.collate(on_their_heads * 8, np.random.default_rng(0))
    rows = batch["target"].flatten(2).argmax(-1) // 32  # (B, 17) row of each map's peak
    shoulders, hips = (rows[:, joints].double().mean(1) for joints in ([5, 6], [11, 12]))
    share = float((shoulders < hips).double().mean())
    assert 0.3 < share < 0.7
    exact = reader.collate(on_their_heads, None)
    rows = exact["target"].flatten(2).argmax(-1) // 32
    assert bool((rows[:, [5, 6]].double().mean(1) > rows[:, [11, 12]].double().mean(1)).all())


class FixedEstimator:
    """Finds every joint in the middle of the box, surer where the box is bright above it; it only predicts."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []
        """Width of each box that was read, and how sure it made."""

    @property
    def skeleton(self) -> Skeleton:
        return COCO17

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        found: list[Prediction] = []
        for image, box in ((image, box) for image, listed in zip(images, boxes, strict=True) for box in listed):
            x, y, w, h = box.xywh
            xy = np.full((17, 2), (x + w / 2, y + h / 2), np.float32)
            sure = np.full(17, 0.9 if image[round(y + h / 4), round(x + w / 2), 0] > 99 else 0.5, np.float32)
            self.asked.append((w, float(sure[0])))
            found.append(Prediction(box.frame, box.track, xy, sure, sure, np.array(box.xywh, np.float32)))
        return found

    def describe(self) -> ModelInfo:
        return ModelInfo("fixed", "estimator", "coco17", (64, 64), "none", False)


def test_an_estimator_that_only_predicts_is_an_ensemble_but_not_trained() -> None:
    reader = rotation_ensemble(inner=FixedEstimator())
    assert type(reader) is RotationEnsemble
    assert not isinstance(reader, Trainable)
    image = np.zeros((90, 120, 3), np.uint8)
    found = reader.predict([image, image], [[Box(4, (10.0, 20.0, 30.0, 40.0), track=2)], []])
    assert [(p.frame, p.person) for p in found] == [(4, 2)]
    assert found[0].xy == pytest.approx(np.full((17, 2), (25, 40)), abs=1e-3)
    assert found[0].confidence == pytest.approx(np.full(17, 0.5), abs=1e-3)  # all passes agree
    assert found[0].features is not None
    assert found[0].features.shape == (17, 1)


def test_zoomed_passes_are_made_where_the_estimator_is_most_confident() -> None:
    image = np.zeros((120, 120, 3), np.uint8)
    image[56:65, 64:76] = 255  # right of the middle: above it when the image is rotated by 90 degrees
    inner = FixedEstimator()
    (found,) = rotation_ensemble(inner=inner, zooms=1).predict([image], [[Box(0, (40.0, 40.0, 40.0, 40.0))]])
    *first, zoomed, most_zoomed = inner.asked
    assert [sure for _, sure in first] == pytest.approx([0.5, 0.5, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert zoomed == pytest.approx((0.85 * 40, 0.9), rel=0.03)
    assert most_zoomed == pytest.approx((0.75 * 40, 0.9), rel=0.03)
    assert found.xy == pytest.approx(np.full((17, 2), (60, 60)), abs=0.1)
    assert found.box.tolist() == [40, 40, 40, 40]


def test_each_person_has_zoomed_passes_at_its_own_rotations() -> None:
    image = np.zeros((120, 120, 3), np.uint8)
    image[56:65, 64:76] = 255
    inner = FixedEstimator()
    boxes = [[Box(0, (40.0, 40.0, 40.0, 40.0))], [Box(0, (40.0, 40.0, 40.0, 40.0))]]
    rotation_ensemble(inner=inner, zooms=1).predict([image, np.ascontiguousarray(image[:, ::-1])], boxes)
    assert [sure for _, sure in inner.asked[16:]] == pytest.approx([0.9] * 4)  # 90 degrees, and 270


def test_there_are_no_more_zooms_than_rotations() -> None:
    inner = FixedEstimator()
    rotation_ensemble(inner=inner, rotations=2, zooms=5).predict(
        [np.zeros((90, 120, 3), np.uint8)], [[Box(0, (9.0, 9.0, 40.0, 50.0))]]
    )
    assert len(inner.asked) == 2 + 2 * 2


def test_what_the_inner_estimator_cannot_do_is_said() -> None:
    reader = TrainableRotationEnsemble(FixedEstimator(), 8)
    with pytest.raises(NotTrainable, match="'fixed' has no `with_teacher_targets`"):
        reader.with_teacher_targets({}, None, None, 0.5, 0.0)  # pyright: ignore[reportArgumentType]


def test_bad_input_is_refused() -> None:
    with pytest.raises(UsageError, match="rotations = 0"):
        rotation_ensemble("nano", rotations=0)
    with pytest.raises(UsageError, match="zooms = -1"):
        rotation_ensemble("nano", zooms=-1)
    with pytest.raises(ShapeMismatch, match="1 images came with 2 box lists"):
        rotation_ensemble("nano").predict([np.zeros((9, 9, 3), np.uint8)], [[], []])


def test_no_box_no_prediction() -> None:
    assert rotation_ensemble("nano").predict([np.zeros((9, 9, 3), np.uint8)], [[]]) == []
