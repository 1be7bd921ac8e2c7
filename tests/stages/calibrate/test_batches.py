import sys
import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from tests.stages.calibrate.test_abilities import Augmented
from tests.stages.calibrate.test_train import COMMON, TARGET, SpotEstimator, settings_of

import emc.stages.calibrate.batches as batches
from emc.pose.skeletons.skeleton import build_skeleton
from emc.stages.calibrate import sampler_of
from emc.stages.calibrate.batches import Batches, made
from emc.stages.calibrate.processes import Processes


@dataclass
class Asked:
    rotation: list
    people: list


class Told(Augmented):
    """Tells at which rotation which people were asked for; of a skeleton with a mirror pair."""

    skeleton = build_skeleton("sides", ("left_spot", "right_spot"), ())

    def __init__(self):
        super().__init__()
        self.asked = []

    def collate(self, samples, rng):
        self.asked.append(Asked([self.augmentation.rotation, self.augmentation.flip], [s.frame for s in samples]))
        return super().collate(samples, rng)


def batches_of(estimator, processes=None, **changes):
    settings = settings_of(**changes)
    sampler = sampler_of(len(TARGET), len(COMMON), settings)
    return Batches(estimator, TARGET, COMMON, sampler, settings, processes or Processes())


def test_only_target_people_are_turned_further():
    estimator = Told()
    make = batches_of(estimator, rotation=180.0, flip=0.25)
    found = make(0)
    target, common = estimator.asked
    assert (target.rotation, common.rotation) == ([180.0, 0.25], [40.0, 0.25])
    assert (len(target.people), len(common.people)) == (6, 2)
    assert found.replayed.tolist() == [False] * 6 + [True] * 2
    expected = np.stack([TARGET[f].xy for f in target.people] + [COMMON[f].xy for f in common.people])
    np.testing.assert_array_equal(found.tensors["xy"].numpy(), expected)


def test_without_a_rotation_both_are_made_in_one_go():
    estimator = Told()
    batches_of(estimator, cutout=None, flip=0.0)(0)
    assert [(asked.rotation, len(asked.people)) for asked in estimator.asked] == [([40.0, 0.0], 8)]


def test_nothing_is_mirrored_where_no_joint_has_a_mirror_joint():
    estimator = Told()
    estimator.skeleton = build_skeleton("spots", ("bright", "dark"), ())
    batches_of(estimator, flip=0.5)(0)
    assert [asked.rotation for asked in estimator.asked] == [[40.0, 0.0]]


def test_the_rows_of_all_processes_are_the_batch():
    whole = batches_of(SpotEstimator())(3)
    parts = [batches_of(SpotEstimator(), Processes(rank, 3))(3) for rank in range(3)]
    assert [len(part.replayed) for part in parts] == [2, 3, 3]
    assert torch.equal(torch.cat([part.tensors["image"] for part in parts]), whole.tensors["image"])
    assert np.array_equal(np.concatenate([part.replayed for part in parts]), whole.replayed)


@pytest.mark.parametrize(("threads", "cores", "workers"), [(1, 4, 0), (1, 4, 3), (2, 2, 0), (4, 4, 2), (1, 1, 0)])
def test_whoever_makes_them_they_come_in_order(monkeypatch, threads, cores, workers):
    monkeypatch.setattr(batches, "usable_cores", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert list(made(lambda step: step * 10, 2, 9, workers, True)) == [20, 30, 40, 50, 60, 70, 80]
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("calibrate")]


@pytest.mark.parametrize(("cores", "workers", "at_once"), [(2, 0, 1), (2, 2, 2), (4, 0, 4)])
def test_no_batch_is_made_while_a_network_that_has_every_core_works(monkeypatch, cores, workers, at_once):
    monkeypatch.setattr(batches, "usable_cores", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    making = []
    for step in made(lambda step: making.append(step) or step, 0, 5, workers, True):
        # So many at once, before they are handed out; the last ones may have no partner.
        assert sorted(making) == list(range(min(5, at_once * (step // at_once + 1))))


def test_threads_take_turns_as_before_when_training_ends():
    before = sys.getswitchinterval()
    taken = made(lambda step: step, 0, 3, 1, True)
    next(taken)
    taken.close()
    assert sys.getswitchinterval() == before
