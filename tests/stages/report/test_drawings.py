from typing import Any

import pytest

from emc.stages.report.drawings import LEAST_SPAN, axis, curve_plot, ladder_plot, no_ladder


def share(value: float | None, half: float | None = 0.01) -> dict[str, Any]:
    ci = None if half is None or value is None else [value - half, value + half]
    return {"value": value, "ci95": ci, "n": 100}


def entry(step: int, target: float, common: float | None) -> dict[str, Any]:
    document: dict[str, Any] = {"step": step, "target": {"pckh": {"leg": share(target), "knee": share(target - 0.1)}}}
    if common is not None:
        document["common"] = {"pckh": {"total": share(common)}}
    return document


def report(*entries: dict[str, Any], **chosen: Any) -> dict[str, Any]:
    return {"ladder": list(entries), "chosen": {"step": 0, **chosen}}


def test_axis_has_round_ticks_inside() -> None:
    made = axis(90.3, 98.9, 0, 100)
    assert [text for _, text in made.ticks] == ["90", "92", "94", "96", "98"]
    assert made.at(made.low) == 0
    assert made.at(made.high) == 100
    assert [text for _, text in axis(94.93, 95.06, 0, 100, least=0.1).ticks] == ["94.95", "95.00", "95.05"]


def test_ladder_marks_the_chosen_and_the_refused() -> None:
    plot = ladder_plot(report(entry(0, 0.94, 0.9), entry(5, 0.97, 0.902), entry(9, 0.99, 0.88), step=5, budget=0.5))
    assert plot is not None
    assert [(p.step, p.chosen, p.refused) for p in plot.points] == [
        (0, False, False), (5, True, False), (9, False, True)
    ]  # fmt: skip
    base, chosen, last = plot.points
    assert base.y > chosen.y > last.y  # up is better
    assert chosen.x > base.x > last.x  # right is better
    assert plot.limit is not None
    assert last.x < plot.limit < base.x
    assert base.x_bar is not None
    assert base.x_bar[0] < base.x < base.x_bar[1]
    assert chosen.label == "5 — chosen"
    said = "step 9: target 99.0 [98.0, 100.0], common 88.0 [87.0, 89.0]"
    assert last.title == f"{said}; refused: common 1.5 points below the margin's line"


def test_a_fall_that_equals_the_budget_is_not_refused() -> None:
    plot = ladder_plot(report(entry(0, 0.9, 0.9), entry(1, 0.95, 0.895), step=1, budget=0.5))
    assert plot is not None
    assert not plot.points[1].refused


def test_the_rule_decides_who_is_refused_not_the_picture() -> None:
    entries = [entry(0, 0.94, 0.9), entry(5, 0.97, 0.88), entry(9, 0.99, 0.902)]
    plot = ladder_plot(report(*entries, step=5, budget=0.5, refused={"9": "common -0.70 points"}))
    assert plot is not None
    assert [p.refused for p in plot.points] == [False, False, True]
    assert plot.points[2].reason == "common -0.70 points"
    assert plot.points[2].title.endswith("refused: common -0.70 points")
    told = ladder_plot(report(*entries, step=9, budget=0.5))
    assert told is not None
    assert told.points[1].reason == "common 1.5 points below the margin's line"


def test_front_is_the_stairs_through_the_unbeaten() -> None:
    entries = [entry(0, 0.90, 0.95), entry(1, 0.93, 0.93), entry(2, 0.92, 0.92), entry(3, 0.97, 0.90)]
    plot = ladder_plot(report(*entries))
    assert plot is not None
    base, one, _, three = plot.points
    expected = [(three.x, three.y), (three.x, one.y), (one.x, one.y), (one.x, base.y), (base.x, base.y)]
    assert plot.front == " ".join(f"{x},{y}" for x, y in expected)


def test_labels_keep_apart() -> None:
    close = [entry(i * 1000, 0.95 + i * 0.0004, 0.9 + i * 0.0002) for i in range(4)]
    plot = ladder_plot(report(*close, entry(9000, 0.99, 0.95), step=1000))
    assert plot is not None
    spans = [
        (p.label_x if p.anchor == "start" else p.label_x - 7 * len(p.label), p.label_y, 7 * len(p.label))
        for p in plot.points
    ]
    for i, (x, y, w) in enumerate(spans):
        for x2, y2, w2 in spans[:i]:
            assert abs(y - y2) >= 12 or x + w < x2 or x2 + w2 < x


def test_several_parts_are_pooled_by_their_joints() -> None:
    plot = ladder_plot(report(entry(0, 0.9, 0.9), entry(1, 0.95, 0.9), parts=["leg", "knee"]))
    assert plot is not None
    assert plot.part == "leg + knee"
    assert plot.points[0].title == "base: target 85.0, common 90.0 [89.0, 91.0]"


def test_no_picture_without_two_scored_steps() -> None:
    assert ladder_plot(report(entry(0, 0.9, 0.9))) is None
    assert ladder_plot(report(entry(0, 0.9, None), entry(1, 0.9, None))) is None


def test_curve_by_hand() -> None:
    one = {
        "alpha": 0.5,
        "curve": {"alphas": [0.0, 0.5, 1.0], "pckh": {"leg": [0.0, 0.5, 1.0]}, "area": {"leg": share(0.5)}},
    }
    plot = curve_plot(one, one, "leg", "Target", size=(156, 152))
    assert plot is not None
    # x from 44 to 144, y from 112 up to 12.
    assert plot.lines[0] == ("before", "44.0,112.0 94.0,62.0 144.0,12.0", "50.0")
    assert plot.alpha == 94.0
    assert curve_plot(one, one, "total", "Target") is None
    assert curve_plot(one, None, "leg", "Target") is None


@pytest.mark.parametrize("value", [0.5, 1.0])
def test_equal_scores_do_not_divide_by_zero(value: float) -> None:
    same = [{**entry(i, value, value)} for i in (0, 1)]
    for e in same:
        for population in (e["target"]["pckh"], e["common"]["pckh"]):
            for name in population:
                population[name] = share(value, None)
    assert ladder_plot(report(*same)) is not None


def test_no_axis_shows_a_rounding_error() -> None:
    made = axis(83.3, 83.3 + 1e-11, 0, 100)
    assert made.high - made.low == pytest.approx(LEAST_SPAN * 7 / 6)
    assert [text for _, text in made.ticks][0] == "82.8"
    at_the_top = axis(100, 100, 0, 100)
    assert at_the_top.high == pytest.approx(100 + LEAST_SPAN / 12)
    assert max(float(text) for _, text in at_the_top.ticks) <= 100


def test_equal_checkpoints_are_drawn_at_one_place() -> None:
    plot = ladder_plot(report(entry(0, 0.9, 0.9), entry(1, 0.9 + 1e-13, 0.9 - 1e-13)))
    assert plot is not None
    assert abs(plot.points[0].x - plot.points[1].x) < 0.2
    assert abs(plot.points[0].y - plot.points[1].y) < 0.2


def test_scores_of_too_few_joints_are_not_drawn() -> None:
    few = [entry(0, 0.9, 0.9), entry(1, 1.0, 0.9)]
    for one in few:
        one["target"]["pckh"]["leg"]["n"] = 1
    assert ladder_plot(report(*few)) is None
    assert no_ladder(report(*few)) == (
        "The target has 1 labelled joint, too few joints for a score, so no ladder is drawn"
    )
    curve = {
        "alpha": 0.5,
        "curve": {"alphas": [0.0, 1.0], "pckh": {"leg": [0.0, 1.0]}, "area": {"leg": share(0.5) | {"n": 1}}},
    }
    assert curve_plot(curve, curve, "leg", "Target") is None
