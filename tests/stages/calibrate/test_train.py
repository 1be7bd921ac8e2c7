import io
import json
import math
import threading

import numpy as np
import pytest
import torch

from emc.config import CalibrateSettings
from emc.errors import EmcError, InputError, NotTrainable, UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.interfaces import ModelInfo
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons.skeleton import COCO17, build_skeleton
from emc.stages.calibrate import (
    LadderStep,
    Progressed,
    SavePoint,
    borrowed_weights,
    ladder_steps,
    learning_rate,
    resolved_precision,
    sampler_of,
    train,
)
from emc.stages.calibrate.batches import usable_cores
from emc.workflow.samples.rendered import ClipRequest, sparse_samples

SPOTS = build_skeleton("spots", ("bright", "dark"), ())
SIZE = 16


class SpotEstimator:
    """Finds a bright and a dark spot on a grey picture: a true network, small enough to train in a second."""

    skeleton = SPOTS

    def __init__(self, seed=0, rate_of_nan=None):
        torch.manual_seed(seed)
        self._module = torch.nn.Sequential(
            torch.nn.Conv2d(1, 8, 3, padding=1),
            torch.nn.BatchNorm2d(8),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.05),
            torch.nn.Conv2d(8, 2, 3, padding=1),
        )
        self.nan_from = rate_of_nan
        self.losses = 0

    @property
    def module(self):
        return self._module

    def collate(self, samples, rng):
        images = np.stack([sample.image[..., 0] for sample in samples]).astype(np.float32) / 128 - 1
        if rng is not None:
            images += rng.normal(0, 0.02, images.shape).astype(np.float32)
        return {
            "image": torch.from_numpy(images)[:, None],
            "xy": torch.from_numpy(np.stack([sample.xy for sample in samples]).astype(np.float32)),
        }

    def loss(self, batch):
        self.losses += 1
        if self.nan_from is not None and self.losses > self.nan_from:
            return torch.tensor(float("nan"), requires_grad=True)
        return ((self._places(batch["image"]) - batch["xy"]) ** 2).mean()

    def _places(self, images):
        heat = self._module(images).flatten(2).softmax(-1).view(-1, 2, SIZE, SIZE)
        grid = torch.arange(SIZE, dtype=torch.float32)
        return torch.stack([(heat.sum(2) * grid).sum(-1), (heat.sum(3) * grid).sum(-1)], -1)

    @torch.no_grad()
    def predict(self, images, boxes):
        self._module.eval()
        found = []
        for image, group in zip(images, boxes, strict=True):
            grey = torch.from_numpy(image[None, None, ..., 0].astype(np.float32) / 128 - 1)
            xy = self._places(grey)[0].numpy()
            one = np.ones(2, np.float32)
            found += [Prediction(b.frame, b.track, xy, one, one, np.zeros(4, np.float32)) for b in group]
        return found

    def describe(self):
        return ModelInfo("spots", "test", "spots", (SIZE, SIZE), "none", True)

    def save(self, path, extra=None):
        raise NotImplementedError

    def load(self, path):
        raise NotImplementedError


class OnlyPredicts:
    skeleton = SPOTS

    def predict(self, images, boxes):
        return []

    def describe(self):
        return ModelInfo("frozen", "onnx", "spots", (SIZE, SIZE), "none", False)


def spots(count, seed, clip="c"):
    rng = np.random.default_rng(seed)
    found = []
    for frame in range(count):
        xy = rng.integers(2, SIZE - 2, (2, 2))
        image = np.full((SIZE, SIZE, 3), 128, np.uint8)
        image[xy[0, 1], xy[0, 0]] = 255
        image[xy[1, 1], xy[1, 0]] = 0
        found.append(
            Sample(image, xy.astype(np.float32), np.full(2, 2), np.array([0, 0, SIZE, SIZE]), clip, "g", frame)
        )
    return found


TARGET, COMMON = spots(40, 1), spots(30, 2)


def settings_of(**changes):
    return CalibrateSettings(
        **{"steps": 12, "batch": 8, "ladder": 3, "lr": 0.02, "save_every": 5, "seed": 3, **changes}
    )


def ladder_of(events):
    return [event for event in events if isinstance(event, LadderStep)]


def mean_loss(estimator, samples):
    estimator.module.eval()
    with torch.no_grad():
        return float(estimator.loss(estimator.collate(samples, None)))


def test_training_finds_the_spots():
    estimator = SpotEstimator()
    before = mean_loss(estimator, COMMON)
    steps = [e for e in train(estimator, TARGET, COMMON, settings_of(steps=150)) if isinstance(e, Progressed)]
    assert [e.step for e in steps] == list(range(1, 151))
    assert np.mean([e.loss for e in steps[-10:]]) < 0.2 * np.mean([e.loss for e in steps[:10]])
    assert mean_loss(estimator, COMMON) < 0.2 * before


def test_events_come_in_a_fixed_order():
    told = [(type(e), e.step) for e in train(SpotEstimator(), TARGET, COMMON, settings_of())]
    expected = []
    for step in range(1, 13):
        expected.append((Progressed, step))
        if step in (4, 8, 12):
            expected.append((LadderStep, step))
        if step in (4, 5, 8, 10, 12):
            expected.append((SavePoint, step))
    assert told == expected


@pytest.mark.parametrize("stop", [5, 8, 10])
def test_after_an_interruption_the_numbers_are_those_of_an_uninterrupted_run(stop):
    whole = list(train(SpotEstimator(), TARGET, COMMON, settings_of()))
    saved = None
    for event in train(SpotEstimator(), TARGET, COMMON, settings_of()):
        if isinstance(event, SavePoint):
            saved = event
        if event.step == stop + 1:
            break  # killed one step after the resume point
    assert saved.step == stop
    torch.manual_seed(99)  # whatever ran in between
    other = SpotEstimator(seed=7)  # another process may have built the network anew
    rest = list(train(other, TARGET, COMMON, settings_of(), saved.state))
    after = [e for e in whole if e.step > stop]
    assert [(e.step, e.loss) for e in rest if isinstance(e, Progressed)] == [
        (e.step, e.loss) for e in after if isinstance(e, Progressed)
    ]
    for one, same in zip(ladder_of(rest), ladder_of(after), strict=True):
        assert one.step == same.step
        assert all(torch.equal(value, same.weights[name]) for name, value in one.weights.items())


def test_the_same_settings_give_the_same_weights_and_another_seed_gives_others():
    one, same, other = (
        ladder_of(train(SpotEstimator(), TARGET, COMMON, settings_of(seed=seed)))[-1].weights for seed in (3, 3, 4)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["4.weight"], other["4.weight"])


def test_training_does_not_disturb_other_users_of_chance():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run = train(SpotEstimator(seed=5), TARGET, COMMON, settings_of(steps=2))
    torch.manual_seed(5)
    list(run)
    assert torch.equal(torch.rand(3), expected)


def test_statistics_stay_those_of_the_base_but_for_an_untrained_network():
    tuned = ladder_of(train(SpotEstimator(), TARGET, COMMON, settings_of()))[-1].weights
    assert torch.equal(tuned["1.running_mean"], torch.zeros(8))
    anew = ladder_of(train(SpotEstimator(), TARGET, COMMON, settings_of(strategy="initial")))[-1].weights
    assert not torch.equal(anew["1.running_mean"], torch.zeros(8))


@pytest.mark.parametrize("strategy", ["finetune", "initial"])
def test_other_strategies_use_the_target_alone(strategy):
    settings = settings_of(strategy=strategy)
    assert sampler_of(40, 30, settings).served(10) == {"target": 80, "common": 0}
    assert len(ladder_of(train(SpotEstimator(), TARGET, [], settings))) == 3


def test_calibration_serves_the_mix():
    assert sampler_of(40, 30, settings_of()).served(10) == {"target": 64, "common": 16}


def test_a_checkpoint_is_the_running_average():
    plain = ladder_of(train(SpotEstimator(), TARGET, COMMON, settings_of(ema=0)))[-1].weights
    averaged = ladder_of(train(SpotEstimator(), TARGET, COMMON, settings_of(ema=0.9)))[-1].weights
    base = SpotEstimator().module.state_dict()
    # The average lags behind: it is nearer to the base than the weights themselves.
    far, near = (float((weights["4.weight"] - base["4.weight"]).norm()) for weights in (plain, averaged))
    assert 0 < near < far


def test_the_estimator_ends_with_the_last_checkpoint():
    estimator = SpotEstimator()
    last = ladder_of(train(estimator, TARGET, COMMON, settings_of()))[-1].weights
    assert all(torch.equal(value, last[name]) for name, value in estimator.module.state_dict().items())
    assert not estimator.module.training


def test_checkpoints_can_be_scored_while_training_waits():
    undisturbed = list(train(SpotEstimator(), TARGET, COMMON, settings_of()))
    estimator, events = SpotEstimator(), []
    for event in train(estimator, TARGET, COMMON, settings_of()):
        events.append(event)
        if isinstance(event, LadderStep):
            inside = estimator.module.state_dict()["4.weight"].clone()
            with borrowed_weights(estimator, event.weights):
                assert torch.equal(estimator.module.state_dict()["4.weight"], event.weights["4.weight"])
                mean_loss(estimator, TARGET)
            assert torch.equal(estimator.module.state_dict()["4.weight"], inside)
    assert [e.loss for e in events if isinstance(e, Progressed)] == [
        e.loss for e in undisturbed if isinstance(e, Progressed)
    ]


def test_an_inference_only_estimator_is_refused_by_name():
    with pytest.raises(NotTrainable, match=r"estimator frozen \(onnx\) can only predict"):
        next(train(OnlyPredicts(), TARGET, COMMON, settings_of()))


def test_missing_samples_are_refused():
    with pytest.raises(UsageError, match="common samples and there are none"):
        next(train(SpotEstimator(), TARGET, [], settings_of()))
    with pytest.raises(UsageError, match="target samples and there are none"):
        next(train(SpotEstimator(), [], COMMON, settings_of(strategy="finetune")))


def test_a_loss_that_is_not_finite_names_step_and_rate():
    with pytest.raises(EmcError, match=r"loss is nan at step 5 \(learning rate 0.0\d+\): start again with a smaller"):
        list(train(SpotEstimator(rate_of_nan=4), TARGET, COMMON, settings_of()))


def saved_state():
    return next(e for e in train(SpotEstimator(), TARGET, COMMON, settings_of()) if isinstance(e, SavePoint)).state


def test_a_resume_point_of_other_settings_is_refused_by_name():
    with pytest.raises(UsageError, match="lr 0.02 -> 0.01, targets 40 -> 39"):
        next(train(SpotEstimator(), TARGET[1:], COMMON, settings_of(lr=0.01), saved_state()))


def test_settings_that_only_choose_may_change_on_the_way():
    assert next(train(SpotEstimator(), TARGET, COMMON, settings_of(budget=3, save_every=1), saved_state())).step == 5


@pytest.mark.parametrize("damage", [lambda s: b"", lambda s: s[: len(s) // 2], lambda s: b"junk" * 100])
def test_a_damaged_resume_point_is_refused(damage):
    with pytest.raises(InputError, match=r"resume point \(\d+ bytes\) is damaged"):
        next(train(SpotEstimator(), TARGET, COMMON, settings_of(), damage(saved_state())))


@pytest.mark.parametrize(("precision", "half"), [("float32", False), ("bfloat16", True)])
def test_the_forward_pass_is_in_the_asked_numbers(precision, half):
    class Watched(SpotEstimator):
        def loss(self, batch):
            seen.append(torch.is_autocast_enabled("cpu"))
            return super().loss(batch)

    seen = []
    list(train(Watched(), TARGET, COMMON, settings_of(steps=2, precision=precision)))
    assert seen == [half, half]
    assert resolved_precision("cpu", settings_of()) in ("float32", "bfloat16")


def test_a_fault_in_the_data_is_told_as_it_is_and_leaves_no_thread_behind():
    class Picky(SpotEstimator):
        def collate(self, samples, rng):
            raise InputError("sample c:3 has no joints: label it")

    with pytest.raises(InputError, match="sample c:3 has no joints"):
        list(train(Picky(), TARGET, COMMON, settings_of()))
    given_up = train(SpotEstimator(), TARGET, COMMON, settings_of())
    next(given_up)
    given_up.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("calibrate")]


@pytest.mark.parametrize(
    ("steps", "ladder", "expected"),
    [(600, 4, (150, 300, 450, 600)), (10, 3, (3, 7, 10)), (2, 5, (1, 2)), (7, 1, (7,))],
)
def test_the_ladder_is_evenly_spaced_and_ends_at_the_end(steps, ladder, expected):
    assert ladder_steps(settings_of(steps=steps, ladder=ladder)) == expected


def test_the_learning_rate_rises_and_falls():
    settings = settings_of(steps=100, lr=1.0, warmup=0.1)
    assert learning_rate(0, settings) == pytest.approx(0.1)
    assert learning_rate(9, settings) == pytest.approx(1.0)
    assert learning_rate(55, settings) == pytest.approx(0.01 + 0.99 * 0.5)
    assert 0.01 <= learning_rate(99, settings) < 0.02
    assert all(math.isfinite(learning_rate(0, settings_of(steps=1, warmup=w))) for w in (0, 1))


def test_the_network_keeps_its_threads_whoever_makes_the_batches():
    class Watched(SpotEstimator):
        def collate(self, samples, rng):
            making.add(torch.get_num_threads())
            return super().collate(samples, rng)

        def loss(self, batch):
            learning.add(torch.get_num_threads())
            # Nothing that two threads would share: on a busy machine they wait long for each other.
            return self._module[4].bias.square().sum()

    making, learning = set(), set()
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert ladder_of(train(Watched(), TARGET, COMMON, settings_of()))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    # Of two cores the network's own thread makes them.
    assert making == ({2} if usable_cores() == 2 else {1})
    assert learning == {2}


def test_a_resume_point_of_an_older_version_had_the_defaults_of_newer_settings():
    saved = torch.load(io.BytesIO(saved_state()), weights_only=True)
    known = json.loads(saved["fingerprint"])
    del known["hard_joints"], known["occluded_sigma"]
    buffer = io.BytesIO()
    torch.save(saved | {"fingerprint": json.dumps(known)}, buffer)
    assert next(train(SpotEstimator(), TARGET, COMMON, settings_of(), buffer.getvalue())).step == 5
    with pytest.raises(UsageError, match="hard_joints 0 -> 1"):
        next(train(SpotEstimator(), TARGET, COMMON, settings_of(hard_joints=1), buffer.getvalue()))


def test_a_resume_point_of_another_network_is_refused_in_one_line():
    class Wider(SpotEstimator):
        def __init__(self):
            super().__init__()
            self._module[4] = torch.nn.Conv2d(8, 3, 3, padding=1)

    with pytest.raises(UsageError, match=r"resume point is another network's \(.*\): calibrate with the") as told:
        next(train(Wider(), TARGET, COMMON, settings_of(), saved_state()))
    assert "\n" not in str(told.value)


def test_one_person_on_each_side_is_enough():
    told = list(train(SpotEstimator(), TARGET[:1], COMMON[:1], settings_of()))
    assert told[-1].step == 12
    assert all(math.isfinite(e.loss) for e in told if isinstance(e, Progressed))


def test_a_joint_that_is_never_labelled_teaches_nothing_and_breaks_nothing():
    left_ankle = COCO17.index("left_ankle")
    people = sparse_samples(ClipRequest("side_kick", 1, 2))
    for sample in people:
        sample.visibility[left_ankle] = 0
        sample.xy[left_ankle] = np.nan
    estimator = NanoEstimator()
    batch = estimator.collate(people, np.random.default_rng(0))
    losses, weight = estimator.joint_losses(batch)
    assert float(weight[:, left_ankle].sum() + weight[:, COCO17.flip[left_ankle]].sum()) <= len(people)
    assert torch.isfinite(losses).all()
    for side in (NanoEstimator(), VitPoseEstimator.untrained(0)):
        settings = settings_of(steps=2, batch=2, ladder=1, mix=(1, 0), hard_joints=3, occluded_sigma=1.5)
        told = [e.loss for e in train(side, people, [], settings) if isinstance(e, Progressed)]
        assert len(told) == 2
        assert all(math.isfinite(loss) for loss in told)


def test_people_without_any_label_are_no_error():
    people = sparse_samples(ClipRequest("side_kick", 1, 2))
    for sample in people:
        sample.visibility[:] = 0
    told = list(train(NanoEstimator(), people, [], settings_of(steps=1, batch=2, ladder=1, mix=(1, 0))))
    assert told[0].loss == 0.0
