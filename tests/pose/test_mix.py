import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emc.errors import UsageError
from emc.pose.mix import Draw, MixSampler
from emc.pose.records import Role


def places(sampler: MixSampler, steps: int) -> list[Draw]:
    return [draw for step in range(steps) for draw in sampler.draws(step)]


def test_a_mix_of_eight_to_two_in_batches_of_five_is_four_to_one_in_each():
    sampler = MixSampler(targets=100, commons=100, mix=(8, 2), batch=5)
    for step in range(40):
        roles = [draw.role for draw in sampler.draws(step)]
        assert roles.count(Role.TARGET) == 4
        assert roles.count(Role.COMMON) == 1
    assert sampler.served(40) == {"target": 160, "common": 40}


@given(
    mix=st.sampled_from([(8, 2), (5, 5), (2, 8), (1, 2), (7, 4)]),
    batch=st.integers(1, 33),
    first=st.integers(0, 500),
    length=st.integers(1, 300),
    seed=st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_in_every_stretch_the_ratio_is_exact_to_one_sample(mix, batch, first, length, seed):
    sampler = MixSampler(37, 23, mix, batch, seed)
    steps = (first + length) // batch + 1
    stretch = places(sampler, steps)[first : first + length]
    asked = length * mix[0] / sum(mix)
    assert abs(sum(draw.role is Role.TARGET for draw in stretch) - asked) <= 1


@given(targets=st.integers(1, 40), commons=st.integers(1, 40), batch=st.integers(1, 32), seed=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_every_sample_is_served_once_before_any_is_served_twice(targets, commons, batch, seed):
    served = places(MixSampler(targets, commons, (8, 2), batch, seed), 400 // batch + 1)
    for role, size in ((Role.TARGET, targets), (Role.COMMON, commons)):
        walk = [draw.index for draw in served if draw.role is role]
        for start in range(0, len(walk) - size + 1, size):
            assert sorted(walk[start : start + size]) == list(range(size))
        rest = walk[len(walk) // size * size :]
        assert len(set(rest)) == len(rest)


def test_what_was_served_is_counted_as_it_is_drawn():
    sampler = MixSampler(9, 7, (8, 2), 7, seed=3)
    drawn = places(sampler, 13)
    assert sampler.served(13) == {
        "target": sum(draw.role is Role.TARGET for draw in drawn),
        "common": sum(draw.role is Role.COMMON for draw in drawn),
    }
    assert sum(sampler.served(13).values()) == 91


def test_any_step_can_be_asked_for_in_any_order():
    one, other = MixSampler(11, 5, (8, 2), 8, seed=1), MixSampler(11, 5, (8, 2), 8, seed=1)
    forward = [one.draws(step) for step in range(60)]
    backward = [other.draws(step) for step in reversed(range(60))][::-1]
    assert forward == backward
    assert one.served_sha256(60) == other.served_sha256(60)


def test_another_seed_is_another_order_of_the_same_ratio():
    one, other = MixSampler(50, 50, (8, 2), 10, seed=1), MixSampler(50, 50, (8, 2), 10, seed=2)
    assert one.draws(0) != other.draws(0)
    assert one.served(10) == other.served(10) == {"target": 80, "common": 20}
    assert one.served_sha256(3) != other.served_sha256(3)


def test_a_population_that_is_not_asked_for_may_be_empty():
    assert {draw.role for draw in places(MixSampler(3, 0, (1, 0), 4), 5)} == {Role.TARGET}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"targets": 0, "commons": 5, "mix": (8, 2), "batch": 4}, "asks for target samples and there are none"),
        ({"targets": 5, "commons": 0, "mix": (8, 2), "batch": 4}, "asks for common samples and there are none"),
        ({"targets": 5, "commons": 5, "mix": (0, 0), "batch": 4}, "mix is 0:0"),
        ({"targets": 5, "commons": 5, "mix": (-1, 2), "batch": 4}, "mix is -1:2"),
        ({"targets": 5, "commons": 5, "mix": (8, 2), "batch": 0}, "batch is 0"),
    ],
)
def test_what_cannot_be_mixed_is_refused(arguments, said):
    with pytest.raises(UsageError, match=said):
        MixSampler(**arguments)


def test_orders_of_epochs_long_past_are_forgotten_and_those_at_hand_kept() -> None:
    sampler = MixSampler(3, 2, (1, 1), 4, seed=5)
    first = [sampler.draws(step) for step in range(40)]
    # 80 draws of each: 27 epochs of three, 40 of two; only the newest two of each are still needed.
    assert {epoch for role, epoch in sampler._orders if role is Role.TARGET} <= {25, 26}
    assert {epoch for role, epoch in sampler._orders if role is Role.COMMON} <= {38, 39}
    assert all(isinstance(order, np.ndarray) for order in sampler._orders.values())
    assert [sampler.draws(step) for step in range(40)] == first


@pytest.mark.parametrize(
    ("targets", "commons", "mix", "names"),
    [(0, 5, (1, 1), "1:1 asks for target"), (5, 0, (3, 1), "3:1 asks for common")],
)
def test_the_smallest_part_needs_a_sample_too(targets: int, commons: int, mix: tuple[int, int], names: str) -> None:
    with pytest.raises(UsageError, match=names):
        MixSampler(targets, commons, mix, 4)
