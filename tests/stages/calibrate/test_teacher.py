import numpy as np
import pytest
import torch

from emc.config import CalibrateSettings
from emc.errors import UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.pose.records import Sample
from emc.stages.calibrate import LadderStep, train
from emc.stages.calibrate.teacher import teacher_of
from emc.stages.calibrate.weights import copied


def people(count, seed):
    rng = np.random.default_rng(seed)
    return [
        Sample(
            rng.integers(0, 255, (96, 96, 3), dtype=np.uint8),
            rng.uniform(20, 76, (17, 2)).astype(np.float32),
            np.full(17, 2),
            np.array([10.0, 10.0, 76.0, 76.0]),
            "c",
            "g",
            frame,
        )
        for frame in range(count)
    ]


def test_no_teacher_where_none_is_asked_for():
    estimator = NanoEstimator.untrained(0)
    assert teacher_of(estimator, copied(estimator.module), CalibrateSettings()) is None


def test_the_teacher_stays_the_base_while_the_pupil_learns():
    estimator = NanoEstimator.untrained(0)
    base = copied(estimator.module)
    teacher = teacher_of(estimator, base, CalibrateSettings(distil=1.0))
    assert teacher is not None
    with torch.no_grad():
        for parameter in estimator.module.parameters():
            parameter.add_(1.0)
    for name, value in teacher.module.state_dict().items():
        torch.testing.assert_close(value, base[name])
    assert not any(parameter.requires_grad for parameter in teacher.module.parameters())


def test_an_estimator_that_cannot_be_taught_is_told_by_name():
    class Stubborn:
        def describe(self):
            return NanoEstimator.untrained(0).describe()

    with pytest.raises(UsageError, match="distil = 0 and fill = 0"):
        teacher_of(Stubborn(), {}, CalibrateSettings(distil=0.5))


def test_distilled_replay_of_unlabelled_images_keeps_nearer_to_the_base_than_labels_do():
    target, common = people(8, 1), people(8, 2)
    drift = {}
    for name, changes in (("labels", {}), ("teacher", {"distil": 1.0})):
        estimator = NanoEstimator()
        fixed = estimator.collate(people(4, 3), None)["image"]
        with torch.no_grad():
            before = estimator.module(fixed)
        # Adam's first steps are as large as the rate however small the gradient, and a student that starts as its
        # teacher has none but rounding: at 2e-3 six steps told of the processor, not of the teacher.
        slow = CalibrateSettings(steps=20, batch=5, ladder=1, mix=(0, 1), precision="float32", ema=0, lr=2e-4)
        events = list(train(estimator, target, common, slow.model_copy(update=changes)))
        assert any(isinstance(event, LadderStep) for event in events)
        with torch.no_grad():
            drift[name] = float((estimator.module(fixed) - before).square().mean())
    assert drift["teacher"] < 0.2 * drift["labels"]
