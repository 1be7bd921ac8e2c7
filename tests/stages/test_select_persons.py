from __future__ import annotations

import numpy as np
import pytest

from emc.errors import ShapeMismatch, UsageError
from emc.pose.skeletons.skeleton import build_skeleton
from emc.stages.select_persons import Candidate, pose_vectors, select

LEGS = build_skeleton("legs", ("nose", "left_ankle", "right_ankle"), (("nose", "left_ankle"), ("nose", "right_ankle")))
NAN = float("nan")


def person(
    wrong: tuple[float, float, float],
    frame: int = 0,
    clip: str = "a",
    ankles: tuple[float, float] = (30.0, 70.0),
    apart: float = 10.0,
) -> Candidate:
    xy = np.array([[50.0, 10.0], [ankles[0], 100.0], [ankles[1], 100.0]])
    return Candidate(clip, frame, 0, xy, np.array([0.0, 0.0, 100.0, 100.0]), np.array(wrong), apart)


def chosen(candidates: list[Candidate], budget: int, **how: object) -> list[int]:
    return [one.index for one in select(candidates, budget, LEGS, **how)]  # type: ignore[arg-type]


def test_most_expected_errors_first_with_the_reason() -> None:
    some = [person((0.1, 0.2, 0.3), clip="a"), person((0.9, 0.6, 0.1), clip="b"), person((0.2, 0.9, 0.0), clip="c")]
    found = select(some, 2, LEGS, "error")
    assert [one.index for one in found] == [1, 2]
    assert found[0].expected == pytest.approx(1.6)
    assert found[0].joints == (0, 1)
    assert found[0].reason == "1.6 of 3 joints expected wrong (nose 0.90, left_ankle 0.60, right_ankle 0.10)"


def test_only_the_asked_joints_count() -> None:
    some = [person((1.0, 0.1, 0.1), clip="a"), person((0.0, 0.5, 0.5), clip="b")]
    assert chosen(some, 1, how="error") == [0]
    assert chosen(some, 1, how="error", joints=[1, 2]) == [1]


def test_a_neighbouring_frame_is_worth_less_than_a_worse_one_elsewhere() -> None:
    some = [person((0.9, 0.9, 0.9), frame=0), person((0.9, 0.9, 0.8), frame=1), person((0.4, 0.4, 0.4), frame=100)]
    assert chosen(some, 3, how="error") == [0, 2, 1]
    # Another person of the same clip is no neighbour, and neither is a photo of a folder (apart = 0).
    photos = [person((0.9, 0.9, 0.9), 0, apart=0), person((0.9, 0.9, 0.8), 1, apart=0), person((0.4,) * 3, 2, apart=0)]
    assert chosen(photos, 3, how="error") == [0, 1, 2]


def test_corrected_frames_count_as_chosen() -> None:
    some = [person((0.9, 0.9, 0.9), frame=1), person((0.5, 0.5, 0.5), frame=90)]
    assert chosen(some, 1, how="error", done=[person((0.0, 0.0, 0.0), frame=0)]) == [1]


def test_diverse_takes_the_farthest_pose() -> None:
    some = [
        person((0.5,) * 3, clip="a", ankles=(30, 70)),
        person((0.5,) * 3, clip="b", ankles=(31, 70)),
        person((0.5,) * 3, clip="c", ankles=(90, 95)),
        person((0.5,) * 3, clip="d", ankles=(0, 5)),
    ]
    first = chosen(some, 2, how="diverse")
    assert set(first) == {2, 3}
    assert chosen(some, 3, how="diverse")[2] in (0, 1)
    near = select(some, 1, LEGS, "diverse", done=[some[2]])
    assert near[0].index == 3
    # The ankles moved by 90 each of a side of 100; the nose stayed: the root mean square over three joints is 0.735.
    assert near[0].reason.startswith("nearest chosen pose 0.73 box sides away; 1.5 of 3")


def test_both_prefers_who_stands_for_many_expected_errors() -> None:
    crowd = [person((0.5, 0.5, 0.5), clip=f"crowd{i}", ankles=(30 + i / 10, 70)) for i in range(12)]
    lonely = person((0.7, 0.7, 0.7), clip="lonely", ankles=(0, 5))
    some = [lonely, *crowd]
    assert chosen(some, 1, how="error") == [0]
    found = select(some, 2, LEGS, "both")
    assert found[0].clip.startswith("crowd")
    assert found[0].reason.startswith("stands for ")
    # The crowd is stood for now: the next is the lonely one, not a second of the crowd.
    assert found[1].clip == "lonely"


@pytest.mark.parametrize("how", ["both", "error", "diverse", "random"])
def test_a_smaller_budget_is_the_start_of_a_larger_one(how: str) -> None:
    rng = np.random.default_rng(0)
    some = [person(tuple(rng.random(3)), frame=i, ankles=tuple(rng.uniform(0, 100, 2))) for i in range(30)]
    order = chosen(some, 30, how=how, seed=3)
    assert sorted(order) == list(range(30))
    assert chosen(some, 7, how=how, seed=3) == order[:7]
    assert len(chosen(some, 99, how=how)) == 30


def test_lots_follow_the_seed() -> None:
    some = [person((0.5,) * 3, frame=i) for i in range(20)]
    assert chosen(some, 20, how="random", seed=1) == chosen(some, 20, how="random", seed=1)
    assert chosen(some, 20, how="random", seed=1) != chosen(some, 20, how="random", seed=2)
    assert select(some, 1, LEGS, "random")[0].reason.startswith("drawn at random; 1.5 of 3")


def test_a_joint_that_was_not_found_is_wrong_and_has_no_place() -> None:
    lost = person((0.0, NAN, 0.0))
    lost.xy[1] = NAN
    assert select([lost], 1, LEGS, "error")[0].expected == pytest.approx(1.0)
    assert np.isfinite(pose_vectors([lost])).all()
    assert chosen([lost, person((0.0, 0.0, 0.0), clip="b")], 2, how="both")[0] == 0


def test_errors_say_what_is_allowed() -> None:
    with pytest.raises(UsageError, match="both, error, diverse, random"):
        select([person((0, 0, 0))], 1, LEGS, "best")
    with pytest.raises(UsageError, match="at least 1"):
        select([person((0, 0, 0))], 0, LEGS)
    with pytest.raises(ShapeMismatch, match="3 joints"):
        bad = Candidate("a", 0, 0, np.zeros((2, 2)), np.zeros(4), np.zeros(2))
        select([bad], 1, LEGS)
