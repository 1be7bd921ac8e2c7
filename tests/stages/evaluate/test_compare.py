import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stages.evaluate.scored_people import crowd, prediction

from emc.errors import ShapeMismatch, UsageError
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.evaluate import (
    PopulationScores,
    ap_non_inferiority_chance,
    before_after,
    compare_populations,
    evaluate_population,
    non_inferiority_chance,
)

NAN = float("nan")
LEGS = list(COCO17.part("leg"))


def test_table_by_hand() -> None:
    """Five clips of one person, six leg joints each.

    Wrong before: 4, 4, 2, 0, 0 = 10 of 30; wrong after: 1, 1, 0, 0, 1 = 3 of 30.
    Errors removed (10 - 3) / 10 = 0.7; change 100 x 7 / 30 points.
    """
    before, after = np.ones((5, 17)), np.ones((5, 17))
    for person, (b, a) in enumerate(zip((4, 4, 2, 0, 0), (1, 1, 0, 0, 1), strict=True)):
        before[person, LEGS[:b]] = 0
        after[person, LEGS[:a]] = 0
    leg = compare_populations(before, after, np.arange(5), COCO17, "leg", 2000, 0)
    assert (leg.errors_removed.value, leg.errors_removed.n) == (pytest.approx(0.7), 30)
    assert leg.change.value == pytest.approx(100 * 7 / 30)
    low, high = leg.change.ci95 or (NAN, NAN)
    assert low < 100 * 7 / 30 < high
    # The largest change a resample can have is 3 fewer of 6 in every clip: 50 points; the least is -1 / 6.
    assert low >= -100 / 6
    assert high <= 50


def test_joints_that_one_side_does_not_count_are_left_out() -> None:
    before, after = np.zeros((5, 17)), np.ones((5, 17))
    before[0, LEGS] = NAN
    assert compare_populations(before, after, np.arange(5), COCO17, "leg").change.n == 24


def test_nothing_wrong_before_has_no_share_removed() -> None:
    right = np.ones((6, 17))
    comparison = compare_populations(right, right, np.arange(6), COCO17)
    assert np.isnan(comparison.errors_removed.value)
    assert comparison.errors_removed.ci95 is None
    assert comparison.change.ci95 == (0.0, 0.0)


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_swapping_the_sides_turns_the_change_around(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.random((12, 17)) < 0.7).astype(float), (rng.random((12, 17)) < 0.8).astype(float)
    there = compare_populations(a, b, np.arange(12), COCO17, "total", 200, 1).change
    back = compare_populations(b, a, np.arange(12), COCO17, "total", 200, 1).change
    assert there.value == pytest.approx(-back.value)
    assert there.ci95 is not None
    assert back.ci95 is not None
    assert there.ci95[0] == pytest.approx(-back.ci95[1], abs=1e-9)


def test_pairing_narrows_the_interval() -> None:
    # The second model is the first one with one joint more right in each clip: the change is certain.
    rng = np.random.default_rng(0)
    before = (rng.random((10, 17)) < 0.5).astype(float)
    before[:, 16] = 0
    after = before.copy()
    after[:, 16] = 1
    change = compare_populations(before, after, np.arange(10), COCO17).change
    assert change.ci95 == pytest.approx((100 / 17, 100 / 17))


def test_document_of_the_report() -> None:
    predicted, samples = crowd(3)
    better = [
        prediction((p.xy + s.xy) / 2, p.confidence) for p, s in zip(predicted, samples, strict=True)
    ]  # half of every error
    first = evaluate_population(predicted, samples, COCO17, bootstrap=100)
    last = evaluate_population(better, samples, COCO17, bootstrap=100)
    document = before_after((first, last), (first, last), bootstrap=100)
    for name in ("leg_errors_removed", "total_errors_removed", "common_total_change", "common_ap_change"):
        figure = document[name]
        assert figure["value"] > 0  # type: ignore[index]
        assert figure["ci95"][0] > 0  # type: ignore[index]
    ap = 100 * (last.document["ap"]["value"] - first.document["ap"]["value"])  # type: ignore[index]
    assert document["common_ap_change"]["value"] == pytest.approx(ap)  # type: ignore[index]
    assert document["unit"] == "clip"
    alone = before_after((first, last), None, bootstrap=100)
    assert "common_total_change" not in alone


def test_other_persons_are_refused() -> None:
    with pytest.raises(ShapeMismatch, match=r"before \(5, 17\), after \(4, 17\)"):
        compare_populations(np.ones((5, 17)), np.ones((4, 17)), np.arange(5), COCO17)
    with pytest.raises(UsageError, match="unknown part 'tail'"):
        compare_populations(np.ones((5, 17)), np.ones((5, 17)), np.arange(5), COCO17, "tail")


def populations(rights_before, rights_after):
    """Clips of one person whose first joints are right."""
    skeleton, scores = COCO17, []
    for rights in (rights_before, rights_after):
        hits = np.zeros((len(rights), 17))
        for person, right in enumerate(rights):
            hits[person, :right] = 1
        unit = np.arange(len(rights))
        scores.append(PopulationScores(hits, unit, "clip", skeleton, None, {}))
    return scores


def test_the_chance_of_a_kept_score_by_hand() -> None:
    """Six clips: one falls by 17 joints of 17, the others stay.

    A resample falls by k / 6 of all joints where the fallen clip is drawn k times, and by nothing where it is not
    drawn: (5 / 6) ** 6 = 0.335. A budget of 20 points forgives one draw of it (16.7): + 6 x 1/6 x (5/6) ** 5 = 0.737.
    """
    before, after = populations([17] * 6, [0] + [17] * 5)
    assert non_inferiority_chance(before, after, 0.5, 20_000, 0) == pytest.approx(0.335, abs=0.01)
    assert non_inferiority_chance(before, after, 20, 20_000, 0) == pytest.approx(0.737, abs=0.01)


def test_a_fall_of_exactly_the_budget_is_kept() -> None:
    before, after = populations([17] * 8, [16] * 8)
    assert non_inferiority_chance(before, after, 100 / 17, 200, 0) == 1.0
    assert non_inferiority_chance(before, after, 100 / 17 - 0.01, 200, 0) == 0.0


@pytest.mark.parametrize(("after", "chance"), [([17, 17, 16], 0.0), ([17, 17, 17], 1.0)])
def test_too_few_clips_are_judged_by_their_score(after, chance) -> None:
    assert non_inferiority_chance(*populations([17, 17, 17], after), 0.5, 200, 0) == chance
    assert non_inferiority_chance(*populations([17] * 6, after * 2), 0.5, 0, 0) == chance


def test_the_chance_needs_the_same_persons() -> None:
    with pytest.raises(ShapeMismatch, match="same persons"):
        non_inferiority_chance(populations([17] * 5, [17] * 5)[0], populations([17] * 6, [17] * 6)[1], 0.5)


def scored(people, error):
    """Score predictions whose joints are all `error` pixels off."""
    found = [prediction(person.xy + error) for person in people]
    return evaluate_population(found, people, COCO17, "bbox", 0.1, 50)


def test_the_chance_that_ap_was_kept() -> None:
    _, people = crowd(6)
    before, worse = scored(people, 0.0), scored(people, 2000.0)
    assert ap_non_inferiority_chance(before, before, 0.5, 50) == 1.0
    assert ap_non_inferiority_chance(before, worse, 0.5, 50) == 0.0
    # AP falls from 1 to 0: 100 points.
    assert ap_non_inferiority_chance(before, worse, 100.0, 50) == 1.0
    assert ap_non_inferiority_chance(worse, before, 0.5, 50) == 1.0


def test_without_ap_there_is_no_chance_of_it() -> None:
    before, _ = populations([20] * 5, [20] * 5)
    with pytest.raises(ShapeMismatch, match="AP was not scored"):
        ap_non_inferiority_chance(before, before, 0.5)


@pytest.mark.parametrize(("budget", "chance"), [(99.5, 0.0), (100.0, 1.0)])
def test_ap_of_too_few_clips_is_judged_by_its_fall(budget: float, chance: float) -> None:
    _, people = crowd(1)
    # AP falls from 1 to 0; the frames of one clip are units, four of them: fewer than an interval needs.
    before, worse = scored(people[:4], 0.0), scored(people[:4], 2000.0)
    assert int(before.unit.max()) + 1 < 5
    assert ap_non_inferiority_chance(before, worse, budget, 50) == chance


def test_the_chance_of_ap_needs_the_same_persons() -> None:
    _, people = crowd(6)
    whole, part = scored(people, 0.0), scored(people[:3], 0.0)
    assert int(whole.unit.max()) != int(part.unit.max())
    with pytest.raises(ShapeMismatch, match="units before, .* after: score the same persons"):
        ap_non_inferiority_chance(whole, part, 0.5, 50)
