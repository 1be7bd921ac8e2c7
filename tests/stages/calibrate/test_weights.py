import pytest
import torch

from emc.stages.calibrate.weights import RunningAverage, copied, pull_to


def network(weight, bias):
    module = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1))
    with torch.no_grad():
        module[0].weight.fill_(weight)
        module[0].bias.fill_(bias)
    return module


def test_the_average_moves_by_one_minus_decay_and_copies_counters():
    module = network(1.0, 2.0)
    average = RunningAverage(module)
    with torch.no_grad():
        module[0].weight.fill_(5.0)
        module[1].num_batches_tracked.fill_(7)
    average.move(0.75)
    assert average.values["0.weight"].item() == 2.0  # 0.75 x 1 + 0.25 x 5
    assert average.values["0.bias"].item() == 2.0
    assert average.values["1.num_batches_tracked"].item() == 7


def test_an_average_that_went_on_elsewhere_moves_on_with_this_module():
    module = network(1.0, 2.0)
    average = RunningAverage(module)
    average.restore(copied(network(9.0, 2.0)))
    average.move(0.75)
    assert average.values["0.weight"].item() == 7.0  # 0.75 x 9 + 0.25 x 1
    with pytest.raises(KeyError):
        average.restore({})


def test_a_copy_does_not_follow_the_module():
    module = network(1.0, 2.0)
    kept = copied(module)
    with torch.no_grad():
        module[0].weight.fill_(5.0)
    assert kept["0.weight"].item() == 1.0


@pytest.mark.parametrize(("strength", "expected"), [(0.25, 4.0), (1.0, 1.0), (3.0, 1.0)])
def test_the_pull_goes_towards_the_base_and_never_past_it(strength, expected):
    module = network(5.0, 0.0)
    pull_to(copied(network(1.0, 0.0)), module, strength)
    assert module[0].weight.item() == expected


def test_what_is_not_trained_is_not_pulled():
    module = network(5.0, 0.0)
    module[0].weight.requires_grad_(False)
    pull_to(copied(network(1.0, 0.0)), module, 0.5)
    assert module[0].weight.item() == 5.0
