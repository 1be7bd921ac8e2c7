from dataclasses import replace

import pytest

from emc.errors import UsageError
from emc.pose.records import Direction, Interval
from emc.stages.choose.rule import LadderEntry, choose_checkpoint, pooled_score, refused_checkpoints


def figure(percent, ci95=None, n=100):
    return Interval(percent / 100, None if ci95 is None else (ci95[0] / 100, ci95[1] / 100), n)


def ladder(*rows):
    """Rows of (step, leg, common), in percent."""
    return [LadderEntry(step, {"leg": figure(leg), "total": figure(leg)}, figure(low)) for step, leg, low in rows]


# The source paper's table: leg PCKh@0.5 on kicks, COCO AP (step 0: Detectron2 as published).
PAPER = ladder((0, 94.2, 67.1), (2000, 96.2, 67.8), (5000, 97.3, 68.5), (8000, 98.6, 69.1), (10000, 98.9, 68.7))


@pytest.mark.parametrize(
    ("reference", "budget", "step"),
    [
        ("best", 0.3, 8000),  # the paper's choice: 10,000 is 0.4 below the best common score
        ("best", 0.4, 10000),
        ("best", 0.5, 10000),  # the default budget would not refuse it
        ("base", 0.0, 10000),  # and against the base nothing has fallen at all
        ("base", 0.5, 10000),
    ],
)
def test_the_papers_ladder(reference, budget, step):
    choice = choose_checkpoint(PAPER, ["leg"], budget, reference)
    assert choice.step == step
    assert choice.trusted


def test_the_reason_names_the_figures_and_what_was_refused():
    choice = choose_checkpoint(PAPER, ["leg"], 0.3, "best")
    assert "94.2 -> 98.6" in choice.why
    assert "67.1 -> 69.1" in choice.why
    assert "refused: step 10000 (target 98.9, common worse by 0.4)" in choice.why
    assert "0.3 points" in choice.rule
    assert "leg" in choice.rule


@pytest.mark.parametrize(("common", "step"), [(89.5, 100), (89.49, 0)])
def test_a_fall_of_exactly_the_budget_is_allowed(common, step):
    assert choose_checkpoint(ladder((0, 60, 90.0), (100, 80, common)), ["leg"], 0.5).step == step


def test_ties_go_to_the_earlier_step():
    assert choose_checkpoint(ladder((0, 60, 90), (300, 80, 90), (100, 80, 90), (200, 80, 90)), ["leg"], 0.5).step == 100


def test_the_base_is_kept_aloud_where_every_checkpoint_forgets_too_much():
    choice = choose_checkpoint(ladder((0, 60, 90), (100, 80, 85), (200, 90, 80)), ["leg"], 0.5)
    assert (choice.step, choice.trusted) == (0, False)
    assert "every checkpoint lost more than 0.5 points" in choice.why
    assert "step 100 (target 80.0, common worse by 5.0)" in choice.why


def test_the_base_is_kept_aloud_where_nothing_is_better():
    choice = choose_checkpoint(ladder((0, 60, 90), (100, 60, 91), (200, 55, 95)), ["leg"], 0.5)
    assert (choice.step, choice.trusted) == (0, False)
    assert "no checkpoint within the margin is better" in choice.why


def test_a_base_alone_is_kept():
    assert choose_checkpoint(ladder((0, 60, 90)), ["leg"], 0.5).step == 0


def test_a_common_score_that_is_not_a_number_qualifies_nothing():
    assert choose_checkpoint(ladder((0, 60, 90), (100, 80, float("nan"))), ["leg"], 0.5).step == 0


def test_parts_are_pooled_by_their_joints():
    entries = [
        LadderEntry(0, {"hip": figure(50, n=10), "knee": figure(50, n=30)}, figure(90)),
        LadderEntry(1, {"hip": figure(100, n=10), "knee": figure(50, n=30)}, figure(90)),  # 62.5
        LadderEntry(2, {"hip": figure(50, n=10), "knee": figure(70, n=30)}, figure(90)),  # 65.0; their mean is less
    ]
    choice = choose_checkpoint(entries, ["hip", "knee"], 0.5)
    assert choice.step == 2
    assert "50.0 -> 65.0" in choice.why


@pytest.mark.parametrize(("ci95", "trusted"), [((61, 75), True), ((59, 75), False)])
def test_a_gain_within_its_interval_is_not_trusted(ci95, trusted):
    entries = [
        LadderEntry(0, {"leg": figure(60)}, figure(90)),
        LadderEntry(9, {"leg": figure(68, ci95)}, figure(90), figure(50)),
    ]
    choice = choose_checkpoint(entries, ["leg"], 0.5)
    assert choice.step == 9
    assert choice.trusted is trusted
    assert ("within its 95 % interval" in choice.why) is not trusted


@pytest.mark.parametrize(("certainty", "step"), [(0.5, 2), (0.8, 1), (0.96, 0)])
def test_the_chance_of_a_kept_common_score_decides_where_it_is_known(certainty, step):
    entries = [
        LadderEntry(0, {"leg": figure(60)}, figure(90)),
        LadderEntry(1, {"leg": figure(70)}, figure(89), kept=0.95),  # its score fell by 1, most likely by chance
        LadderEntry(2, {"leg": figure(80)}, figure(90), kept=0.6),
        LadderEntry(3, {"leg": figure(90)}, figure(90), kept=0.4),
    ]
    choice = choose_checkpoint(entries, ["leg"], 0.5, certainty=certainty)
    assert choice.step == step
    assert f"a probability of at least {certainty:.0%}" in choice.rule
    assert "step 3 (target 90.0, common worse by 0.0, within the margin with a probability of 40%)" in choice.why


def test_ap_is_told():
    entries = [
        LadderEntry(0, {"leg": figure(60)}, figure(90), figure(51)),
        LadderEntry(9, {"leg": figure(68)}, figure(90), figure(50)),
    ]
    assert "common AP 51.0 -> 50.0" in choose_checkpoint(entries, ["leg"], 0.5).why


def test_a_measure_where_less_is_better():
    entries = [
        LadderEntry(0, {"leg": figure(60)}, figure(10)),
        LadderEntry(1, {"leg": figure(40)}, figure(10.4)),
        LadderEntry(2, {"leg": figure(30)}, figure(11)),
    ]
    assert choose_checkpoint(entries, ["leg"], 0.5, direction=Direction.LOWER).step == 1


def test_a_ladder_without_its_base_or_without_the_part_is_refused():
    with pytest.raises(UsageError, match="no base"):
        choose_checkpoint(ladder((100, 80, 90)), ["leg"], 0.5)
    with pytest.raises(UsageError, match="no target score of toe: use leg, total"):
        choose_checkpoint(PAPER, ["toe"], 0.5)


def test_refusals_name_the_fall_and_the_chance():
    rows = ladder((0, 60, 90.0), (1, 70, 89.0), (2, 65, 89.8))
    assert refused_checkpoints(rows, 0.5) == {1: "common worse by 1.00 points"}
    unsure = [rows[0], LadderEntry(2, rows[2].target, rows[2].common, kept=0.8)]
    assert refused_checkpoints(unsure, 0.5, certainty=0.95) == {
        2: "common worse by 0.20 points, within 0.5 with a probability of 80%"
    }
    assert refused_checkpoints(unsure, 0.5, certainty=0.5) == {}


def test_without_common_data_nothing_is_said_of_them():
    none = Interval(0.0, None, 0)
    rows = [LadderEntry(step, {"leg": figure(leg), "total": figure(leg)}, none) for step, leg in ((0, 80), (9, 90))]
    choice = choose_checkpoint(rows, ["leg"], 0.5)
    assert choice.step == 9
    assert "80.0 -> 90.0, nothing known of common poses" in choice.why
    assert "common 0.0" not in choice.why


def parts_entry(step, common=90.0, ap=None, kept=None, **parts):
    ap = None if ap is None else figure(ap)
    return LadderEntry(step, {name: figure(value, n=n) for name, (value, n) in parts.items()}, figure(common), ap, kept)


def test_parts_are_pooled_by_their_numbers_of_joints():
    assert pooled_score(parts_entry(0, hip=(60, 30), knee=(90, 10)), ["hip", "knee"]) == figure(67.5, n=40)
    assert pooled_score(parts_entry(0, hip=(60, 1), knee=(90, 0)), ["hip", "knee"]) == figure(60, n=1)


def test_parts_that_nobody_labelled_are_averaged_and_count_no_joint():
    assert pooled_score(parts_entry(0, hip=(60, 0), knee=(90, 0)), ["hip", "knee"]) == figure(75, n=0)


def test_the_rule_in_words():
    two = ladder((0, 60, 90), (100, 80, 90))
    assert choose_checkpoint(two, ["leg"], 0.5).rule == (
        "highest target score (leg) among checkpoints whose common total score is at most 0.5 points worse than that "
        "of the base; ties to the earlier step; the base where none is better"
    )
    lowest = choose_checkpoint(two, ["leg", "total"], 1.0, "best", Direction.LOWER).rule
    assert lowest.startswith("lowest target score (leg + total) among")
    assert "worse than that of the best checkpoint up to it;" in lowest


def test_a_known_chance_is_part_of_rule_and_reason():
    entries = [
        parts_entry(0, 90.0, ap=40.0, leg=(60, 100)),
        parts_entry(100, 89.0, ap=39.0, kept=0.66, leg=(80, 100)),
        parts_entry(200, 90.0, ap=41.0, kept=0.65, leg=(95, 100)),
    ]
    choice = choose_checkpoint(entries, ["leg"], 0.5, certainty=0.66)
    assert choice.step == 100  # a chance of exactly what is asked is enough, whatever the fall
    assert choice.rule.startswith("highest target score")
    assert choice.rule.endswith("a probability of at least 66% (paired bootstrap)")
    assert choice.why.startswith(
        "step 100, on validation: target 60.0 -> 80.0, common 90.0 -> 89.0, common AP 40.0 -> 39.0, common within"
    )
    assert (
        "the margin with a probability of 66%; refused: step 200 (target 95.0, common worse by 0.0, "
        "within the margin with a probability of 65%)" in choice.why
    )
    assert refused_checkpoints(entries, 0.5, certainty=0.66) == {
        200: "common better by 0.00 points, within 0.5 with a probability of 65%"
    }


def test_half_a_chance_is_asked_where_nothing_else_is():
    entries = [
        parts_entry(0, leg=(60, 9)),
        parts_entry(1, kept=0.5, leg=(80, 9)),
        parts_entry(2, kept=0.49, leg=(90, 9)),
    ]
    assert choose_checkpoint(entries, ["leg"], 0.5).step == 1
    assert set(refused_checkpoints(entries, 0.5)) == {2}


def test_the_base_alone_is_the_reference_whatever_its_neighbours_score():
    # The second checkpoint has fallen by 0.4 from the base, by 5.4 from the first.
    entries = ladder((0, 60, 90.0), (100, 70, 95.0), (200, 80, 89.6))
    assert choose_checkpoint(entries, ["leg"], 0.5).step == 200
    assert choose_checkpoint(entries, ["leg"], 0.5, "best").step == 100
    assert refused_checkpoints(entries, 0.5, "best") == {200: "common worse by 5.40 points"}
    assert refused_checkpoints(entries, 0.5) == {}


def test_the_best_up_to_a_checkpoint_includes_itself():
    assert refused_checkpoints(ladder((0, 60, 90.0), (100, 70, 91.0)), 0.0, "best") == {}


@pytest.mark.parametrize(("interval", "trusted"), [((50.0, 59.9), True), ((59.0, 60.1), False)])
def test_a_gain_within_its_interval_is_not_trusted_where_lower_is_better(interval, trusted):
    base = LadderEntry(0, {"leg": figure(60.0)}, figure(90.0))
    tuned = LadderEntry(100, {"leg": figure(55.0, interval)}, figure(90.0))
    choice = choose_checkpoint([base, tuned], ["leg"], 0.5, direction=Direction.LOWER)
    assert (choice.step, choice.trusted) == (100, trusted)
    assert ("lies within its 95 % interval" in choice.why) is not trusted


def test_the_base_is_kept_with_its_score_where_nothing_is_better():
    assert (
        "is better on the target (base 60.0): step 100 (target 60.0, common worse by 0.0)"
        in choose_checkpoint(ladder((0, 60, 90), (100, 60, 90)), ["leg"], 0.5).why
    )


def test_the_reason_says_that_its_scores_are_those_on_validation():
    better = ladder((0, 80, 90), (9, 90, 90))
    assert choose_checkpoint(better, ["leg"], 0.5).why.startswith("step 9, on validation: target 80.0 -> 90.0")
    kept = ladder((0, 80, 90), (9, 70, 90))
    assert choose_checkpoint(kept, ["leg"], 0.5).why.startswith("the base is kept, by the scores on validation:")


def test_a_choice_by_a_handful_of_joints_is_not_trusted():
    rows = [LadderEntry(step, {"leg": figure(leg, n=1)}, figure(90)) for step, leg in ((0, 0), (9, 100))]
    choice = choose_checkpoint(rows, ["leg"], 0.5)
    assert (choice.step, choice.trusted) == (9, False)
    assert choice.why.endswith("; target has 1 labelled joint: too few joints for a score")
    enough = [LadderEntry(step, {"leg": figure(leg, n=10)}, figure(90)) for step, leg in ((0, 0), (9, 100))]
    assert choose_checkpoint(enough, ["leg"], 0.5).trusted


@pytest.mark.parametrize(
    ("target", "common", "said"),
    [
        (0, 100, "; target has 0 labelled joints: too few joints for a score"),
        (100, 0, ""),  # that nothing is known of common poses is said where their scores would stand
        (100, 1, "; common has 1 labelled joint: too few joints for a score"),
        (2, 9, "; target has 2 labelled joints and common has 9 labelled joints: too few joints for a score"),
        (10, 10, ""),
    ],
)
def test_scores_of_a_handful_of_joints_are_named(target, common, said):
    rows = [LadderEntry(step, {"leg": figure(leg, n=target)}, figure(90, n=common)) for step, leg in ((0, 0), (9, 100))]
    choice = choose_checkpoint(rows, ["leg"], 0.5)
    assert choice.why.partition("common 90.0 -> 90.0")[2] == said
    assert choice.trusted is not bool(said)


def test_against_the_best_a_checkpoint_is_measured_against_itself_too():
    better = ladder((0, 80, 90), (9, 90, 92))
    doubted = [better[0], replace(better[1], kept=0.4)]
    assert refused_checkpoints(doubted, 0.5, "best", certainty=0.6) == {
        9: "common better by 0.00 points, within 0.5 with a probability of 40%"
    }
    assert refused_checkpoints(doubted, 0.5, "base", certainty=0.6) == {
        9: "common better by 2.00 points, within 0.5 with a probability of 40%"
    }
